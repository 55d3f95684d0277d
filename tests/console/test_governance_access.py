"""What each role is shown of policies, scopes and the audit log, and what is refused whatever is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from reward_llm.api import ApiConfig
from reward_llm.console import ConsoleConfig
from reward_llm.domain.access import AccessMode, Grant, Role
from reward_llm.store.access import SqlAccess
from reward_llm.store.database import Database
from tests.api.callers import ADMIN, Office
from tests.api.harness import EDIT, Setup
from tests.console.harness import Console, console
from tests.console.test_policies import FAR, WHOLE

HERE = "home_feed"
TOKENS = ApiConfig(access=AccessMode.TOKENS)


@asynccontextmanager
async def at_work(setup: Setup) -> AsyncIterator[tuple[Console, Office, str]]:
    """The pages where access is by token, and a policy of ann's that needs an approval."""
    database = Database.open(setup.url)
    async with console(setup, ConsoleConfig(is_open=False), config=TOKENS) as running:
        office = Office(desk=running.desk, access=SqlAccess(database))
        ann = await office.token(Grant(role=Role.EDITOR), name="ann")
        in_force = (await office.ask("POST", "/v1/policies", ann, json=EDIT)).json()["policy_id"]
        await office.ask("POST", f"/v1/policies/{in_force}/activation", ann, json={})
        far: dict[str, Any] = {**FAR, "satisfaction": 0.1, "diversity": 0.1}
        made = await office.ask("POST", "/v1/policies", ann, json={**EDIT, "weights": far})
        yield running, office, f"/policies/{made.json()['policy_id']}"
    await database.aclose()


@pytest.mark.parametrize(
    ("role", "scenario", "edits", "approves"),
    [
        (Role.VIEWER, None, False, False),
        (Role.EDITOR, None, True, False),
        (Role.APPROVER, None, True, True),
        (Role.APPROVER, HERE, True, True),
        (Role.VIEWER, HERE, False, False),
    ],
)
async def test_a_role_is_shown_what_it_may_do(
    setup: Setup, role: Role, scenario: str | None, *, edits: bool, approves: bool
) -> None:
    async with at_work(setup) as (running, office, path):
        token = await office.token(Grant(role=role, scenario=scenario), name="li")
        li = await running.with_token(token.text)
        page = await li.see(path)
        assert page.status == 200
        assert page.offers(f"{path}/review-request") is edits
        assert page.offers(f"{path}/review") is approves
        page = await li.see(WHOLE)
        assert (f"{WHOLE}?change=1#change" in page.links) is edits
        assert (f"{WHOLE}/freeze" in page.links) is approves
        page = await li.see("/audit")
        assert ("/audit/verification" in page.links) is (scenario is None)


async def test_what_is_sent_all_the_same_is_refused(setup: Setup) -> None:
    async with at_work(setup) as (running, office, path):
        vic = await running.with_token((await office.token(Grant(role=Role.VIEWER), name="vic")).text)
        await vic.see(path)
        sent = {
            "csrf": vic.http.cookies["reward_llm_csrf"],
            "reason": "mine",
            "frozen": "true",
            "decision": "approve",
        }
        for form in (
            f"{path}/review",
            f"{path}/activation",
            f"{path}/withdrawal",
            f"{WHOLE}/freeze",
            f"{WHOLE}/rollback",
        ):
            response = await vic.http.post(form, data=sent)
            assert response.status_code == 403, form
            assert "You may not do that" in response.text
        root = await office.token(ADMIN, name="root")
        assert (await office.ask("GET", f"/v1{path}", root)).json()["state"] == "draft"
        assert (await office.ask("GET", "/v1/weights/home_feed", root)).json()["rule"] == "scenario"


async def test_a_comment_outlives_the_session_that_it_was_written_in(setup: Setup) -> None:
    async with at_work(setup) as (running, office, path):
        li = await running.with_token((await office.token(Grant(role=Role.APPROVER), name="li", days=1)).text)
        seen = await li.see(path)
        running.desk.clock.advance(timedelta(days=2).total_seconds())
        page = await li.send(seen, f"{path}/review", decision="approve", comment="Within what we agreed.")
        assert page.status == 401
        assert "Within what we agreed." in page.text
        again = await office.token(Grant(role=Role.APPROVER), name="li-again")
        await li.send(await li.see("/sign-in"), "/sign-in", token=again.text)
        page = await li.send(page, f"{path}/review")
        assert "Your approval is recorded." in page.text
        assert "Within what we agreed." in page.text
