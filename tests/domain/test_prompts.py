from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.promotion import counted, may_pass
from reward_llm.domain.prompt_diff import FieldDifference, diff
from reward_llm.domain.prompts import (
    AnswerKind,
    Evaluation,
    Golden,
    PromotionEvidence,
    PromptContent,
    PromptOverride,
    PromptVersion,
    Sampling,
    Tally,
)

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
CONTENT = PromptContent(
    name="goal_to_intents",
    description="Reads goals.",
    answer=AnswerKind.INTENTS,
    variables=("goal", "utilities"),
    parameters=Sampling(max_tokens=600, temperature=0.0),
    system="You read.\nAnswer in JSON.",
    user="{{ goal }}",
    golden=Golden(set="small", threshold=0.8),
)
VERSION = PromptVersion(content=CONTENT, number=2, author="ann", created_at=NOON)

contents = st.builds(
    replace,
    st.just(CONTENT),
    description=st.text(),
    system=st.text(),
    user=st.text(),
    parameters=st.builds(
        Sampling, max_tokens=st.integers(1, 4096), temperature=st.floats(0, 2, allow_nan=False, allow_infinity=False)
    ),
    variables=st.lists(st.sampled_from(["goal", "utilities", "examples"]), unique=True).map(tuple),
)


def evaluation(right: int, of: int = 10, version: PromptVersion = VERSION) -> Evaluation:
    return Evaluation(
        number=version.number,
        content_hash=version.content_hash,
        golden_set="small",
        golden_hash="0" * 64,
        scenario="home_feed",
        backend="scripted",
        model="scripted",
        checkpoint_hash=None,
        prompt_use="whole",
        overall=Tally(right=right, of=of),
        directional=Tally(right=right, of=of),
        by_kind={},
        by_lang={},
        failures=(),
        duration_s=0.0,
    )


def override(by: str, content_hash: str = VERSION.content_hash) -> PromptOverride:
    return PromptOverride(
        prompt=VERSION.name,
        number=2,
        content_hash=content_hash,
        label="production",
        given_by=by,
        given_at=NOON,
        reason="the sale starts at noon",
    )


@given(one=contents, other=contents)
def test_two_prompts_have_the_same_hash_only_if_they_are_the_same(one: PromptContent, other: PromptContent) -> None:
    assert (one.content_hash == other.content_hash) == (one.document == other.document)


def test_the_hash_leaves_out_who_made_the_version_and_its_number() -> None:
    other = replace(VERSION, number=7, author="bo", reason="again", packaged=True, created_at=None)
    assert other.content_hash == VERSION.content_hash
    assert (VERSION.id, other.id) == ("goal_to_intents@2", "goal_to_intents@7")


@given(one=contents, other=contents)
def test_a_diff_is_empty_only_between_equal_prompts(one: PromptContent, other: PromptContent) -> None:
    found = diff(replace(VERSION, content=one), replace(VERSION, content=other))
    assert found.same == (one.document == other.document)


def test_a_diff_shows_lines_of_templates_and_fields_of_the_rest() -> None:
    changed = replace(
        CONTENT,
        system="You read.\nAnswer in one JSON object.",
        parameters=Sampling(max_tokens=300, temperature=0.0),
        variables=("goal", "utilities", "examples"),
    )
    found = diff(VERSION, replace(VERSION, content=changed, number=3))
    assert found.system.splitlines() == [
        "--- goal_to_intents@2/system",
        "+++ goal_to_intents@3/system",
        "@@ -1,2 +1,2 @@",
        " You read.",
        "-Answer in JSON.",
        "+Answer in one JSON object.",
    ]
    assert found.user == ""
    assert found.fields == (
        FieldDifference(path="/variables/2", before=None, after="examples"),
        FieldDifference(path="/parameters/max_tokens", before=600, after=300),
    )


@pytest.mark.parametrize(
    ("right", "replaced", "shortfalls"),
    [(8, 8, 0), (8, 7, 0), (7, 7, 1), (8, 9, 1), (7, 9, 2), (8, None, 0), (7, None, 1)],
)
def test_a_version_falls_short_below_its_threshold_and_below_what_it_replaces(
    right: int, replaced: int | None, shortfalls: int
) -> None:
    before = evaluation(replaced) if replaced is not None else None
    evidence = PromotionEvidence(threshold=0.8, candidate=evaluation(right), replaced=before)
    assert len(evidence.shortfalls) == shortfalls


@pytest.mark.parametrize(
    ("given_by", "passes"),
    [
        ([], False),
        (["bo"], False),
        (["bo", "bo"], False),
        (["bo", "ann"], False),
        (["ann", "ann", "ann"], False),
        (["bo", "cy"], True),
        (["ann", "cy", "bo"], True),
    ],
)
def test_two_people_override_an_evaluation_and_its_author_is_none_of_them(given_by: list[str], passes: bool) -> None:
    short = PromotionEvidence(threshold=0.8, candidate=evaluation(1), replaced=None)
    assert may_pass(short, counted(VERSION, map(override, given_by))) is passes


def test_an_override_of_another_content_counts_for_nothing() -> None:
    assert counted(VERSION, [override("bo", "f" * 64), override("cy")]) == ("cy",)
