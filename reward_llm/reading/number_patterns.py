"""What quantities look like, and the numbers that are names instead."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from reward_llm.domain.interpretation import Unit
from reward_llm.reading.number_words import CHINESE_PATTERN, ENGLISH_PATTERN

MAX_DIGITS: Final = 15

SCALES: Final = {
    **dict.fromkeys(("百", "hundred"), 1e2),
    **dict.fromkeys(("千", "thousand", "k"), 1e3),
    **dict.fromkeys(("万",), 1e4),
    **dict.fromkeys(("十万",), 1e5),
    **dict.fromkeys(("百万", "million", "mio", "mn", "mm", "m"), 1e6),
    **dict.fromkeys(("千万",), 1e7),
    **dict.fromkeys(("亿",), 1e8),
    **dict.fromkeys(("billion", "bn", "b"), 1e9),
    **dict.fromkeys(("万亿", "trillion", "tn"), 1e12),
}
UNITS: Final = {
    **dict.fromkeys(("%", "percent", "per cent", "pct"), (Unit.PERCENT, 0.01)),
    **dict.fromkeys(("‰", "per mille"), (Unit.PERCENT, 0.001)),
    **dict.fromkeys(("percentage points", "percentage point", "points", "point", "pts", "pt"), (Unit.POINTS, 0.01)),
    **dict.fromkeys(("ppts", "ppt", "pp", "个百分点", "百分点", "个点"), (Unit.POINTS, 0.01)),
    **dict.fromkeys(("basis points", "basis point", "bps", "bp", "个基点", "基点"), (Unit.POINTS, 0.0001)),
    **dict.fromkeys(("times", "-fold", "fold", "x", "×", "倍"), (Unit.MULTIPLE, 1.0)),
}
CURRENCIES: Final = {
    **dict.fromkeys(("us$", "$", "usd", "美元", "美金", "dollars", "dollar", "刀"), "USD"),
    **dict.fromkeys(("¥", "rmb", "cny", "人民币", "元", "块", "yuan"), "CNY"),
    **dict.fromkeys(("€", "eur", "欧元", "euros", "euro"), "EUR"),
    **dict.fromkeys(("£", "gbp", "英镑", "pounds"), "GBP"),
    **dict.fromkeys(("hk$", "hkd", "港币", "港元"), "HKD"),
    **dict.fromkeys(("jpy", "日元"), "JPY"),
}
FACTORS: Final = {
    **dict.fromkeys(
        ("翻倍", "翻番", "翻一番", "翻一倍", "加倍", "一倍", "double", "doubles", "doubled", "doubling"), 2.0
    ),
    **dict.fromkeys(("twice as", "twice the", "twofold"), 2.0),
    **dict.fromkeys(("翻两番", "翻二番", "quadruple", "quadrupled"), 4.0),
    **dict.fromkeys(("翻两倍", "翻三倍", "triple", "triples", "tripled", "tripling"), 3.0),
    **dict.fromkeys(
        ("减半", "腰斩", "砍半", "一半", "halve", "halves", "halved", "halving", "in half", "by half"), 0.5
    ),
}
FRACTIONS: Final = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10}


def _one_of(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_END: Final = r"(?![a-z0-9])"
_DIGITS: Final = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
_CHINESE_SCALE: Final = r"(?:万亿|[十百千]?万|亿|[百千])"
_ENGLISH_SCALE: Final = (
    r"(?:(?:[ -]?(?:hundred|thousand|million|billion|trillion|mio|mn|mm|bn|tn)|[kmb])(?![a-z0-9]))"
)
_WORD_UNIT: Final = _one_of(u for u in UNITS if u.isascii() and u[0].isalpha() and u != "x")
_UNIT: Final = rf"(?:[%‰倍×]|个?百分点|个点|个?基点|[ -]?(?:{_WORD_UNIT}){_END}|x{_END})"
_MONEY: Final = rf"(?: ?(?:{_one_of(CURRENCIES)}){_END})"
_MEASURED: Final = rf"(?: ?{_CHINESE_SCALE}|{_ENGLISH_SCALE}| ?{_UNIT}|{_MONEY})"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)(?:[a-z]*)\.?"
_DAYS: Final = (
    r"(?:天|日|号|周|个?月|年|个?小时|个?季|留|[- ]?(?:days?|weeks?|months?|years?|hours?|hrs?|[hdw])(?![a-z0-9]))"
)
_NAMED: Final = (
    r"(?:days?|weeks?|months?|quarter|year|fy|top|no\.|kr|phase|step|lesson|slot|page|room|version|chapter|ios|android|"
    r"ticket|user|id|level|round|tier|variant)"
)

_NAME: Final = "|".join(
    (
        rf"\d{{{MAX_DIGITS + 1},}}[\d.,]*",
        r"\d+(?:\.\d+){2,}|\d+(?:\.\d+)?e[+-]?\d+",
        r"#\d+",
        r"\d{2,4}年(?:\d{1,2}月)?(?:\d{1,2}[日号])?|\d{1,2}月\d{1,2}(?:[日号]|(?!\d))",
        r"(?<![\d.])\d{1,4}(?:[/-]\d{1,2}){2}(?![\d.])|(?<![\d.])\d{1,2}/\d{1,2}(?![\d.%])",
        r"\d{1,2}:\d{2}(?::\d{2})?",
        rf"\d{{1,2}} ?[ap]m{_END}",
        rf"(?<![a-z]){_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?![\d.,]*[\d%])",
        rf"\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}{_END}",
        rf"\d+(?:st|nd|rd|th){_END}|第[\d零一二三四五六七八九十]+(?:[-~至到]\d+)?",
        r"双(?:十[一二]|1[12])|百(?:分百|亿补贴)",
        rf"(?<![\d.])(?:11\.11|12\.12|6\.18|618|818)(?!\d|[.,]\d|{_MEASURED})",
        rf"{_DIGITS}(?: ?[-~至到] ?\d+)?{_DAYS}",
        rf"(?<![a-z]){_NAMED} #?\d+(?:\.\d+)?(?![\d%])",
        rf"(?<![a-z0-9])(?!{_one_of(c for c in CURRENCIES if c.isascii() and c.isalpha())})"
        rf"[a-z]+[-_]?\d+(?!\d|[.,]\d|{_MEASURED})[a-z0-9_]*",
        rf"(?<![\d.$¥€£])(?:19|20)\d\d(?!\d|[.,]\d|{_MEASURED})(?![单次万人元])",
        r"(?<=\n)[-•* ]*\d{1,2}[.)](?!\d)|^[-•* ]*\d{1,2}[.)](?!\d)|(?<![\w.])\d{1,2}(?:\)|、(?!\d))",
        r"(?<![\d.(])[1-9](?:\)|、(?!\d))",
        r"double[- ]digit|凌晨[一二三四五六七八九十]+点",
    )
)
TOKENS: Final = re.compile(
    "|".join(
        (
            rf"(?P<name>{_NAME})",
            rf"(?P<share>(?:百|千|万|{CHINESE_PATTERN})分之(?P<part>{_DIGITS}|{CHINESE_PATTERN}))",
            r"(?P<tenths>(?P<tenth>[一二两三四五六七八九]|\d(?:\.\d+)?)成"
            r"(?P<more>[一二三四五六七八九半]?)(?![交员为本长熟功单绩果立品份人都]))",
            r"(?P<half>半(?:个百分点|个点|成))",
            rf"(?P<factor>(?:{_one_of(f for f in FACTORS if not f.isascii())})|"
            rf"(?<![a-z])(?:{_one_of(f for f in FACTORS if f.isascii())}){_END})",
            rf"(?P<fraction>(?<![a-z])by (?:a|one) (?P<piece>{_one_of(FRACTIONS)}){_END})",
            r"(?P<times>[×x](?P<factor_of>\d{1,3}(?:\.\d+)?)(?![\w.]))",
            rf"(?P<chinese>(?P<cn>\d+(?:\.\d+)?{_CHINESE_SCALE}\d+{_CHINESE_SCALE}|{CHINESE_PATTERN})"
            rf"(?P<cn_unit>{_UNIT}|{_MONEY})?)",
            rf"(?P<english>(?<![a-z-])(?P<en>{ENGLISH_PATTERN})(?P<en_scale>{_ENGLISH_SCALE})?"
            rf"(?P<en_unit> ?{_UNIT}|{_MONEY})?{_END})",
            rf"(?P<arabic>(?:(?<![\w%)])(?P<sign>[+-]))?(?:(?P<before>{_one_of(CURRENCIES)}) ?)?"
            rf"(?P<digits>{_DIGITS})(?: ?(?P<scale>{_CHINESE_SCALE})|(?P<en_sc>{_ENGLISH_SCALE}))?"
            rf"(?P<unit> ?{_UNIT}|{_MONEY})?{_END})",
            r"(?P<rest>\d[\w.]*)",
        )
    )
)
"""One quantity or name a match; the outermost group says which kind."""
