"""Prompts: their versions, and what two of them differ in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from reward_llm.console.addresses import Name, Number
from reward_llm.console.frame import Area
from reward_llm.console.pages import prompt_editor, prompt_labels, prompt_playground
from reward_llm.console.side_by_side import side_by_side
from reward_llm.console.visit import Visiting
from reward_llm.domain.prompts import PRODUCTION

router = APIRouter()
AREA = Area(name="prompts", router=router, path="/prompts")
_PAGE: Final = 20
_MOVES: Final = 10


@router.get("/prompts")
async def prompts(visit: Visiting) -> Response:
    """Every prompt, with its newest version and its labels."""
    return visit.page("prompts/list.html", prompts=(await visit.api.get("/v1/prompts"))["items"])


@router.get("/prompts/{name}")
async def prompt(name: Name, visit: Visiting, cursor: str = "") -> Response:
    """One prompt: its versions, where its labels stand, and how production came to where it is."""
    path = f"/v1/prompts/{name}"
    history = await visit.api.get(f"{path}/labels/{PRODUCTION}/history", limit=_MOVES)
    return visit.page(
        "prompts/prompt.html",
        prompt=await visit.api.get(path),
        versions=await visit.api.get(f"{path}/versions", cursor=cursor, limit=_PAGE),
        moves=history["items"],
        numbers=prompt_labels.options(await prompt_labels.numbers_of(visit, name)),
    )


@router.get("/prompts/{name}/versions/{number}")
async def version(name: Name, number: Number, visit: Visiting) -> Response:
    """All that a version consists of."""
    found = await visit.api.get(f"/v1/prompts/{name}/versions/{number}")
    return visit.page("prompts/version.html", version=found, content=found["content"])


@router.get("/prompts/{name}/diff")
async def diff(
    name: Name,
    visit: Visiting,
    before: Annotated[int, Query(alias="from", ge=1)],
    after: Annotated[int, Query(alias="to", ge=1)],
) -> Response:
    """In what two versions differ: their templates side by side, the rest field by field."""
    found = await visit.api.ask("GET", f"/v1/prompts/{name}/diff", params={"from": before, "to": after})
    old = await visit.api.get(f"/v1/prompts/{name}/versions/{before}")
    new = await visit.api.get(f"/v1/prompts/{name}/versions/{after}")
    panes = {where: side_by_side(old["content"][where], new["content"][where]) for where in prompt_labels.TEMPLATES}
    return visit.page(
        "prompts/diff.html",
        name=name,
        diff=found.document,
        panes=panes,
        fields=_without(prompt_labels.TEMPLATES, found.document["fields"]),
        numbers=prompt_labels.options(await prompt_labels.numbers_of(visit, name)),
    )


def _without(names: Iterable[str], fields: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The fields that differ, but for those whose differences stand beside each other."""
    paths = {f"/{name}" for name in names}
    return [field for field in fields if field["path"] not in paths]


for part in (prompt_editor, prompt_playground, prompt_labels):
    router.include_router(part.router)
