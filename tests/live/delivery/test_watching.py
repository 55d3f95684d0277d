from __future__ import annotations

from dataclasses import replace

import pytest

from tests.live.delivery.watching import BACK, GAP, MIX, Ledger, Sight, Watcher
from tests.live.delivery.writing import DEFAULTS, UTILITIES, Policy

ONE = Policy(policy_id="one", version=1, weights=DEFAULTS)
OTHER_WEIGHTS = DEFAULTS | {"click": 0.26, "gmv": 0.19}
TWO = Policy(policy_id="two", version=2, weights=OTHER_WEIGHTS)


def sight(policy: Policy = ONE, activation: int = 7, revision: int = 7) -> Sight:
    vector = [policy.weights[u] for u in UTILITIES]
    return Sight(
        segment=None, revision=revision, policy_id=policy.policy_id, version=policy.version,
        weights=policy.weights, vector=vector, activation=activation, stale=False,
    )  # fmt: skip


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(policies={p.policy_id: p for p in (ONE, TWO)})


def test_weights_that_go_forward_violate_nothing(ledger):
    watcher = Watcher("client 1", ledger)
    for seen in (sight(), sight(), sight(TWO, 8, 8), sight(ONE, 9, 9)):
        watcher.check(seen)
    ledger.activations |= {7: "one", 8: "two", 9: "one"}
    ledger.settle()
    assert not ledger.violations
    assert ledger.sights == {"client": 4}


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (None, GAP),
        (replace(sight(), stale=True), GAP),
        (replace(sight(), activation=None), GAP),
        (replace(sight(), policy_id="three"), MIX),
        (replace(sight(), version=2), MIX),
        (replace(sight(), weights=OTHER_WEIGHTS), MIX),
        (replace(sight(), vector=[1.0]), MIX),
        (sight(ONE, 6, 7), BACK),
        (sight(ONE, 7, 6), BACK),
        (sight(TWO, 7, 7), MIX),
    ],
)
def test_what_must_not_be_seen_is_told(ledger, seen, kind):
    watcher = Watcher("client 1", ledger)
    watcher.check(sight())
    watcher.check(seen)
    assert set(ledger.violations) >= {kind}
    assert ledger.examples[0].startswith(f"{kind}: client 1")


def test_an_activation_seen_with_another_policy_than_it_was_made_with_is_told(ledger):
    Watcher("client 1", ledger).check(sight(TWO, 7, 7))
    ledger.activations[7] = "one"
    ledger.settle()
    assert ledger.violations == {MIX: 1}


def test_a_reader_that_meets_another_server_may_see_less(ledger):
    watcher = Watcher("reader 1", ledger)
    watcher.check(sight(TWO, 8, 8))
    watcher.forget()
    watcher.check(sight())
    assert not ledger.violations
