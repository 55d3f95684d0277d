"""Lookup: what a scope and a unit get, now or at another moment, and why."""

from __future__ import annotations

import json
import shlex
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.responses import Response

from reward_llm.console.frame import Area
from reward_llm.console.in_force import WHOLE, moment
from reward_llm.console.pages.policies import scopes_of
from reward_llm.console.visit import Visit, Visiting

router = APIRouter(prefix="/lookup")
AREA = Area(name="lookup", router=router, path="/lookup")


@router.get("")
async def lookup(visit: Visiting, scope: str = "", unit: str = "", at: str = "") -> Response:
    """The form, and what was found."""
    names = await scopes_of(visit)
    asked = {"scope": scope, "unit": unit.strip(), "at": at}
    if not scope:
        return visit.page("lookup/lookup.html", names=names, asked=asked, found=None)
    scenario, _, segment = scope.partition("/")
    found = await _found(visit, scenario, segment, asked["unit"], visit.f.from_input(at))
    return visit.page("lookup/lookup.html", names=names, asked=asked, found=found)


async def _found(visit: Visit, scenario: str, segment: str, unit: str, at: str | None) -> dict[str, Any]:
    """What the interface says, and how others ask it."""
    quoted = quote(scenario, safe="")
    path = f"/v1/scopes/{quoted}/{quote(segment or WHOLE, safe='')}/explanation"
    explanation = await visit.api.get(path, unit=unit, at=at)
    about = await visit.api.get(f"/v1/scenarios/{quoted}")
    base = str(visit.request.base_url).rstrip("/")
    found = {"explanation": explanation, "scenario": about, "now": None, "sdk": None, "is_past": False}
    if at is not None:
        now = moment((await visit.api.get("/v1/weights", scenario=scenario))["as_of"])
        curl = curl_line(base, path, {"unit": unit, "at": at}, open_=visit.frame.config.is_open)
        return found | {"curl": curl, "is_past": moment(explanation["at"]) <= now}
    weights = f"/v1/weights/{quoted}"
    params = {"segment": segment, "unit": unit}
    answer = await visit.api.ask("GET", weights, params=params)
    return found | {
        "now": answer.document,
        "etag": answer.etag,
        "curl": curl_line(base, weights, params, open_=visit.frame.config.is_open),
        "sdk": sdk_line(base, scenario, params),
    }


def curl_line(base: str, path: str, params: dict[str, str], *, open_: bool) -> str:
    """The command that asks the interface for the same.

    >>> curl_line("http://127.0.0.1:8300", "/v1/weights/home_feed", {"segment": "", "unit": "a b"}, open_=True)
    "curl -s 'http://127.0.0.1:8300/v1/weights/home_feed?unit=a+b'"
    """
    query = urlencode({k: v for k, v in params.items() if v})
    token = "" if open_ else ' -H "Authorization: Bearer $REWARD_LLM_TOKEN"'
    url = f"{base}{path}?{query}" if query else f"{base}{path}"
    return f"curl -s{token} {_quoted(url)}"


def sdk_line(base: str, scenario: str, params: dict[str, str]) -> str:
    """The Python that looks the same up.

    >>> print(sdk_line("http://127.0.0.1:8300", "home_feed", {"segment": "", "unit": "user-17"}))
    WeightsClient("http://127.0.0.1:8300").weights("home_feed", unit="user-17")
    """
    given = "".join(f", {name}={_literal(value)}" for name, value in params.items() if value)
    return f"WeightsClient({_literal(base)}).weights({_literal(scenario)}{given})"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _quoted(url: str) -> str:
    quoted = shlex.quote(url)
    return quoted if quoted.startswith("'") else f"'{quoted}'"
