from __future__ import annotations

from reward_llm.reading.lexicon import Entry, Kind
from reward_llm.reading.matcher import Matcher


def found(text: str, *phrases: str) -> list[str]:
    matcher = Matcher.of(Entry(p, Kind.GOOD, "u") for p in phrases)
    return [text[m.span.start : m.span.end] for m in matcher.find(text)]


def test_the_longest_phrase_wins() -> None:
    assert found("次日留存率", "留存", "次日留存") == ["次日留存"]


def test_english_phrases_match_whole_words_with_their_plural() -> None:
    assert found("clicks, clickers, click", "click") == ["clicks", "click"]


def test_english_and_chinese_need_no_space_between() -> None:
    assert found("首页ctr提升", "ctr") == ["ctr"]


def test_a_gap_spans_a_few_characters_of_the_clause() -> None:
    assert found("排在店播前面", "排在…前面|之前") == ["排在店播前面"]
    assert found("排在店播，前面", "排在…前面|之前") == []
    assert found("第一，其次第二", "第一……第二") == ["第一，其次第二"]


def test_what_stands_in_a_gap_is_found_too() -> None:
    assert found("don't let retention slide", "don't let…slide", "retention") == [
        "don't let retention slide",
        "retention",
    ]
