"""A golden set of four goals, a model that reads as many of them right as its prompt says, and such prompts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import httpx

from reward_llm.domain.completion import CompletionRequest
from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.harness import NOTHING, RAISE_GMV, Desk

NAME: Final = "goal_to_intents"
VERSIONS: Final = f"/v1/prompts/{NAME}/versions"
PRODUCTION: Final = f"/v1/prompts/{NAME}/labels/production"
STAGING: Final = f"/v1/prompts/{NAME}/labels/staging"
SET: Final = "four"
PACKAGED_QUALITY: Final = 3
"""How many of the four goals the prompt that ships has read right."""


def write_golden_set(folder: Path) -> None:
    """Put the four goals where the application looks for golden sets."""
    lines = [
        {"id": f"four-{n}", "lang": "en", "kind": kind, "goal": f"Raise GMV #{n}", "expect": {"raise": ["gmv"]}}
        for n, kind in enumerate(["direct", "direct", "metric", "metric"], 1)
    ]
    (folder / f"{SET}.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")


def model() -> ScriptedModel:
    """Reads the goals up to the number that stands in the prompt."""

    def read(request: CompletionRequest) -> str:
        system, user = (m.content for m in request.messages[:2])
        told, goal = re.search(r"quality (\d)", system), re.search(r"#(\d)", user)
        quality = int(told[1]) if told else PACKAGED_QUALITY
        return RAISE_GMV if goal is None or int(goal[1]) <= quality else NOTHING

    return ScriptedModel([read])


async def content(desk: Desk, *, quality: int = 4, threshold: float = 0.5) -> dict[str, Any]:
    """What ships, as a prompt of another quality, measured on the four goals."""
    shipped: dict[str, Any] = (await desk.client.get(f"{VERSIONS}/1")).json()["content"]
    golden = {"set": SET, "threshold": threshold}
    return {**shipped, "golden": golden, "system": f"{shipped['system']}\nquality {quality}"}


async def add(desk: Desk, author: str = "li", **changes: Any) -> dict[str, Any]:
    """Make a version of that content."""
    sent = {"content": await content(desk, **changes), "reason": "a try"}
    response = await desk.client.post(VERSIONS, json=sent, headers={"X-Actor": author})
    assert response.status_code == 201, response.text
    version: dict[str, Any] = response.json()
    return version


async def promote(desk: Desk, version: int, actor: str = "wang", **sent: Any) -> httpx.Response:
    """Move production from where it stands now."""
    etag = (await desk.client.get(PRODUCTION)).headers["etag"]
    headers = {"If-Match": etag, "X-Actor": actor}
    return await desk.client.put(PRODUCTION, json={"version": version, "reason": "better", **sent}, headers=headers)


async def consent(desk: Desk, version: dict[str, Any], actor: str) -> httpx.Response:
    """Override what is measured of a version."""
    sent = {"version": version["version"], "content_hash": version["content_hash"], "reason": "known to be odd"}
    return await desk.client.post(f"{PRODUCTION}/overrides", json=sent, headers={"X-Actor": actor})
