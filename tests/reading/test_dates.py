from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.reading.dates import find_windows

NOW = datetime(2026, 5, 20, 9, 30, tzinfo=timezone(timedelta(hours=8)))
"""A Wednesday."""


def windows(text: str) -> list[tuple[str, str | None, str | None]]:
    return [
        (
            found.span.of(text),
            found.window.valid_from.date().isoformat() if found.window.valid_from else None,
            found.window.valid_until.date().isoformat() if found.window.valid_until else None,
        )
        for found in find_windows(text, NOW)
    ]


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("618", "2026-06-18", "2026-06-19"),
        ("双11", "2026-11-11", "2026-11-12"),
        ("双12前", None, "2026-12-12"),
        ("国庆", "2026-10-01", "2026-10-08"),
        ("春节", "2027-02-06", "2027-02-13"),
        ("Black Friday", "2026-11-27", "2026-11-28"),
        ("Cyber Monday", "2026-11-30", "2026-12-01"),
        ("Christmas", "2026-12-25", "2026-12-26"),
        ("Q4", "2026-10-01", "2027-01-01"),
        ("第四季度", "2026-10-01", "2027-01-01"),
        ("H1", "2026-01-01", "2026-07-01"),
        ("年底前", None, "2027-01-01"),
        ("月底", None, "2026-06-01"),
        ("11月底", None, "2026-12-01"),
        ("by the end of Q3", None, "2026-10-01"),
        ("本周", "2026-05-18", "2026-05-25"),
        ("下周三", "2026-05-27", "2026-05-28"),
        ("next week", "2026-05-25", "2026-06-01"),
        ("this month", "2026-05-01", "2026-06-01"),
        ("下个月", "2026-06-01", "2026-07-01"),
        ("until Friday", None, "2026-05-23"),
        ("next Friday", "2026-05-29", "2026-05-30"),
        ("by March 31", None, "2027-04-01"),
        ("before June 18", None, "2026-06-18"),
        ("since 1 June", "2026-06-01", None),
        ("May 20", "2026-05-20", "2026-05-21"),
        ("2026年11月3日", "2026-11-03", "2026-11-04"),
        ("2026年11月3日起", "2026-11-03", None),
        ("11月3日-11月11日", "2026-11-03", "2026-11-12"),
        ("11月3日-11日", "2026-11-03", "2026-11-12"),
        ("11月3日至11月11日", "2026-11-03", "2026-11-12"),
        ("Nov 3 to Nov 11", "2026-11-03", "2026-11-12"),
        ("4–6 Nov", "2026-11-04", "2026-11-07"),
        ("2026-11-03到2026-11-11", "2026-11-03", "2026-11-12"),
    ],
)
def test_a_window_is_read_as_it_is_meant(text: str, since: str | None, until: str | None) -> None:
    assert windows(text) == [(text, since, until)]


def test_the_last_one_is_the_one_before() -> None:
    assert windows("last Black Friday") == [("Black Friday", "2025-11-28", "2025-11-29")]


def test_dates_stand_where_they_were_written() -> None:
    assert windows("ＧＭＶ 冲 １１ 月 ３ 日 前")[0][0] == "１１ 月 ３ 日 前"


@pytest.mark.parametrize(
    "text", ["2月30日", "31 Feb", "618万", "GMV 11.11%", "it may rise", "99月", "12/25", "9999-01-01"]
)
def test_what_is_no_date_is_left_alone(text: str) -> None:
    assert windows(text) == []


def test_moments_carry_the_callers_time_zone() -> None:
    [found] = find_windows("618", NOW)

    assert found.window.valid_from is not None
    assert found.window.valid_from.utcoffset() == timedelta(hours=8)


DATE_PIECES = [
    *("618", "双11", "Q4", "H1", "年底", "本周", "next week", "until ", "before ", "June 18", "31 ", "11月", "3日"),
    *("2026年", "-", "到", "Friday", "by ", "from ", "2月30日", "春节", "end of ", "month", "99月"),
]
DATEISH = st.lists(st.sampled_from(DATE_PIECES), max_size=12).map("".join)


@given(
    st.one_of(DATEISH, st.text()), st.datetimes(datetime(2001, 1, 1), datetime(2098, 1, 1), timezones=st.just(UTC))
)
@settings(deadline=None, max_examples=60)
def test_any_text_at_any_time_gives_windows_within_it(text: str, now: datetime) -> None:
    for found in find_windows(text, now):
        assert 0 <= found.span.start < found.span.end <= len(text)
