"""Estimates against exact enumeration of everything that a small log could have been."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.errors import LogUnusable
from reward_llm.feedback.offpolicy.decisions import LoggedDecisions
from reward_llm.feedback.offpolicy.direct import cross_fitted
from reward_llm.feedback.offpolicy.estimators import OffPolicyEstimate, doubly_robust, ips, snips

CONTEXT = (0.3, 0.7)
LOGGING = ((0.5, 0.3, 0.2), (0.1, 0.6, 0.3))
TARGET = ((0.1, 0.1, 0.8), (0.7, 0.3, 0.0))
CLICK = ((0.1, 0.5, 0.3), (0.8, 0.2, 0.9))
WRONG = ((0.9, 0.0, 0.2), (0.1, 0.4, 0.6))
"""A model of clicks that is far off."""
TRUE = sum(CONTEXT[x] * p * click for x in range(2) for p, click in zip(TARGET[x], CLICK[x], strict=True))
Outcome = tuple[int, int, int]


def outcomes() -> list[tuple[float, Outcome]]:
    """Every context, action and reward, with its probability."""
    found = []
    for x, a, r in itertools.product(range(2), range(3), range(2)):
        chance = CONTEXT[x] * LOGGING[x][a] * (CLICK[x][a] if r else 1 - CLICK[x][a])
        found.append((chance, (x, a, r)))
    return found


def logs(size: int) -> Iterator[tuple[float, list[Outcome]]]:
    for combination in itertools.product(outcomes(), repeat=size):
        yield math.prod(p for p, _ in combination), [o for _, o in combination]


def logged(rows: list[Outcome]) -> LoggedDecisions:
    return LoggedDecisions(
        np.array([float(r) for _, _, r in rows]),
        np.array([LOGGING[x][a] for x, a, _ in rows]),
        np.array([TARGET[x][a] for x, a, _ in rows]),
    )


def robust(rows: list[Outcome], model: tuple[tuple[float, ...], ...] = WRONG) -> OffPolicyEstimate:
    predicted = np.array([model[x][a] for x, a, _ in rows])
    expected = np.array([sum(p * q for p, q in zip(TARGET[x], model[x], strict=True)) for x, _, _ in rows])
    return doubly_robust(logged(rows), predicted, expected)


@pytest.mark.parametrize("estimator", [lambda rows: ips(logged(rows)), robust])
def test_unbiased_estimates_are_right_on_average_over_all_logs(
    estimator: Callable[[list[Outcome]], OffPolicyEstimate],
) -> None:
    for size in (1, 2):
        mean = math.fsum(chance * estimator(rows).value for chance, rows in logs(size))
        assert mean == pytest.approx(TRUE, abs=1e-12)


def test_snips_is_biased_by_less_the_longer_the_log() -> None:
    def bias(size: int) -> float:
        told = [(p, rows) for p, rows in logs(size) if logged(rows).target_N.any()]
        all_of_them = math.fsum(p for p, _ in told)
        return math.fsum(p * snips(logged(rows)).value for p, rows in told) / all_of_them - TRUE

    assert abs(bias(4)) < abs(bias(2)) < abs(bias(1))


def test_the_variance_of_an_interval_is_right_on_average() -> None:
    """The squared half width over Z^2 is unbiased for the variance over all logs, for IPS and for DR."""
    for estimator in (lambda rows: ips(logged(rows)), robust):
        told = [(p, estimator(rows)) for p, rows in logs(2)]
        true = math.fsum(p * (e.value - TRUE) ** 2 for p, e in told)
        claimed = math.fsum(p * ((e.high - e.value) / 1.959963985) ** 2 for p, e in told)
        assert claimed == pytest.approx(true, rel=1e-9)


def drawn(size: int, seed: int) -> list[Outcome]:
    table = outcomes()
    draw = np.random.default_rng(seed)
    return [table[n][1] for n in draw.choice(len(table), size, p=[p for p, _ in table])]


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = np.zeros(3)
    for seed in range(400):
        rows = drawn(500, seed)
        covered += [e.covers(TRUE) for e in (ips(logged(rows)), snips(logged(rows)), robust(rows))]
    assert (abs(covered / 400 - 0.95) < 0.035).all()


def test_a_good_model_makes_the_doubly_robust_interval_the_narrowest() -> None:
    rows = drawn(4_000, 1)
    context, action, reward = (np.array(column) for column in zip(*rows, strict=True))
    predicted, expected = cross_fitted(
        context, action, reward.astype(float), np.array(TARGET), np.random.default_rng(0)
    )
    found = doubly_robust(logged(rows), predicted, expected)
    assert found.high - found.low < ips(logged(rows)).high - ips(logged(rows)).low
    assert found.covers(TRUE)
    assert predicted == pytest.approx(np.array([CLICK[x][a] for x, a, _ in rows]), abs=0.12)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 1)), min_size=2, max_size=30))
def test_the_logging_policy_itself_is_estimated_by_the_mean(rows: list[Outcome]) -> None:
    own = logged(rows)
    own = LoggedDecisions(own.reward_N, own.propensity_N, own.propensity_N)
    for found in (ips(own), snips(own)):
        assert found.value == pytest.approx(own.reward_N.mean())
        assert found.effective == pytest.approx(len(rows))


def test_decisions_that_the_target_never_makes_are_worth_nothing() -> None:
    rows = [(1, 2, 1), (1, 2, 0)]
    assert ips(logged(rows)).value == 0
    assert not ips(logged(rows)).is_reliable
    with pytest.raises(LogUnusable, match="none of the logged decisions"):
        snips(logged(rows))


@pytest.mark.parametrize(
    "log",
    [
        ([], [], []),
        ([1], [0.5, 0.5], [1]),
        ([1], [0], [1]),
        ([1], [1.5], [1]),
        ([1], [1], [2]),
        ([math.inf], [1], [1]),
    ],
)
def test_logs_that_tell_nothing_are_refused(log: tuple[list[float], ...]) -> None:
    columns = [np.array(part, float) for part in log]
    with pytest.raises(LogUnusable):
        LoggedDecisions(*columns)


def test_a_model_needs_a_decision_for_each_fold_and_actions_that_the_target_knows() -> None:
    draw = np.random.default_rng(0)
    zero, reward = np.zeros(8, int), np.zeros(8)
    with pytest.raises(LogUnusable, match="too few"):
        cross_fitted(zero[:3], zero[:3], reward[:3], np.array(TARGET), draw)
    with pytest.raises(LogUnusable, match="outside"):
        cross_fitted(zero, zero + 3, reward, np.array(TARGET), draw)
    with pytest.raises(LogUnusable, match="as many predictions"):
        doubly_robust(logged([(0, 0, 1)]), reward, reward)
