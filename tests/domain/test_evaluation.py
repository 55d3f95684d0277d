from __future__ import annotations

import pytest

from reward_llm.domain.evaluation import Reason, reason_of
from reward_llm.domain.serving import Rule


@pytest.mark.parametrize(
    ("rule", "percent", "reason"),
    [
        (Rule.FROZEN, None, Reason.DISABLED),
        (Rule.DEFAULT, None, Reason.DEFAULT),
        (Rule.SCENARIO, 30.0, Reason.SPLIT),
        (Rule.SEGMENT, 30.0, Reason.SPLIT),
        (Rule.SEGMENT, 100.0, Reason.TARGETING_MATCH),
        (Rule.SCENARIO, 100.0, Reason.STATIC),
    ],
)
def test_every_rule_has_its_reason_and_old_weights_theirs(rule: Rule, percent: float | None, reason: Reason) -> None:
    assert reason_of(stale=False, rule=rule, percent=percent) is reason
    assert reason_of(stale=True, rule=rule, percent=percent) is Reason.STALE
