"""The ranker's errors as the service has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ranker import errors as theirs
from reward_llm.errors import RankerUnavailable, RankingInvalid, RewardLLMError, WeightsInvalid


@contextmanager
def translated(hint: str | None = None) -> Iterator[None]:
    """Raise what the ranker raises as an error of the service, with this hint if nobody who asks can mend it.

    Raises:
        RankingInvalid: For requests that can't be ranked.
        WeightsInvalid: For weights that can't be used.
        RankerUnavailable: For everything else, which nobody who asks can mend.
    """
    try:
        yield
    except theirs.RankerError as exc:
        kind = _kind(exc)
        raise kind(exc.message, hint=(hint if kind is RankerUnavailable else None) or exc.hint) from exc


def _kind(error: theirs.RankerError) -> type[RewardLLMError]:
    if isinstance(error, theirs.RequestInvalid):
        return RankingInvalid
    return WeightsInvalid if isinstance(error, theirs.WeightsInvalid) else RankerUnavailable
