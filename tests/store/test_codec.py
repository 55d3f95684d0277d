from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from reward_llm.domain.goal import Window
from reward_llm.domain.interpretation import DatedSpan, Decision, Interpretation, Quantity, Span
from reward_llm.domain.policy import Attempt, Proposal, Provenance
from reward_llm.domain.review import Alternative, Review, ReviewReason
from reward_llm.store import codec
from reward_llm.store.tables import proposals
from reward_llm.store.tables.columns import UtcDateTime
from tests.strategies import HOME_FEED, intents_for, weights_within

ANY_TEXT = st.text(st.characters())
NUMBERS = st.lists(st.from_type(Quantity).filter(lambda q: q.value == q.value), max_size=3).map(tuple)
DATES = st.builds(
    DatedSpan,
    span=st.builds(Span, st.integers(0), st.integers(0)),
    window=st.builds(Window, valid_from=st.none() | st.datetimes(timezones=st.just(UTC))),
)
ALTERNATIVES = st.builds(
    Alternative,
    reading=st.builds(Interpretation, decision=st.sampled_from(Decision), intents=intents_for(HOME_FEED)),
    probability=st.floats(0, 1),
)
PROPOSALS = st.builds(
    Proposal,
    interpretation=st.builds(
        Interpretation,
        decision=st.sampled_from(Decision),
        intents=intents_for(HOME_FEED),
        rationale=ANY_TEXT,
        completeness=st.none() | st.floats(0, 1),
        calibrated=st.booleans(),
    ),
    numbers=NUMBERS,
    dates=st.lists(DATES, max_size=2).map(tuple),
    weights=weights_within(HOME_FEED),
    reason=st.none() | ANY_TEXT,
    review=st.none()
    | st.builds(
        Review,
        reason=st.sampled_from(ReviewReason),
        threshold=st.none() | st.floats(0, 1),
        alternatives=st.lists(ALTERNATIVES, max_size=3).map(tuple),
    ),
    provenance=st.builds(
        Provenance,
        attempts=st.lists(
            st.builds(Attempt, duration_s=st.floats(0, 1e3), raw_answer=st.none() | ANY_TEXT), max_size=3
        ).map(tuple),
    ),
)
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 3),
    max_value=datetime(9999, 12, 29),
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m))),
)


@given(PROPOSALS)
def test_a_proposal_survives_its_documents(proposal: Proposal) -> None:
    values = json.loads(json.dumps(codec.proposal_values(proposal)))
    row: dict[Any, Any] = {proposals.c[name]: value for name, value in values.items()}
    assert codec._proposal(row) == proposal  # type: ignore[arg-type]
    assert list(values["weights"]) == list(proposal.weights)


@given(MOMENTS)
def test_a_moment_survives_a_database_without_offsets(moment: datetime) -> None:
    column, dialect = UtcDateTime(), sqlite.dialect()
    bound = column.process_bind_param(moment, dialect)
    assert bound is not None
    restored = column.process_result_value(bound.replace(tzinfo=None), dialect)
    assert restored == moment
    assert restored is not None
    assert restored.utcoffset() == timedelta(0)
