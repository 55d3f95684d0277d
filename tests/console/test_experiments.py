"""The pages on experiments, over a real log of events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from reward_llm.domain.act import EXPERIMENTER, Act
from reward_llm.domain.loop import LoopKind
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from tests.api.harness import Setup
from tests.console import harness
from tests.console.harness import Console, Page
from tests.feedback.metrics.events import days

FORM = {"name": "Less variety", "primary": "gmv", "guardrail": "next_day_retention", "margin": "2"}


@pytest.fixture
async def console(setup: Setup) -> AsyncIterator[Console]:
    metrics = MetricsStore(open_logs(None, 1), setup.clock)
    async with harness.console(replace(setup, online=metrics)) as running:
        yield running
    await metrics.aclose()


async def planned(console: Console, language: str = "en") -> tuple[harness.Browser, Page]:
    policy = await console.desk.edit()
    ann = await console.browser("ann", language)
    page = await ann.see("/experiments")
    return ann, await ann.send(page, "/experiments", treatment=policy["policy_id"], **FORM)


@pytest.mark.parametrize(
    ("language", "empty", "running", "standing"),
    [
        ("en", "No experiment was planned yet", "running", "unclear"),
        ("zh", "还没有计划过实验", "进行中", "尚不明确"),
    ],
)
async def test_an_experiment_is_planned_started_looked_at_and_stopped(
    console: Console, language: str, empty: str, running: str, standing: str
) -> None:
    ann = await console.browser("ann", language)
    assert empty in (await ann.see("/experiments")).text
    ann, page = await planned(console, language)
    path = page.path.partition("?")[0]
    page = await ann.send(page, f"{path}/start", reason="go")
    assert running in page.text
    await live(console, path)
    page = await ann.see(path)
    assert page.html.count('class="chart plot"') == 2
    assert standing in page.text
    assert path in (await ann.see("/experiments")).links
    page = await ann.send(page, f"{path}/stop", reason="enough")
    assert not page.offers(f"{path}/stop")


async def live(console: Console, path: str) -> None:
    """Let two days pass, in which users do what they do anywhere."""
    desk = console.desk
    one = (await desk.client.get(f"/v1{path}")).json()
    desk.clock.advance(2 * 86_400)
    arms = {"pol_a": one["control"], "pol_b": one["treatment"]}
    events = days(4, users=500, count=2, until=desk.clock.now)
    services = desk.app.state.context.services
    await services.online.publish([replace(e, policy_id=arms[e.policy_id or ""]) for e in events])
    desk.clock.advance(3_700)
    await services.experiments.look()


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "a guardrail was violated: Next-day retention, last 7 days"), ("zh", "护栏指标被突破：次日留存")],
)
async def test_a_guardrail_that_was_violated_is_named(console: Console, language: str, told: str) -> None:
    ann, page = await planned(console, language)
    path = page.path.partition("?")[0]
    loop = console.desk.app.state.context.services.controllers
    record = await loop.record(LoopKind.EXPERIMENT, path.rpartition("/")[2])
    document = {**record.document, "outcome": "guardrail_next_day_retention_recent"}
    act = Act(actor=EXPERIMENTER, at=console.desk.clock())
    await loop.change(record, "rolled_back", act, state="rolled_back", document=document)
    for shown in (path, "/experiments"):
        assert told in (await ann.see(shown)).text


@pytest.mark.parametrize(("guardrail", "chosen"), [("", 0), ("ctr", 1)])
async def test_what_cant_be_run_keeps_its_guardrail(console: Console, guardrail: str, chosen: int) -> None:
    policy = await console.desk.edit()
    ann = await console.browser()
    values = {**FORM, "treatment": policy["policy_id"], "percent": "0", "guardrail": guardrail}
    page = await ann.send(await ann.see("/experiments"), "/experiments", **values)
    assert page.status == 422, "0 % isn't the usual half"
    assert page.html.count('<option value="ctr" selected>') == chosen
    assert '<option value="next_day_retention" selected>' not in page.html


async def test_what_cant_be_run_is_said_and_stays_in_the_form(console: Console) -> None:
    policy = await console.desk.edit()
    ann = await console.browser()
    page = await ann.see("/experiments")
    values = {**FORM, "treatment": policy["policy_id"], "percent": "100"}
    page = await ann.send(page, "/experiments", **values)
    assert page.status == 422
    assert "percent" in page.text
    assert 'value="Less variety"' in page.html


async def test_a_second_one_in_the_scope_is_refused_on_its_page(console: Console) -> None:
    ann, first = await planned(console)
    await ann.send(first, f"{first.path}/start")
    ann, second = await planned(console)
    page = await ann.send(second, f"{second.path}/start")
    assert page.status == 409
    assert "runs in home_feed" in page.text


async def test_where_there_are_no_experiments_the_page_says_what_is_missing(setup: Setup) -> None:
    async with harness.console(setup) as running:
        ann = await running.browser()
        page = await ann.see("/experiments")
    assert page.status == 503
    assert "reward-llm[metrics]" in page.text
