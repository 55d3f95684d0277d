"""Near copies between two sets of texts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

NEAR: Final = 0.6
"""Texts that share this much of their n-grams say the same in nearly the same words."""
_LENGTH: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NearCopy:
    """A line and a text of the corpus that is nearly the same, with the Jaccard index of their n-grams."""

    line: str
    text: str
    similarity: float


def near_copies(lines: Iterable[str], corpus: Sequence[str], *, threshold: float = NEAR) -> list[NearCopy]:
    """Every pair of a line and a corpus text whose n-grams overlap by the threshold or more.

    N-grams are of characters, after case, width, spacing and punctuation are folded and digits made alike.
    """
    grams = [_grams(text) for text in corpus]
    holders: dict[str, list[int]] = defaultdict(list)
    for index, those in enumerate(grams):
        for gram in those:
            holders[gram].append(index)
    found = []
    for line in lines:
        own = _grams(line)
        shared = Counter(index for gram in own for index in holders.get(gram, ()))
        for index, count in shared.items():
            similarity = count / (len(own) + len(grams[index]) - count)
            if similarity >= threshold:
                found.append(NearCopy(line=line, text=corpus[index], similarity=similarity))
    return found


def _grams(text: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKC", text).lower()
    folded = re.sub(r"\d+", "0", re.sub(r"[\W_]+", "", plain)) or plain
    return frozenset(folded[i : i + _LENGTH] for i in range(max(1, len(folded) - _LENGTH + 1)))
