from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from reward_llm.domain.prompts import AnswerKind, PromptContent, PromptVersion
from reward_llm.errors import PromptInvalid, PromptLabelUnknown, RewardLLMError, StoreUnavailable
from reward_llm.generation.prompt_book import BookConfig, PromptBook
from reward_llm.generation.prompt_contract import check_prompt
from reward_llm.generation.prompts import PromptBundle, load_bundle
from tests.strategies import HOME_FEED

PACKAGED = load_bundle("goal_to_intents")
CONTENT = PACKAGED.content


class Shelf:
    """Gives one version, or raises one error."""

    def __init__(self, answer: PromptVersion | RewardLLMError) -> None:
        self.answer = answer

    async def labelled(self, name: str, label: str) -> PromptVersion:
        assert (name, label) == (CONTENT.name, "production")
        if isinstance(self.answer, RewardLLMError):
            raise self.answer
        return self.answer


def version(number: int, **changes: object) -> PromptVersion:
    return PromptVersion(content=replace(CONTENT, **changes), number=number, author="ann", created_at=None)


def book(shelf: Shelf, **config: float) -> PromptBook:
    def check(content: PromptContent) -> None:
        check_prompt(content, [HOME_FEED])

    return PromptBook(store=shelf, packaged=PACKAGED, check=check, config=BookConfig(**config))


async def test_the_labels_version_is_read_with_and_a_move_is_taken_over() -> None:
    shelf = Shelf(version(2, description="better"))
    held = book(shelf)
    assert (await held.held()).bundle.label == "goal_to_intents@2"
    shelf.answer = version(3, description="best")
    assert (await held.held()).bundle.label == "goal_to_intents@2"
    await held.refresh()
    assert (await held.held()).bundle == PromptBundle.of(shelf.answer)
    assert (await held.held()).reason is None


async def test_while_the_store_was_never_read_the_packaged_prompt_answers_with_the_reason() -> None:
    shelf = Shelf(StoreUnavailable("the disk is gone"))
    held = book(shelf)
    with capture_logs() as logs:
        first = await held.held()
        await held.refresh()
    assert first.bundle == PACKAGED
    assert first.reason == "store_unavailable: the disk is gone"
    assert [(x["event"], x["log_level"]) for x in logs] == [("prompts.packaged_one_answers", "warning")]
    shelf.answer = version(2, description="better")
    await held.refresh()
    assert (await held.held()).reason is None


async def test_a_store_that_goes_away_takes_nothing_with_it() -> None:
    shelf = Shelf(version(2, description="better"))
    held = book(shelf)
    await held.refresh()
    shelf.answer = StoreUnavailable("the disk is gone")
    await held.refresh()
    assert (await held.held()).bundle.label == "goal_to_intents@2"
    assert (await held.held()).reason is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (version(2, system="{{ nothing }}"), "prompt_invalid"),
        (version(2, answer=AnswerKind.POINTS), "prompt_invalid"),
        (PromptInvalid("isn't a prompt"), "prompt_invalid"),
        (PromptLabelUnknown("no label"), "prompt_label_unknown"),
    ],
)
async def test_what_cant_be_used_gives_way_to_the_packaged_prompt(
    answer: PromptVersion | RewardLLMError, code: str
) -> None:
    shelf = Shelf(version(2, description="better"))
    held = book(shelf)
    await held.refresh()
    shelf.answer = answer
    await held.refresh()
    fallen_back = await held.held()
    assert fallen_back.bundle == PACKAGED
    assert fallen_back.reason is not None
    assert fallen_back.reason.startswith(f"{code}: ")


async def test_a_store_that_never_answers_is_waited_for_no_longer_than_is_said() -> None:
    class Silent(Shelf):
        async def labelled(self, name: str, label: str) -> PromptVersion:
            await asyncio.Event().wait()
            raise AssertionError

    assert (await book(Silent(version(1)), timeout_s=0.01).held()).bundle == PACKAGED


class Counted(Shelf):
    """Changes its answer after the first look, and tells when it is looked at for the third time."""

    def __init__(self, answer: PromptVersion | RewardLLMError, later: PromptVersion) -> None:
        super().__init__(answer)
        self.looks = 0
        self.later = later
        self.third = asyncio.Event()

    async def labelled(self, name: str, label: str) -> PromptVersion:
        self.looks += 1
        if self.looks == 3:
            self.third.set()
        try:
            return await super().labelled(name, label)
        finally:
            self.answer = self.later


async def test_the_book_keeps_itself_fresh() -> None:
    shelf = Counted(StoreUnavailable("starting"), version(2, description="better"))
    held = book(shelf, refresh_s=0.001)
    keeping = asyncio.create_task(held.keep_fresh())
    await asyncio.wait_for(shelf.third.wait(), 60)
    assert (await held.held()).bundle.number == 2
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
