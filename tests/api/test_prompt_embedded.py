"""The goal model that ships, measured on the golden set that ships."""

from __future__ import annotations

from pathlib import Path

import httpx

from reward_llm.bootstrap import build_app, load_settings
from reward_llm.store import upgrade
from tests.api.golden import NAME, PRODUCTION, VERSIONS


async def test_the_model_that_ships_reads_its_golden_set_well_enough_for_production(tmp_path: Path) -> None:
    settings = load_settings(database_url=f"sqlite:///{tmp_path}/store.db", backend="embedded")
    await upgrade(settings.database_url)
    app = build_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8300") as client,
    ):
        version = (await client.get(f"{VERSIONS}/1")).json()
        measured = (await client.post(f"{VERSIONS}/1/evaluate")).json()
        tried = (await client.post(f"{VERSIONS}/1/try", json={"scenario": "home_feed", "text": "提升GMV"})).json()
        moved = await client.put(
            PRODUCTION, json={"version": 1, "reason": "confirmed"}, headers={"If-Match": '"0"', "X-Actor": "wang"}
        )
        history = (await client.get(f"{PRODUCTION}/history")).json()["items"]
    assert measured["score"] >= version["content"]["golden"]["threshold"]
    assert (measured["backend"], measured["prompt_use"]) == ("embedded", "user_turn")
    assert measured["checkpoint_hash"] == tried["checkpoint_hash"]
    assert (tried["source"], tried["prompt"]) == ("embedded", f"{NAME}@1")
    assert moved.status_code == 200
    assert history[0]["evidence"]["candidate"]["score"] == measured["score"]
    assert history[0]["evidence"]["replaced"] is None
