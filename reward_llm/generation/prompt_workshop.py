"""What may be done with prompts: checking, rendering, trying, measuring and promoting them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from reward_llm.domain import prompt_diff
from reward_llm.domain.act import Act
from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import Proposal, default_policy
from reward_llm.domain.ports import (
    BackendName,
    GoldenEvaluator,
    IdempotencyClaim,
    LanguageModel,
    OnProgress,
    PromptStore,
    RenderedPrompt,
    Sample,
)
from reward_llm.domain.prompt_check import PromptCheck
from reward_llm.domain.prompts import (
    PRODUCTION,
    Evaluation,
    PromotionEvidence,
    PromptContent,
    PromptLabel,
    PromptUse,
    PromptVersion,
)
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import (
    BackendNotConfigured,
    ConfigurationInvalid,
    PromptInvalid,
    PromptLabelUnknown,
    ScenarioUnknown,
    Violation,
)
from reward_llm.generation.prompt_book import PromptBook
from reward_llm.generation.prompt_contract import check_prompt
from reward_llm.generation.prompt_files import parse_prompt, prompt_of, prompt_text
from reward_llm.generation.prompt_variables import variable_uses
from reward_llm.generation.prompts import PromptBundle
from reward_llm.generation.proposer import Proposer, ProposerConfig
from reward_llm.generation.shown import ShownGoal
from reward_llm.reading.rules import RuleReader

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Somebody who can be asked; `model` is None for the rules."""

    name: BackendName
    model: LanguageModel | None
    prompt_use: PromptUse


