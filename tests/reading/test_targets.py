from __future__ import annotations

import pytest

from reward_llm.domain.interpretation import Span
from reward_llm.reading.numbers import find_quantities
from reward_llm.reading.targets import target_for


def target(text: str, *words: str) -> float | None:
    spans = [Span(text.index(w), text.index(w) + len(w)) for w in words]
    found = target_for(spans, find_quantities(text), text)
    return found.value if found else None


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("GMV目标1亿，次日留存不低于65%", ["GMV"], 1e8),
        ("GMV目标1亿，次日留存不低于65%", ["留存"], 0.65),
        ("首页点击率要从4.1%拉到5%", ["点击率"], 0.05),
        ("Lift CTR from 3% to 4% in June", ["Lift", "CTR"], 0.04),
        ("DAU/MAU 0.22 → 0.30", ["DAU/MAU"], 0.3),
        ("Raise CTR 5% and GMV 10%", ["Raise", "CTR"], 0.05),
        ("Raise CTR 5% and GMV 10%", ["Raise", "GMV"], 0.1),
        ("Get 20% more clicks", ["clicks"], 0.2),
        ("retention must not drop below 40% and complaints must not rise", ["complaints"], None),
        ("点击率提升5%并且降低投诉", ["投诉"], None),
        ("Raise CTR. Costs fell by 4%", ["CTR"], None),
    ],
)
def test_the_target_is_the_number_that_belongs_to_the_words(text: str, words: list[str], value: float | None) -> None:
    assert target(text, *words) == (None if value is None else pytest.approx(value))


def test_without_evidence_there_is_no_target() -> None:
    assert target_for((), find_quantities("15%"), "15%") is None
