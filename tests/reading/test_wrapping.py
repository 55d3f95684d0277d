from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.reading.wrapping import without_code, without_json

words = st.text("abc 点击率", min_size=1).filter(str.strip)


@given(st.dictionaries(words, words | st.integers() | st.none() | st.lists(words), min_size=1))
def test_only_the_string_values_of_a_document_are_left_and_in_their_place(document: dict[str, object]) -> None:
    text = json.dumps(document, ensure_ascii=False)
    left = without_json(text)
    strings = [s for v in document.values() for s in (v if isinstance(v, list) else [v]) if isinstance(s, str)]
    assert left.split() == " ".join(strings).split()
    assert len(left) == len(text)
    assert all(a in (b, " ") for a, b in zip(left, text, strict=True))


@pytest.mark.parametrize(
    "text", ["raise CTR", "[urgent] raise CTR", "{{ goal }}", '{"goal": "raise CTR"', "", "{" * 9_000]
)
def test_what_is_no_document_stays_as_it_is(text: str) -> None:
    assert without_json(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('<p class="x">raise CTR</p><br/>', "raise CTR"),
        ("点击率&nbsp;拉起来<!-- 618 -->", "点击率 拉起来"),
        ("1' OR '1'='1'; DELETE FROM policies; -- more new sellers", "1 more new sellers"),
        ("SELECT * FROM users WHERE id = 1; raise gmv", "raise gmv"),
        ('"); drop table goals; -- opens to stay at 11%', "opens to stay at 11%"),
    ],
)
def test_markup_and_sql_are_blanked_around_a_goal(text: str, left: str) -> None:
    assert without_code(text).split() == left.split()
    assert len(without_code(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "CTR < 5% and GMV > 3, a<b and c>d",
        "please select good items from new sellers; don't drop the table stakes",
        "R&D; we don't; ok -- 多推新品",
        "update the mix and set cold start to 20%;",
    ],
)
def test_plain_language_stays_as_it_is(text: str) -> None:
    assert without_code(text) == text


@given(st.text(st.sampled_from("<>/=a '\";-&OR\n"), max_size=300))
def test_nothing_moves_and_nothing_is_added(text: str) -> None:
    left = without_code(text)
    assert len(left) == len(text)
    assert all(a in (b, " ") for a, b in zip(left, text, strict=True))
