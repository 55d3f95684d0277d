from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.reading.text import normalise


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ＣＴＲ　提升　１５％", "ctr提升15%"),
        ("raise C T R and G.M.V", "raise ctr and gmv"),
        ("点 击 率", "点击率"),
        ("re\u200btention", "retention"),
        ("負評要減少", "负评要减少"),
        ("Raise  CTR", "raise ctr"),
        ("提升，保持", "提升，保持"),
    ],
)
def test_writing_habits_are_folded(written: str, read: str) -> None:
    assert normalise(written).text == read


def test_a_place_leads_back_to_what_was_written() -> None:
    text = "请把 Ｃ Ｔ Ｒ 提升"
    normalised = normalise(text)
    start = normalised.text.index("ctr")

    assert normalised.original(start, start + 3).of(text) == "Ｃ Ｔ Ｒ"


@given(st.text())
def test_every_character_knows_its_place(text: str) -> None:
    normalised = normalise(text)

    assert len(normalised.text) == len(normalised.offsets)
    assert all(0 <= offset < len(text) for offset in normalised.offsets)
    assert list(normalised.offsets) == sorted(normalised.offsets)
