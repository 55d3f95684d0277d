"""What every `reward_llm.domain.ports.PromptStore` does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from reward_llm.domain.act import Act
from reward_llm.domain.ports import IdempotencyClaim, PromptStore
from reward_llm.domain.prompts import PRODUCTION, PromotionEvidence, PromptContent, PromptLabel, PromptVersion
from reward_llm.errors import (
    EvaluationBelow,
    IdempotencyConflict,
    InvalidInput,
    OverrideForbidden,
    PreconditionFailed,
    PromptLabelUnknown,
    PromptUnknown,
    PromptVersionUnknown,
)
from tests.contracts.store import NOON
from tests.domain.test_prompts import CONTENT, evaluation

NAME = CONTENT.name
PACKAGED = PromptVersion(content=CONTENT, number=1, author="package", created_at=None, packaged=True)
CLAIM = IdempotencyClaim(key="key-1", request_hash="a" * 64)


def act(actor: str = "ann", reason: str = "because", minutes: int = 0) -> Act:
    return Act(actor=actor, at=NOON + timedelta(minutes=minutes), reason=reason)


def content(description: str = "better") -> PromptContent:
    return replace(CONTENT, description=description)


def evidence(version: PromptVersion, right: int = 9, replaced: int | None = 8) -> PromotionEvidence:
    return PromotionEvidence(
        threshold=0.8,
        candidate=evaluation(right, version=version),
        replaced=evaluation(replaced, version=PACKAGED) if replaced is not None else None,
    )


async def promoted(store: PromptStore, version: PromptVersion, revision: int = 0, right: int = 9) -> PromptLabel:
    found = evidence(version, right)
    return await store.move_label(NAME, PRODUCTION, version.number, act("bo"), revision=revision, evidence=found)


class PromptStoreContract:
    """Subclasses give a `prompts` fixture: an empty store, with `PACKAGED` as the only prompt that ships."""

    async def test_what_ships_is_there_without_having_been_written(self, prompts: PromptStore) -> None:
        (summary,) = await prompts.prompts()
        production = PromptLabel(
            prompt=NAME, label=PRODUCTION, number=1, revision=0, moved_by="package", moved_at=None
        )
        assert (summary.newest, summary.versions, summary.labels) == (PACKAGED, 1, (production,))
        assert (await prompts.versions(NAME)).items == (PACKAGED,)
        assert await prompts.version(NAME, 1) == PACKAGED
        assert await prompts.labelled(NAME, PRODUCTION) == PACKAGED
        assert await prompts.label(NAME, PRODUCTION) == production
        assert (await prompts.history(NAME, PRODUCTION)).items == ()

    async def test_a_new_version_says_who_made_it_when_and_why(self, prompts: PromptStore) -> None:
        version = await prompts.record_version(content(), act())
        assert (version.number, version.author, version.reason) == (2, "ann", "because")
        assert version.created_at == NOON
        assert await prompts.version(NAME, 2) == version
        assert await prompts.version(NAME, 1) == PACKAGED
        assert (await prompts.versions(NAME)).items == (version, PACKAGED)

    async def test_the_same_content_is_stored_once(self, prompts: PromptStore) -> None:
        assert await prompts.record_version(CONTENT, act()) == PACKAGED
        version = await prompts.record_version(content(), act())
        assert await prompts.record_version(content(), act("bo")) == version
        assert await prompts.record_version(CONTENT, act("bo")) == PACKAGED
        assert [v.number for v in (await prompts.versions(NAME)).items] == [2, 1]

    async def test_an_idempotency_key_stands_for_one_version(self, prompts: PromptStore) -> None:
        assert await prompts.version_of(CLAIM) is None
        version = await prompts.record_version(content(), act(), CLAIM)
        assert await prompts.record_version(content("other"), act(), CLAIM) == version
        assert await prompts.version_of(CLAIM) == version
        with pytest.raises(IdempotencyConflict):
            await prompts.version_of(replace(CLAIM, request_hash="b" * 64))

    async def test_versions_made_at_once_get_numbers_of_their_own(self, prompts: PromptStore) -> None:
        made = await asyncio.gather(*(prompts.record_version(content(f"{n}"), act()) for n in range(5)))
        assert sorted(v.number for v in made) == [2, 3, 4, 5, 6]

    async def test_versions_page_newest_first(self, prompts: PromptStore) -> None:
        for n in range(3):
            await prompts.record_version(content(f"{n}"), act())
        first = await prompts.versions(NAME, limit=2)
        second = await prompts.versions(NAME, limit=2, cursor=first.next_cursor)
        assert [[v.number for v in page.items] for page in (first, second)] == [[4, 3], [2, 1]]
        assert second.next_cursor is None

    async def test_a_free_label_moves_without_an_evaluation_and_keeps_its_history(self, prompts: PromptStore) -> None:
        version = await prompts.record_version(content(), act())
        first = await prompts.move_label(NAME, "staging", 1, act("ann"), revision=0)
        second = await prompts.move_label(NAME, "staging", 2, act("bo", "try it", minutes=1), revision=1)
        assert (first.number, first.revision) == (1, 1)
        assert (second.number, second.revision, second.moved_by) == (2, 2, "bo")
        assert await prompts.labelled(NAME, "staging") == version
        history = (await prompts.history(NAME, "staging")).items
        assert [(m.from_number, m.to_number, m.moved_by, m.reason) for m in history] == [
            (1, 2, "bo", "try it"),
            (None, 1, "ann", "because"),
        ]
        assert [x.label for x in await prompts.labels(NAME)] == [PRODUCTION, "staging"]

    async def test_production_moves_with_its_evaluation_on_record(self, prompts: PromptStore) -> None:
        version = await prompts.record_version(content(), act())
        label = await promoted(prompts, version)
        assert (label.number, label.revision) == (2, 1)
        assert await prompts.labelled(NAME, PRODUCTION) == version
        (move,) = (await prompts.history(NAME, PRODUCTION)).items
        assert (move.from_number, move.to_number, move.evidence) == (1, 2, evidence(version))

    async def test_production_takes_no_version_that_wasnt_measured_itself(self, prompts: PromptStore) -> None:
        version = await prompts.record_version(content(), act())
        with pytest.raises(InvalidInput):
            await prompts.move_label(NAME, PRODUCTION, 2, act("bo"), revision=0)
        with pytest.raises(InvalidInput):
            await prompts.move_label(NAME, PRODUCTION, 1, act("bo"), revision=0, evidence=evidence(version))
        assert (await prompts.label(NAME, PRODUCTION)).revision == 0

    @pytest.mark.parametrize(("right", "replaced"), [(7, None), (8, 9)])
    async def test_a_version_that_falls_short_stays_out_of_production(
        self, prompts: PromptStore, right: int, replaced: int | None
    ) -> None:
        version = await prompts.record_version(content(), act())
        with pytest.raises(EvaluationBelow) as caught:
            await prompts.move_label(
                NAME, PRODUCTION, 2, act("bo"), revision=0, evidence=evidence(version, right, replaced)
            )
        assert caught.value.evidence["candidate"]["overall"] == {"right": right, "of": 10}
        assert await prompts.labelled(NAME, PRODUCTION) == PACKAGED

    async def test_two_people_may_override_that_together(self, prompts: PromptStore) -> None:
        version = await prompts.record_version(content(), act("ann"))
        for person in ("bo", "cy"):
            with pytest.raises(EvaluationBelow):
                await promoted(prompts, version, right=5)
            given = await prompts.record_override(NAME, PRODUCTION, 2, act(person, "the sale starts"))
            assert (given.given_by, given.content_hash) == (person, version.content_hash)
        assert (await promoted(prompts, version, right=5)).number == 2
        (move,) = (await prompts.history(NAME, PRODUCTION)).items
        assert move.overridden_by == ("bo", "cy")

    async def test_an_override_counts_once_for_its_version_and_label_alone(self, prompts: PromptStore) -> None:
        version = await prompts.record_version(content(), act("ann"))
        other = await prompts.record_version(content("other"), act("ann"))
        first = await prompts.record_override(NAME, PRODUCTION, 2, act("bo", "now"))
        assert await prompts.record_override(NAME, PRODUCTION, 2, act("bo", "later", minutes=5)) == first
        await prompts.record_override(NAME, PRODUCTION, other.number, act("cy"))
        await prompts.record_override(NAME, "staging", 2, act("cy"))
        assert await prompts.overrides(NAME, PRODUCTION, 2) == [first]
        with pytest.raises(EvaluationBelow):
            await promoted(prompts, version, right=5)

    async def test_an_author_cant_override_and_nobody_can_without_a_reason(self, prompts: PromptStore) -> None:
        await prompts.record_version(content(), act("ann"))
        with pytest.raises(OverrideForbidden):
            await prompts.record_override(NAME, PRODUCTION, 2, act("ann"))
        with pytest.raises(InvalidInput):
            await prompts.record_override(NAME, PRODUCTION, 2, act("bo", " "))
        assert await prompts.overrides(NAME, PRODUCTION, 2) == []

    @pytest.mark.parametrize("revision", [0, 2])
    async def test_a_move_that_is_meant_for_another_revision_is_refused(
        self, prompts: PromptStore, revision: int
    ) -> None:
        await prompts.move_label(NAME, "staging", 1, act(), revision=0)
        await prompts.record_version(content(), act())
        with pytest.raises(PreconditionFailed) as caught:
            await prompts.move_label(NAME, "staging", 2, act("bo"), revision=revision)
        assert caught.value.current == {"label": "staging", "version": 1, "revision": 1}
        assert (await prompts.label(NAME, "staging")).number == 1

    async def test_of_two_who_move_a_label_at_once_one_is_refused(self, prompts: PromptStore) -> None:
        await prompts.record_version(content(), act())
        moves = (prompts.move_label(NAME, "staging", n, act(), revision=0) for n in (1, 2))
        outcomes = await asyncio.gather(*moves, return_exceptions=True)
        assert sorted(type(o).__name__ for o in outcomes) == ["PreconditionFailed", "PromptLabel"]

    async def test_names_and_numbers_that_there_arent_are_told(self, prompts: PromptStore) -> None:
        for call in (
            prompts.version("poems", 1),
            prompts.versions("poems"),
            prompts.labels("poems"),
            prompts.labelled("poems", PRODUCTION),
            prompts.record_version(replace(CONTENT, name="poems"), act()),
        ):
            with pytest.raises(PromptUnknown):
                await call
        for number in (0, 2):
            with pytest.raises(PromptVersionUnknown):
                await prompts.version(NAME, number)
            with pytest.raises(PromptVersionUnknown):
                await prompts.move_label(NAME, "staging", number, act(), revision=0)
        with pytest.raises(PromptLabelUnknown):
            await prompts.labelled(NAME, "staging")
        with pytest.raises(PromptLabelUnknown):
            await prompts.history(NAME, "staging")
        with pytest.raises(InvalidInput):
            await prompts.move_label(NAME, "../x", 1, act(), revision=0)
