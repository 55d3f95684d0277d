"""Activations of home_feed around noon, made by hand and drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from reward_llm.domain.activation import Activation, Ending, EndingKind
from reward_llm.domain.goal import Window
from reward_llm.domain.policy import RewardPolicy, Source
from reward_llm.domain.scenario import Scope
from tests.strategies import HOME_FEED

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
ALL, NEW, MATURE = (Scope("home_feed", s) for s in (None, "new_user", "mature_user"))


def at(minutes: float | None) -> datetime | None:
    return None if minutes is None else NOON + timedelta(minutes=minutes)


def moment(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def policy(version: int = 1, scope: Scope = ALL) -> RewardPolicy:
    return RewardPolicy(
        scope=scope,
        version=version,
        weights=HOME_FEED.defaults,
        source=Source.HUMAN,
        origin="edit by ann",
        created_at=NOON,
    )


def activation(
    sequence: int,
    scope: Scope = ALL,
    *,
    start: float | None = None,
    end: float | None = None,
    made: float = 0,
    percent: float = 100,
    ended: float | None = None,
    kind: EndingKind = EndingKind.ENDED,
) -> Activation:
    """One of the policy whose version is the sequence; all times are minutes after noon."""
    return Activation(
        sequence=sequence,
        policy=policy(sequence, scope),
        window=Window(valid_from=at(start), valid_until=at(end)),
        activated_at=moment(made),
        activated_by="wang",
        percent=percent,
        ended=None if ended is None else Ending(at=moment(ended), by="li", kind=kind),
    )


_MINUTES = st.none() | st.integers(-6, 6).map(float)
_PERCENT = st.sampled_from([100.0, 100.0, 50.0, 10.0])


@st.composite
def schedules(draw: st.DrawFn, scopes: tuple[Scope, ...] = (ALL, NEW), most: int = 6) -> list[Activation]:
    """Up to `most` activations of the scopes, made, changed and ended at whole minutes around noon."""
    made = []
    for sequence in range(1, draw(st.integers(0, most)) + 1):
        start, end = draw(_MINUTES), draw(_MINUTES)
        if start is not None and end is not None and end <= start:
            end = None
        made.append(
            activation(
                sequence,
                draw(st.sampled_from(scopes)),
                start=start,
                end=end,
                made=draw(st.integers(-6, 2)),
                percent=draw(_PERCENT),
                ended=draw(st.none() | st.integers(-5, 5)),
            )
        )
    return made
