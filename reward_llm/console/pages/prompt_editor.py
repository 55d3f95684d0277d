"""Where a prompt's next version is written, and checked as one types."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import yaml
from fastapi import APIRouter
from starlette.responses import Response

from reward_llm.console.addresses import Name
from reward_llm.console.forms import Form
from reward_llm.console.visit import Visit, Visiting
from reward_llm.errors import ServiceRefused

router = APIRouter()
_REFUSED_HERE: Final = {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
"""What the person mends in the form itself."""


@router.get("/prompts/{name}/new")
async def new(name: Name, visit: Visiting, base: int = 0) -> Response:
    """A form with a version to start from, by default the newest."""
    number = base or (await visit.api.get(f"/v1/prompts/{name}"))["versions"]
    found = await visit.api.get(f"/v1/prompts/{name}/versions/{number}")
    return await _editor(visit, found, found["content"], examples=_yaml(found["content"]["examples"]))


@router.post("/prompts/{name}/new")
async def save(name: Name, visit: Visiting) -> Response:
    """Make what was written the next version, or say what is wrong with it."""
    base, content = await _written(visit, name)
    if "check" in visit.form:
        return await _editor(visit, base, content, examples=visit.form.raw("examples"))
    sent = {"content": content, "reason": visit.form["reason"]}
    try:
        made = await visit.api.post(f"/v1/prompts/{name}/versions", sent, key=visit.form["key"])
    except ServiceRefused as exc:
        if exc.status not in _REFUSED_HERE:
            raise
        return await _editor(visit, base, content, examples=visit.form.raw("examples"), refusal=exc)
    return visit.go(f"/prompts/{name}/versions/{made['version']}", done="prompts.saved")


@router.post("/prompts/{name}/check")
async def check(name: Name, visit: Visiting) -> Response:
    """What is wrong with what is being written."""
    base, content = await _written(visit, name)
    found = await visit.api.post(f"/v1/prompts/{name}/check", {"content": content})
    return visit.page("prompts/_checks.html", check=found, base=base)


async def _editor(
    visit: Visit,
    base: Mapping[str, Any],
    content: Mapping[str, Any],
    *,
    examples: str,
    refusal: ServiceRefused | None = None,
) -> Response:
    checked = await visit.api.post(f"/v1/prompts/{base['name']}/check", {"content": content})
    return visit.page(
        "prompts/editor.html",
        status=refusal.status if refusal else HTTPStatus.OK,
        base=base,
        content=content,
        check=checked,
        golden_sets=[(name, name) for name in checked["golden_sets"]],
        examples=examples,
        reason=visit.form["reason"],
        refusal=refusal,
    )


async def _written(visit: Visit, name: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The version that the form began with, and the content that it makes of that."""
    base = await visit.api.get(f"/v1/prompts/{name}/versions/{visit.form['base'] or 1}")
    return base, _content(base["content"], visit.form)


def _content(base: Mapping[str, Any], form: Form) -> dict[str, Any]:
    return {
        **base,
        "description": form["description"],
        "variables": _in_order(form.all("variables"), base["variables"]),
        "parameters": {"max_tokens": _whole(form.number("max_tokens")), "temperature": form.number("temperature")},
        "golden": {"set": form["golden_set"], "threshold": form.number("threshold")},
        "examples": _examples(form.raw("examples")),
        "system": form.raw("system"),
        "user": form.raw("user"),
    }


def _in_order(chosen: list[str], before: list[str]) -> list[str]:
    """What is chosen, in the order that it had before: the content hash is over that as well."""
    return [*(name for name in before if name in chosen), *(name for name in chosen if name not in before)]


def _whole(number: float | str | None) -> float | int | str | None:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _examples(text: str) -> Any:
    """The examples that a text in YAML lists; what is no YAML stays as it is, for the interface to refuse."""
    try:
        return yaml.safe_load(text) or []
    except yaml.YAMLError:
        return text


def _yaml(examples: list[Mapping[str, Any]]) -> str:
    if not examples:
        return ""
    text: str = yaml.safe_dump(examples, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)
    return text