class Workshop:
    """A `reward_llm.domain.ports.PromptWorkshop`.

    Args:
        store: Where versions and labels are kept.
        book: Is told of moves.
        packaged: The versions that ship, by name.
        backends: Who can be asked; the first one reads goals.
        scenarios: What goals can be for, by name.
        readers: A rule reader for each scenario, by name.
        evaluator: Who measures.
        config: How long and how often a model is asked.
    """

    def __init__(
        self,
        *,
        store: PromptStore,
        book: PromptBook,
        packaged: Mapping[str, PromptVersion],
        backends: Sequence[Backend],
        scenarios: Mapping[str, Scenario],
        readers: Mapping[str, RuleReader],
        evaluator: GoldenEvaluator,
        config: ProposerConfig,
    ) -> None:
        self._store = store
        self._book = book
        self._packaged = packaged
        self._backends = {b.name: b for b in backends}
        self._scenarios = scenarios
        self._readers = readers
        self._evaluator = evaluator
        self._config = config

    @property
    def backends(self) -> Sequence[BackendName]:
        """Who can be asked here; the first one reads goals."""
        return tuple(self._backends)

    def parse(self, text: str) -> PromptContent:
        """The prompt in a Markdown file with front matter."""
        return parse_prompt(text)

    def content_of(self, document: Mapping[str, Any]) -> PromptContent:
        """The prompt in a JSON document."""
        return prompt_of(document)

    def text_of(self, content: PromptContent, number: int) -> str:
        """The prompt as a Markdown file with front matter."""
        return prompt_text(content, number)

    def diff(self, before: PromptVersion, after: PromptVersion) -> prompt_diff.PromptDiff:
        """In what two versions differ."""
        return prompt_diff.diff(before, after)

    @property
    def golden_sets(self) -> Sequence[str]:
        """What prompts can be measured on here, by name."""
        return sorted(self._evaluator.names)

    def check(self, content: PromptContent) -> PromptCheck:
        """What keeps a prompt from becoming the next version; nothing is written."""
        violations: Sequence[Violation] = ()
        try:
            self._check(content)
        except PromptInvalid as exc:
            violations = exc.violations
        return PromptCheck(
            violations=tuple(violations), variables=variable_uses(content), content_hash=content.content_hash
        )

    async def add(self, content: PromptContent, act: Act, claim: IdempotencyClaim | None = None) -> PromptVersion:
        """Check a prompt against its contract and make it the next version."""
        self._check(content)
        return await self._store.record_version(content, act, claim)

    def render(self, version: PromptVersion, sample: Sample) -> RenderedPrompt:
        """What a model would be sent for the sample."""
        bundle, scenario = PromptBundle.of(version), sample.scenario
        shown = ShownGoal.of(sample.goal, self._reader(scenario.name))
        hints = shown.hints if sample.hints is None else sample.hints
        if sample.vocabulary not in bundle.form.vocabularies:
            raise PromptInvalid(f"{version.name} can't be answered in {sample.vocabulary}")
        return RenderedPrompt(
            messages=bundle.render(scenario, sample.vocabulary, shown.text, hints, sample.base),
            schema=bundle.schema(scenario, sample.vocabulary),
        )

    async def try_out(self, version: PromptVersion, goal: Goal, *, backend: BackendName | None = None) -> Proposal:
        """What a goal would be read as with the version, against its scenario's defaults; nothing is written."""
        self._reader(goal.scope.scenario)
        scenario = self._scenarios[goal.scope.scenario]
        active = default_policy(scenario, goal.scope.segment, goal.submitted_at)
        return await self._proposer(version, self._backend(backend)).propose(goal, scenario, active)

    async def evaluate(
        self,
        version: PromptVersion,
        *,
        backend: BackendName | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """How well the version reads its golden set."""
        return await self._measure(version, self._backend(backend), version.content.golden.set, on_progress)

    async def move(self, name: str, label: str, number: int, act: Act, *, revision: int | None) -> PromptLabel:
        """Put a label on a version; for `production`, measure it first beside the version that it replaces."""
        version = await self._store.version(name, number)
        before = await self._label(name, label)
        now = before.revision if before else 0
        meant = now if revision is None else revision
        evidence = await self._evidence(version, before) if label == PRODUCTION and meant == now else None
        moved = await self._store.move_label(name, label, number, act, revision=meant, evidence=evidence)
        await self._book.refresh()
        return moved

    def _check(self, content: PromptContent) -> None:
        check_prompt(content, self._scenarios.values(), golden_sets=self._evaluator.names)
        packaged = self._packaged.get(content.name)
        if packaged is not None and packaged.content.answer is not content.answer:
            message = f"{content.name} asks for {packaged.content.answer}, and always will"
            raise PromptInvalid(message, violations=[Violation(path="answer", code="fixed", message=message)])

    async def _evidence(self, version: PromptVersion, before: PromptLabel | None) -> PromotionEvidence:
        """The version and the one that it replaces on the same golden set, by the same backend.

        The higher of their thresholds holds, so that nobody lowers it alone.
        """
        backend, golden = self._backend(None), version.content.golden
        replaced = None
        if before is not None and before.number != version.number:
            replaced = await self._readable(version.name, before.number)
        thresholds = [v.content.golden.threshold for v in (version, replaced) if v is not None]
        return PromotionEvidence(
            threshold=max(thresholds),
            candidate=await self._measure(version, backend, golden.set),
            replaced=await self._measure(replaced, backend, golden.set) if replaced else None,
        )

    async def _readable(self, name: str, number: int) -> PromptVersion | None:
        """A version, None if it is broken: nobody reads with it, and nothing can be worse."""
        try:
            version = await self._store.version(name, number)
            self._check(version.content)
        except PromptInvalid as exc:
            _log.warning("prompts.broken_one_replaced", prompt=f"{name}@{number}", error=exc.message)
            return None
        return version

    async def _measure(
        self, version: PromptVersion, backend: Backend, golden_set: str, on_progress: OnProgress | None = None
    ) -> Evaluation:
        proposer = self._proposer(version, backend)
        if backend.model is not None:
            await backend.model.ping()
        return await self._evaluator.evaluate(
            version,
            proposer,
            backend=backend.name,
            prompt_use=backend.prompt_use,
            golden_set=golden_set,
            on_progress=on_progress,
        )

    async def _label(self, name: str, label: str) -> PromptLabel | None:
        try:
            return await self._store.label(name, label)
        except PromptLabelUnknown:
            return None

    def _backend(self, name: BackendName | None) -> Backend:
        chosen = next(iter(self._backends)) if name is None else name
        if chosen not in self._backends:
            raise BackendNotConfigured(
                f"this service can't ask {chosen}", hint=f"It can ask: {', '.join(self._backends)}."
            )
        return self._backends[chosen]

    def _proposer(self, version: PromptVersion, backend: Backend) -> Proposer:
        try:
            return Proposer(
                model=backend.model,
                bundle=PromptBundle.of(version),
                readers=self._readers,
                config=self._config,
            )
        except ConfigurationInvalid as exc:
            raise BackendNotConfigured(f"{backend.name}: {exc.message}", hint=exc.hint) from exc

    def _reader(self, scenario: str) -> RuleReader:
        if scenario not in self._readers:
            raise ScenarioUnknown(f"no scenario {scenario!r}", hint=f"There are: {', '.join(self._readers)}.")
        return self._readers[scenario]
