"""A cut in variety that wins clicks on its first day and loses users in its second week, in the market simulator.

The market differs from the usual one in what `weary` says: repetition doesn't put off at once, but tires a little
with every page, and that outlasts the night. Otherwise a cut in variety would lose from the first day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from reward_llm.agents.allocation import MarketView, Slates, StepOutcome
from reward_llm.agents.baselines.filling import fill
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.play import warm_up
from reward_llm.agents.simulation.run import market_of
from reward_llm.domain.events import Event, EventType
from reward_llm.domain.experiments import Experiment, Guardrail, Look
from reward_llm.domain.metrics import DAY, Metric
from reward_llm.domain.weights import Weights
from tests.loop.experiments.worlds import FEED, PLAN, World, world

BEFORE: Final = 7
"""Days on the control, for which CUPED looks back."""
REPETITION: Final = (0.3, 0.0)
"""What each item of a topic costs those after it in a slate: on the control, and on the treatment."""
DESIGN: Final = replace(
    PLAN,
    guardrails=(Guardrail(metric=Metric.NEXT_DAY_RETENTION, margin=0.02),),
    min_days=7,
    max_days=10,
    holdout_days=14,
    pre_days=BEFORE,
)


def weary(config: MarketConfig) -> MarketConfig:
    """The market with a weariness that gathers over days."""
    return replace(
        config,
        clicks=replace(config.clicks, crowd=config.scale.slate + 1, fatigue=0.0),
        tastes=replace(config.tastes, boredom=3 * config.tastes.recent),
        moods=replace(config.moods, fatigue_gain=0.008, fatigue_recovery=0.004, fatigue_overnight=0.98),
        visits=replace(config.visits, back_fatigue=2.5, back_variety=0.0, leave_fatigue=0.0),
    )


async def late(folder: Path, users: int, seed: int) -> dict[str, Any]:
    """What an experiment on the cut saw day by day, and when it was rolled back."""
    config = weary(market_of(users, BEFORE + DESIGN.most_days))
    served = Weights({"click": 1.0})
    market = Market(config, seed=seed, weights=lambda: served)
    warm_up(market)
    async with world(f"sqlite:///{folder / 'world.db'}") as here:
        run = _Run(here, market)
        for _ in range(BEFORE):
            await run.day(None)
        plan = replace(DESIGN, treatment=(await here.policy()).policy_id)
        planned = await here.laboratory.create(plan, here.act())
        experiment = await here.laboratory.start(planned.id, here.act("less variety"))
        while experiment.ended_at is None and not market.over:
            await run.day(experiment)
            experiment = await here.laboratory.experiment(experiment.id)
        return {
            "users": users,
            "state": experiment.state.value,
            "outcome": experiment.outcome,
            "held_out_since": experiment.held_out_since,
            "ended_on_day": experiment.looks[-1].day,
            "days": [_row(look) for look in experiment.looks],
            "clicks_won_on_day_1": run.first,
        }


@dataclass(slots=True)
class _Run:
    """The days of a market, told as events."""

    here: World
    market: Market
    first: float | None = None

    async def day(self, experiment: Experiment | None) -> None:
        """Let a day pass, tell its events, and look at it if something is tried."""
        treated, names = self._arms(experiment)
        if self.market.present().size == 0:
            self.market.begin_day()
        visited, events = set(self.market.present().tolist()), []
        shown, clicks = np.zeros(2), np.zeros(2)
        while len(users := self.market.present()):
            for arm in (0, 1):
                chosen = users[treated[users] == arm]
                if len(chosen):
                    outcome = self.market.step(_slates(self.market.view(), chosen, REPETITION[arm]), chosen)
                    shown[arm] += outcome.item_BN.size
                    clicks[arm] += outcome.clicked_BN.sum()
                    events += _told(outcome, names[arm], self.here)
        self.market.end_day()
        if experiment is not None and self.first is None:
            self.first = float(clicks[1] / shown[1] / (clicks[0] / shown[0]) - 1)
        events += [self._session(user, names[int(treated[user])]) for user in visited]
        self.here.clock.now += DAY
        for start in range(0, len(events), 50_000):
            await self.here.metrics.publish(events[start : start + 50_000])
        self.here.clock.now += timedelta(hours=1)
        await self.here.laboratory.look()
        self.here.clock.now -= timedelta(hours=1)

    def _arms(self, experiment: Experiment | None) -> tuple[np.ndarray, tuple[str, str]]:
        """Who is treated, as whoever asks for weights is told, and by which policies."""
        count = len(self.market.users.records.first_day_U)
        now, board = self.here.clock(), self.here.board
        served = [board.lookup(FEED, now, f"u{user}").policy.policy_id for user in range(count)]
        control = board.lookup(FEED, now).policy.policy_id
        treatment = experiment.plan.treatment if experiment else control
        treated = np.array([policy == treatment and experiment is not None for policy in served], dtype=int)
        return treated, (control, treatment)

    def _session(self, user: int, policy: str) -> Event:
        now = self.here.clock()
        return Event(
            event_id=f"s{now.timestamp():.0f}-{user}",
            type=EventType.SESSION,
            at=now + timedelta(seconds=1),
            scenario=FEED.scenario,
            user=f"u{user}",
            policy_id=policy,
        )


def _slates(view: MarketView, users: np.ndarray, repetition: float) -> Slates:
    """The items whose topics the users click most, by the items' own rate of clicks; copies cost `repetition`."""
    facts, items = view.users, view.items
    liking = (facts.clicked_UT[users] + 1) / (facts.shown_UT[users] + 10)
    rate = (items.clicks_I + 5) / (items.impressions_I + 50)
    score = (liking @ items.topic_IT.T) * rate / rate.mean() / liking.mean()
    return Slates.plain(fill(score.astype(np.float32), items.category_I, view.slate, repetition))


def _told(outcome: StepOutcome, policy: str, here: World) -> Iterator[Event]:
    at = here.clock() + timedelta(minutes=1 + outcome.step)
    for row, user in enumerate(outcome.users_B.tolist()):
        about = {"scenario": FEED.scenario, "user": f"u{user}", "policy_id": policy, "at": at}
        for slot, item in enumerate(outcome.item_BN[row].tolist()):
            name = f"{at.timestamp():.0f}-{user}-{slot}"
            yield Event(event_id=f"i{name}", type=EventType.IMPRESSION, item=f"i{item}", **about)
            if outcome.clicked_BN[row, slot]:
                yield Event(event_id=f"c{name}", type=EventType.CLICK, item=f"i{item}", **about)


def _row(look: Look) -> dict[str, Any]:
    shown: dict[str, Any] = {"day": look.day, "units": look.control_units + look.treatment_units}
    for m in look.measurements:
        if m.difference is not None and m.control and m.low is not None and m.high is not None:
            ends = [round(x / m.control, 4) for x in (m.difference, m.low, m.high)]
            shown[f"{m.metric.value}_{m.span}"] = [*ends, m.standing]
    return {**shown, "decision": look.decision.value}
