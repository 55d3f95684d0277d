from __future__ import annotations

from itertools import pairwise

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.interpretation import Unit
from reward_llm.reading.number_words import chinese_number
from reward_llm.reading.numbers import find_quantities

COUNT, MONEY, PERCENT, POINTS, MULTIPLE = Unit.COUNT, Unit.MONEY, Unit.PERCENT, Unit.POINTS, Unit.MULTIPLE


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("GMV目标1亿", 1e8, COUNT),
        ("GMV1亿", 1e8, COUNT),
        ("3,500万", 3.5e7, COUNT),
        ("1.2万", 1.2e4, COUNT),
        ("1亿2000万", 1.2e8, COUNT),
        ("一亿二", 1.2e8, COUNT),
        ("十二亿", 1.2e9, COUNT),
        ("1.2bn", 1.2e9, COUNT),
        ("3 million", 3e6, COUNT),
        ("three million", 3e6, COUNT),
        ("0.8", 0.8, COUNT),
        ("1,200", 1200, COUNT),
        ("15%", 0.15, PERCENT),
        ("１５％", 0.15, PERCENT),
        ("CTR>=4%", 0.04, PERCENT),
        ("百分之十五", 0.15, PERCENT),
        ("百分之一点五", 0.015, PERCENT),
        ("千分之三", 0.003, PERCENT),
        ("3‰", 0.003, PERCENT),
        ("两成", 0.2, PERCENT),
        ("三成五", 0.35, PERCENT),
        ("三分之一", 1 / 3, PERCENT),
        ("twenty percent", 0.2, PERCENT),
        ("twenty-five percent", 0.25, PERCENT),
        ("up by a fifth", 0.2, PERCENT),
        ("+2pp", 0.02, POINTS),
        ("-0.3pp", -0.003, POINTS),
        ("2 个点", 0.02, POINTS),
        ("两个百分点", 0.02, POINTS),
        ("2个百分点", 0.02, POINTS),
        ("半个点", 0.005, POINTS),
        ("50bps", 0.005, POINTS),
        ("by two points", 0.02, POINTS),
        ("翻倍", 2, MULTIPLE),
        ("翻番", 2, MULTIPLE),
        ("翻一番", 2, MULTIPLE),
        ("double it", 2, MULTIPLE),
        ("triple", 3, MULTIPLE),
        ("三倍", 3, MULTIPLE),
        ("提升1倍", 2, MULTIPLE),
        ("提升一倍", 2, MULTIPLE),
        ("增长了两倍", 3, MULTIPLE),
        ("翻3倍", 4, MULTIPLE),
        ("提升到2倍", 2, MULTIPLE),
        ("3x", 3, MULTIPLE),
        ("×2", 2, MULTIPLE),
        ("减半", 0.5, MULTIPLE),
        ("halve", 0.5, MULTIPLE),
    ],
)
def test_a_quantity_is_read_as_it_is_meant(text: str, value: float, unit: Unit) -> None:
    [quantity] = find_quantities(text)

    assert quantity.value == pytest.approx(value)
    assert quantity.unit is unit


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("$2.3M", 2.3e6, "USD"),
        ("¥500k", 5e5, "CNY"),
        ("￥88", 88, "CNY"),
        ("€3m", 3e6, "EUR"),
        ("£4.2m of orders", 4.2e6, "GBP"),
        ("USD 5m", 5e6, "USD"),
        ("一千万元", 1e7, "CNY"),
        ("500万元", 5e6, "CNY"),
        ("3亿元", 3e8, "CNY"),
        ("28块", 28, "CNY"),
        ("100美元", 100, "USD"),
    ],
)
def test_money_keeps_its_currency(text: str, value: float, currency: str) -> None:
    [quantity] = find_quantities(text)

    assert (quantity.value, quantity.unit, quantity.currency) == (pytest.approx(value), MONEY, currency)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("4.1% -> 5%", [0.041, 0.05]),
        ("from 31% to 34%", [0.31, 0.34]),
        ("from 31 to 34 percent", [0.31, 0.34]),
        ("4-5%", [0.04, 0.05]),
        ("从9%提到13%", [0.09, 0.13]),
    ],
)
def test_both_ends_of_a_move_are_read(text: str, values: list[float]) -> None:
    assert [q.value for q in find_quantities(text)] == pytest.approx(values)


@pytest.mark.parametrize(
    "text",
    [
        "618大促",
        "双11 双十一 11.11 双12",
        "D1 D7 D30 7留 次日留存 30日留存 第一天",
        "Q3 H1 2026年 11月3日 10:02 23:00 6/18 2026-11-03",
        "June 18, 31 March, 1 Sept, the 18th",
        "in 2026",
        "#20418 TR-2207 P1 v2 5G iPhone15 3P top 20 week 4",
        "192.168.1.1 and 1.2.3",
        "1. 提升\n2. 保持\n3) 降低",
        "1、提升 2、保持",
        "60 天 30-day 48小时 three weeks",
        "统一一下，千万别十分着急",
        "double-digit growth",
        "1e400",
        "9" * 400,
        "1," * 300,
    ],
)
def test_names_and_dates_are_no_quantities(text: str) -> None:
    assert [q.span.of(text) for q in find_quantities(text) if q.value != 1] == []


@given(st.integers(1, 999_999_999))
def test_a_count_reads_the_same_in_every_notation(number: int) -> None:
    chinese = cn2an.an2cn(number)
    notations = [f"达到{number}单" if not 1900 <= number <= 2100 else f"{number:,}", f"{number:,}"]
    if number >= 100 and "零" not in chinese:
        notations.append(f"达到{chinese}")

    assert {q.value for text in notations for q in find_quantities(text)} == {float(number)}


@given(st.decimals(0, 100, places=1))
def test_a_share_reads_the_same_in_every_notation(percent: object) -> None:
    value = float(str(percent))
    notations = [f"{percent}%", f"{percent} percent", f"百分之{percent}", f"到{percent}％"]

    assert [q.value for text in notations for q in find_quantities(text)] == pytest.approx([value / 100] * 4)


GOALISH = st.text(
    st.sampled_from("0123456789.,%万亿千百十一二三成点分之倍元$¥+-→to KMbnpx年月日:/ \n第"), max_size=60
)


@given(st.one_of(GOALISH, st.text()))
def test_quantities_lie_in_the_text_in_order_and_apart(text: str) -> None:
    quantities = find_quantities(text)

    assert all(0 <= q.span.start < q.span.end <= len(text) for q in quantities)
    assert all(a.span.end <= b.span.start for a, b in pairwise(quantities))


@given(st.text(st.sampled_from("零一二两三五九十廿百千万亿点03"), min_size=1, max_size=8))
def test_a_word_that_is_no_number_has_no_value(word: str) -> None:
    value = chinese_number(word)

    assert value is None or value >= 0
