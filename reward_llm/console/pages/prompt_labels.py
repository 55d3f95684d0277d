"""Where labels are put on versions, and `production` only with what it replaces in view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

from fastapi import APIRouter
from starlette.responses import Response

from reward_llm.console.addresses import Name, Number
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.prompts import PRODUCTION
from reward_llm.errors import ServiceRefused

Value = TypeVar("Value")
router = APIRouter()
TEMPLATES: Final = ("system", "user")
_NUMBERS: Final = 100
_ANSWERED_HERE: Final = {
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
"""What the page of the promotion says itself, with the form still there."""


async def numbers_of(visit: Visit, name: str) -> list[int]:
    """The newest versions of a prompt, by number."""
    versions = await visit.api.get(f"/v1/prompts/{name}/versions", limit=_NUMBERS)
    return [version["version"] for version in versions["items"]]


def options(values: Iterable[Value]) -> list[tuple[Value, str]]:
    """What a choice offers, where each is called what it is."""
    return [(value, str(value)) for value in values]


@router.get("/prompts/{name}/versions/{number}/promotion")
async def promotion(name: Name, number: Number, visit: Visiting) -> Response:
    """What putting the version into production replaces, and what happens then."""
    return await _page(visit, name, number)


@router.post("/prompts/{name}/versions/{number}/promotion")
async def promote(name: Name, number: Number, visit: Visiting) -> Response:
    """Put the version into production, unless it moved since or the version falls short."""
    sent = {"version": number, "reason": visit.form["reason"], "override": "override" in visit.form}
    try:
        await visit.api.put(f"/v1/prompts/{name}/labels/{PRODUCTION}", sent, if_match=visit.form["etag"])
    except ServiceRefused as exc:
        if exc.status not in _ANSWERED_HERE:
            raise
        return await _page(visit, name, number, refusal=exc)
    return visit.go(f"/prompts/{name}", done="prompts.promoted")


@router.post("/prompts/{name}/versions/{number}/consent")
async def consent(name: Name, number: Number, visit: Visiting) -> Response:
    """Consent to the version although it may fall short."""
    sent = {"version": number, "content_hash": visit.form["content_hash"], "reason": visit.form["reason"]}
    try:
        await visit.api.post(f"/v1/prompts/{name}/labels/{PRODUCTION}/overrides", sent)
    except ServiceRefused as exc:
        if exc.status not in _ANSWERED_HERE:
            raise
        return await _page(visit, name, number, refusal=exc)
    return visit.go(f"/prompts/{name}/versions/{number}/promotion", done="prompts.consented")


@router.post("/prompts/{name}/versions/{number}/label")
async def put_label(name: Name, number: Number, visit: Visiting) -> Response:
    """Put a label of one's own on the version, wherever it stood; `production` has a page of its own."""
    label = visit.form["label"]
    if label == PRODUCTION:
        return visit.go(f"/prompts/{name}/versions/{number}/promotion")
    stands = {found["label"]: found["revision"] for found in (await visit.api.get(f"/v1/prompts/{name}"))["labels"]}
    sent = {"version": number, "reason": visit.form["reason"]}
    condition = {"if_match": f'"{stands[label]}"'} if label in stands else {"if_none_match": "*"}
    await visit.api.put(f"/v1/prompts/{name}/labels/{label}", sent, **condition)
    return visit.go(f"/prompts/{name}/versions/{number}", done="prompts.labelled")


async def _page(visit: Visit, name: str, number: int, refusal: ServiceRefused | None = None) -> Response:
    path = f"/v1/prompts/{name}"
    label = await visit.api.ask("GET", f"{path}/labels/{PRODUCTION}")
    replaced = label.document["version"]
    version = await visit.api.get(f"{path}/versions/{number}")
    given = await visit.api.get(f"{path}/labels/{PRODUCTION}/overrides", version=number)
    differs = await _diff(visit, path, replaced, number)
    return visit.page(
        "prompts/promotion.html",
        status=refusal.status if refusal else HTTPStatus.OK,
        version=version,
        label=label.document,
        etag=label.etag,
        replaced=await visit.api.get(f"{path}/versions/{replaced}"),
        diff=differs,
        counts={where: _lines_of(differs[where]) for where in TEMPLATES}
        | {"fields": sum(field["path"] not in {f"/{where}" for where in TEMPLATES} for field in differs["fields"])},
        consents=given["items"],
        refusal=refusal,
        evidence=(refusal.problem.get("evidence") if refusal else None),
        reason=visit.form["reason"],
    )


async def _diff(visit: Visit, path: str, before: int, after: int) -> Mapping[str, Any]:
    found = await visit.api.ask("GET", f"{path}/diff", params={"from": before, "to": after})
    document: Mapping[str, Any] = found.document
    return document


def _lines_of(unified: str) -> tuple[int, int]:
    """How many lines a unified diff adds, and how many it removes."""
    body = [line for line in unified.splitlines() if not line.startswith(("+++", "---"))]
    return sum(line.startswith("+") for line in body), sum(line.startswith("-") for line in body)
