"""The form that proposes a controller."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reward_llm.api import ApiConfig
from reward_llm.console import ConsoleConfig
from reward_llm.console.in_force import bases
from reward_llm.domain.access import AccessMode, Grant, Role
from reward_llm.store.access import SqlAccess
from reward_llm.store.database import Database
from tests.api.callers import Office
from tests.api.harness import EDIT, Setup
from tests.console.harness import Console, Page
from tests.console.harness import console as pages

CONTROLLERS = "/controllers"
FORM = {
    "name": "a fifth",
    "exposure.metric": "cold_start_share",
    "exposure.setpoint": "0.2",
    "exposure.window": "5m",
    "exposure.least_events": "50",
    "utility": "cold_start",
    "envelope.min": "0.02",
    "envelope.max": "0.2",
    "slew": "0.02",
    "gains.proportional": "0.2",
    "gains.integral": "0.05",
    "dead_band": "0.01",
    "period_s": "60",
    "stale_after_s": "180",
    "reason": "new creators need a start",
}
WIDE = {**FORM, "envelope.max": "0.3"}
ITEM = {"scenario": "home_feed", "segment": None}
POLICY = {"policy_id": "pol_1", "version": 1, "weights": {}, "source": "human"}
RUNS = {**POLICY, "activation": 1, "percent": 100.0, "start": "2026-06-18T00:00:00+00:00", "end": None}


async def in_force(console: Console, segment: str | None = None, **changes: Any) -> str:
    policy: str = (await console.desk.edit(segment=segment, **changes))["policy_id"]
    assert (await console.desk.activate(policy)).status_code == 200
    return policy


async def on_record(console: Console, page: Page) -> dict[str, Any]:
    answer = await console.desk.client.get(f"/v1{page.path.partition('?')[0]}")
    assert answer.status_code == 200, page.text
    one: dict[str, Any] = answer.json()
    return one


def beside(page: Page, field: str) -> str:
    """What stands beside a field that it says is wrong with it."""
    control = re.search(rf'<(?:input|select) id="{re.escape(field)}"[^>]*>', page.html)
    assert control, field
    if 'aria-invalid="true"' not in control[0]:
        return ""
    assert f"{field}-wrong" in control[0]
    said = re.search(rf'<p class="wrong" id="{re.escape(field)}-wrong">([^<]*)</p>', page.html)
    assert said, field
    return said[1]


@pytest.mark.parametrize(("language", "state"), [("en", "running"), ("zh", "运行中")])
async def test_what_was_written_is_the_plan_that_runs(console: Console, language: str, state: str) -> None:
    policy = await in_force(console)
    ann = await console.browser("ann", language)
    page = await ann.send(await ann.see(CONTROLLERS), CONTROLLERS, **FORM)
    assert state in page.text
    one = await on_record(console, page)
    assert (one["scenario"], one["segment"], one["base_policy"], one["name"]) == (
        "home_feed",
        None,
        policy,
        "a fifth",
    )
    assert one["plan"] == {
        "utility": "cold_start",
        "target": {
            "kind": "exposure",
            "metric": "cold_start_share",
            "setpoint": 0.2,
            "window": "5m",
            "least_events": 50,
        },
        "gains": {"proportional": 0.2, "integral": 0.05, "derivative": 0.0},
        "envelope": {"min": 0.02, "max": 0.2},
        "slew": 0.02,
        "dead_band": 0.01,
        "period_s": 60.0,
        "stale_after_s": 180.0,
    }


async def test_sending_it_twice_proposes_one(console: Console) -> None:
    await in_force(console)
    ann = await console.browser()
    page = await ann.see(CONTROLLERS)
    first, second = [await ann.send(page, CONTROLLERS, **FORM) for _ in range(2)]
    assert first.path == second.path
    assert len((await console.desk.client.get("/v1/controllers")).json()["items"]) == 1


async def test_what_is_left_empty_is_as_the_interface_has_it(console: Console) -> None:
    await in_force(console)
    ann = await console.browser()
    usual = ("name", "exposure.window", "slew", "gains.integral", "dead_band", "period_s", "stale_after_s")
    page = await ann.send(await ann.see(CONTROLLERS), CONTROLLERS, **{**FORM, **dict.fromkeys(usual, "")})
    plan = (await on_record(console, page))["plan"]
    assert plan["target"]["window"] == "15m"
    assert (plan["slew"], plan["dead_band"], plan["period_s"], plan["stale_after_s"]) == (0.02, 0.0, 300.0, 600.0)


async def test_a_wide_envelope_waits_until_somebody_else_approves_of_it(console: Console) -> None:
    await in_force(console)
    ann, li = await console.browser("ann"), await console.browser("li")
    page = await ann.send(await ann.see(CONTROLLERS), CONTROLLERS, **WIDE)
    assert "waits for approval" in page.text
    granted = await li.send(await li.see(page.path), f"{page.path}/approval", comment="fine")
    assert "The controller is approved." in granted.text
    assert (await on_record(console, page))["state"] == "running"


@pytest.mark.parametrize(
    ("written", "field", "told"),
    [
        ({"exposure.setpoint": ""}, "exposure.setpoint", "Field required"),
        ({"exposure.setpoint": "a fifth"}, "exposure.setpoint", "valid number"),
        ({"exposure.setpoint": "1e999"}, "exposure.setpoint", "valid number"),
        ({"period_s": "nan"}, "period_s", "valid integer"),
        ({"exposure.window": "2y"}, "exposure.window", "isn&#39;t a window"),
        ({"exposure.least_events": "1.5"}, "exposure.least_events", "valid integer"),
        ({"exposure.metric": "gmv"}, "exposure.metric", "a total is paced, as a quota"),
        ({"utility": "joy"}, "utility", "no such utility"),
        ({"envelope.min": "0.15", "envelope.max": "0.2"}, "envelope.min", "which must lie in the envelope"),
        ({"envelope.max": "2"}, "envelope.max", "less than or equal to 1"),
        ({"gains.proportional": "0", "gains.integral": ""}, "gains.proportional", "not all 0"),
        ({"slew": "0"}, "slew", "greater than 0"),
        ({"period_s": "5"}, "period_s", "greater than or equal to 60"),
        ({"reason": ""}, "reason", "Field required"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field_and_what_was_written_stays(
    console: Console, written: dict[str, str], field: str, told: str
) -> None:
    await in_force(console)
    ann = await console.browser()
    sent = {**FORM, **written}
    page = await ann.send(await ann.see(CONTROLLERS), CONTROLLERS, **sent)
    assert page.status == 422
    assert told in beside(page, field)
    assert not beside(page, "name")
    kept = dict(page.form(CONTROLLERS).filled())
    offered = {name: value for name, value in sent.items() if value and name not in {"utility", "exposure.metric"}}
    assert offered.items() <= kept.items()
    assert not (await console.desk.client.get("/v1/controllers")).json()["items"]


async def test_two_that_are_wrong_are_both_told_on_a_chinese_page(console: Console) -> None:
    await in_force(console)
    ann = await console.browser("小王", "zh")
    written = {**FORM, "utility": "joy", "exposure.window": "x"}
    page = await ann.send(await ann.see(CONTROLLERS), CONTROLLERS, **written)
    assert "这个控制器无法运行" in page.text
    assert beside(page, "utility")
    assert beside(page, "exposure.window")


async def test_a_policy_that_came_into_force_meanwhile_is_shown_before_it_is_used(console: Console) -> None:
    await in_force(console)
    ann = await console.browser()
    page = await ann.see(CONTROLLERS)
    now = await in_force(console, reason="another one")
    page = await ann.send(page, CONTROLLERS, **FORM)
    assert page.status == 409
    assert f"{now} is in force" in page.text
    made = await ann.send(page, CONTROLLERS)
    assert (await on_record(console, made))["base_policy"] == now


async def test_a_second_one_in_the_scope_is_refused_and_stays_in_the_form(console: Console) -> None:
    await in_force(console)
    ann = await console.browser()
    await ann.send(await ann.see(CONTROLLERS), CONTROLLERS, **FORM)
    page = await ann.send(await ann.see(CONTROLLERS), CONTROLLERS, **{**FORM, "name": "another"})
    assert page.status == 409
    assert "Another controller has this scope" in page.text
    assert dict(page.form(CONTROLLERS).filled())["name"] == "another"


async def test_of_several_scopes_one_is_chosen_by_a_link(console: Console) -> None:
    await in_force(console)
    policy = await in_force(console, "new_user")
    ann = await console.browser()
    page = await ann.see(CONTROLLERS)
    link = "/controllers?scope=home_feed/new_user#new"
    assert link in page.links
    page = await ann.send(await ann.see(link), CONTROLLERS, **WIDE)
    one = await on_record(console, page)
    assert (one["segment"], one["base_policy"]) == ("new_user", policy)


@pytest.mark.parametrize(("language", "told"), [("en", "A controller needs a policy"), ("zh", "控制器需要一个")])
async def test_where_people_put_nothing_into_force_the_page_says_that_it_takes_that(
    console: Console, language: str, told: str
) -> None:
    ann = await console.browser("ann", language)
    page = await ann.see(CONTROLLERS)
    assert told in page.text
    assert not page.offers(CONTROLLERS)


@pytest.mark.parametrize(
    ("role", "scenario", "offers"),
    [(Role.VIEWER, None, False), (Role.EDITOR, None, True), (Role.EDITOR, "home_feed", True)],
)
async def test_who_may_not_edit_is_shown_no_form(
    setup: Setup, role: Role, scenario: str | None, offers: bool
) -> None:
    database = Database.open(setup.url)
    config = ApiConfig(access=AccessMode.TOKENS)
    async with pages(setup, ConsoleConfig(is_open=False), config=config) as running:
        office = Office(desk=running.desk, access=SqlAccess(database))
        ann = await office.token(Grant(role=Role.EDITOR), name="ann")
        policy = (await office.ask("POST", "/v1/policies", ann, json=EDIT)).json()["policy_id"]
        await office.ask("POST", f"/v1/policies/{policy}/activation", ann, json={})
        token = await office.token(Grant(role=role, scenario=scenario), name="li")
        page = await (await running.with_token(token.text)).see(CONTROLLERS)
        assert page.path == CONTROLLERS
        assert page.offers(CONTROLLERS) is offers
        assert "A controller needs a policy" not in page.text
    await database.aclose()


@pytest.mark.parametrize(
    ("activations", "found"),
    [
        ([], False),
        ([RUNS], True),
        ([{**RUNS, "percent": 50.0}, RUNS], False),
        ([{**RUNS, "source": "controller"}], False),
        ([{**RUNS, "start": "2026-06-19T00:00:00+00:00"}], False),
        ([{**RUNS, "end": "2026-06-18T06:00:00+00:00"}], False),
        ([{**RUNS, "start": "2026-06-19T00:00:00+00:00", "percent": 50.0}, RUNS], True),
    ],
)
def test_a_base_is_what_people_put_into_force_for_everybody(activations: list[dict[str, Any]], found: bool) -> None:
    snapshot = {"as_of": "2026-06-18T12:00:00+00:00", "items": [{**ITEM, "activations": activations}]}
    assert bases(snapshot) == ([{**RUNS, **ITEM}] if found else [])
