"""The parts that work with prompts, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reward_llm.domain.memory import Memories
from reward_llm.domain.ports import GoldenEvaluator, PromptStore
from reward_llm.domain.prompts import PromptContent, PromptVersion
from reward_llm.domain.scenario import Scenario
from reward_llm.generation.prompt_book import BookConfig, PromptBook
from reward_llm.generation.prompt_contract import check_prompt
from reward_llm.generation.prompt_workshop import Backend, Workshop
from reward_llm.generation.prompted_proposer import PromptedProposer
from reward_llm.generation.prompts import PromptBundle
from reward_llm.generation.proposer import Proposer, ProposerConfig
from reward_llm.reading.rules import RuleReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompting:
    """Who reads goals with the prompt in production, where prompts are worked on, and what both look at.

    `book.keep_fresh` must run as long as they are used.
    """

    proposer: PromptedProposer
    workshop: Workshop
    book: PromptBook


def prompting(  # noqa: PLR0913 - each is a part
    *,
    name: str,
    store: PromptStore,
    packaged: Mapping[str, PromptVersion],
    backends: Sequence[Backend],
    scenarios: Mapping[str, Scenario],
    evaluator: GoldenEvaluator,
    config: ProposerConfig,
    book: BookConfig | None = None,
    memories: Memories | None = None,
) -> Prompting:
    """The parts over one store.

    Args:
        name: The prompt that goals are read with.
        store: Where versions and labels are kept.
        packaged: The versions that ship, by name.
        backends: Who can be asked; the first one reads goals.
        scenarios: What goals can be for, by name.
        evaluator: Who measures.
        config: How long and how often a model is asked.
        book: How often the store is looked at.
        memories: What came of earlier goals, for prompts that tell of it; None tells of none.

    Raises:
        ConfigurationInvalid: If the first backend can't answer the prompt.
    """
    readers = {n: RuleReader(s) for n, s in scenarios.items()}
    shipped, first = PromptBundle.of(packaged[name]), backends[0].model

    def make(bundle: PromptBundle) -> Proposer:
        return Proposer(model=first, bundle=bundle, readers=readers, config=config, memories=memories)

    def check(content: PromptContent) -> None:
        check_prompt(content, scenarios.values())

    make(shipped)
    held = PromptBook(store=store, packaged=shipped, check=check, config=book)
    return Prompting(
        proposer=PromptedProposer(held, make),
        workshop=Workshop(
            store=store,
            book=held,
            packaged=packaged,
            backends=backends,
            scenarios=scenarios,
            readers=readers,
            evaluator=evaluator,
            config=config,
        ),
        book=held,
    )
