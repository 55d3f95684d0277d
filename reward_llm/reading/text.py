"""Text made comparable, with the way back to the characters that were written."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.interpretation import Span

_TRADITIONAL: Final = str.maketrans(
    "買賣東負評減對點擊擴軟訂單額轉數漲類關資內賺錢長讓來後標題黨豐複樣險課樂聽劇頻場貨價營銷優級鋪專獎歡愛舊創導"
    "達戶薦規權則設滿體驗質離開線動態顧遠獲閱讀給壓過論鏈續穩時間條無產業總從與務變現實際應該雙歲頁圖廣報這個們幾",
    "买卖东负评减对点击扩软订单额转数涨类关资内赚钱长让来后标题党丰复样险课乐听剧频场货价营销优级铺专奖欢爱旧创导"
    "达户荐规权则设满体验质离开线动态顾远获阅读给压过论链续稳时间条无产业总从与务变现实际应该双岁页图广报这个们几",
)
_AS_WRITTEN: Final = frozenset("，①②③④⑤⑥⑦⑧⑨")
"""Characters that the compatibility form would turn into something that reads differently."""
_FOLDED: Final = {"’": "'", "‘": "'", "“": '"', "”": '"', "－": "-", "−": "-"}
_SPACED_LETTERS: Final = re.compile(r"(?<![a-z0-9'])[a-z](?:[ .\-_][a-z]){2,}(?![a-z0-9'])")


@dataclass(frozen=True, slots=True)
class NormalisedText:
    """Lower-case text in compatibility form; character i of `text` stands at `offsets[i]` of the original."""

    text: str
    offsets: tuple[int, ...]

    def original(self, start: int, end: int) -> Span:
        """Where text[start:end], not empty, stands in the original."""
        return Span(self.offsets[start], self.offsets[end - 1] + 1)


@functools.lru_cache(maxsize=16)
def normalise(text: str) -> NormalisedText:
    """Fold case, width, traditional characters and spaces that carry no meaning, one character to one at most.

    Spaces beside Chinese characters and inside spaced-out words (C T R) fall away, invisible characters too.

    >>> normalise("ＣＴＲ 提升 １５％").text
    'ctr提升15%'
    """
    characters: list[str] = []
    offsets: list[int] = []
    space: int | None = None
    for index, character in enumerate(text):
        if character != "\n" and character.isspace():
            space = index if space is None else space
            continue
        folded = _fold(character)
        if not folded:
            continue
        if space is not None and characters and not (is_chinese(characters[-1]) or is_chinese(folded)):
            characters.append(" ")
            offsets.append(space)
        space = None
        characters.append(folded)
        offsets.append(index)
    return _joined("".join(characters), offsets)


def is_chinese(character: str) -> bool:
    """Whether it's a Chinese character or Chinese punctuation."""
    return "\u3001" <= character <= "\u9fff" or character in "，：；！？（）"


def _fold(character: str) -> str:
    if character.isascii():
        return character.lower() if character.isprintable() or character == "\n" else ""
    if character in _AS_WRITTEN:
        return character
    if character in _FOLDED:
        return _FOLDED[character]
    if unicodedata.category(character) in {"Cf", "Mn", "Cc"}:
        return ""
    folded = unicodedata.normalize("NFKC", character).lower().translate(_TRADITIONAL)
    return folded if len(folded) == 1 else character


def _joined(text: str, offsets: list[int]) -> NormalisedText:
    """The same with spaced-out words closed up."""
    dropped = {
        index
        for match in _SPACED_LETTERS.finditer(text)
        for index in range(match.start(), match.end())
        if not text[index].isalpha()
    }
    if not dropped:
        return NormalisedText(text, tuple(offsets))
    kept = [index for index in range(len(text)) if index not in dropped]
    return NormalisedText("".join(text[i] for i in kept), tuple(offsets[i] for i in kept))
