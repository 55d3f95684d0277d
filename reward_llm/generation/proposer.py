"""Goal → proposal: the model, the gate, and what answers when they don't.

goal ─► model ─► answer ─► gate ─► proposal
         ▲         │ broken, or at odds with itself: once more, with the errors shown
         └─────────┘
       rules ─► gate ─► proposal          the lexicon's reading
       last known good, or the defaults   nothing changes
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Final

import structlog

from reward_llm.domain.completion import Completion, CompletionRequest, Message
from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Decision, Interpretation
from reward_llm.domain.memory import GoalMemory, Memories
from reward_llm.domain.policy import Attempt, Proposal, Provenance, RewardPolicy, Source
from reward_llm.domain.ports import LanguageModel
from reward_llm.domain.review import Review, ReviewReason
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import (
    ConfigurationInvalid,
    ModelError,
    ModelTimeout,
    PromptInvalid,
    RewardLLMError,
    StoreUnavailable,
)
from reward_llm.generation.answer_forms import IntentsForm, Weighed
from reward_llm.generation.asking import Asking
from reward_llm.generation.evidence import with_evidence
from reward_llm.generation.prompts import PromptBundle
from reward_llm.generation.shown import ShownGoal, own_words
from reward_llm.generation.trail import Trail
from reward_llm.generation.weighing import unchanged, weigh
from reward_llm.reading.dates import find_windows
from reward_llm.reading.numbers import find_quantities
from reward_llm.reading.rules import RuleReader
from reward_llm.validation.answers import Answer, read_answer

RETRY_TEMPERATURE: Final = 0.4
MAX_RAW_ANSWER_CHARS: Final = 2_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposerConfig:
    """How long and how often a model is asked."""

    deadline_s: float = 20.0
    """For all attempts on the model together."""
    attempts: int = 2
    """How often the model is asked before the rules are."""
    seed: int = 0
    zone: tzinfo = UTC
    """The time zone that dates in goals are meant in."""


class Proposer:
    """Reads goals with a model, and without it when it must.

    Args:
        model: Who is asked first; None leaves the reading to the rules.
        bundle: The prompt and its answer schema.
        readers: A rule reader for each scenario, by name.
        config: How long and how often the model is asked.
        memories: What came of earlier goals, for prompts that tell of it; None tells of none.
        monotonic: A clock in seconds.

    Raises:
        ConfigurationInvalid: If the model doesn't speak the names that the bundle's answers are written in.
    """

    def __init__(
        self,
        *,
        model: LanguageModel | None,
        bundle: PromptBundle,
        readers: Mapping[str, RuleReader],
        config: ProposerConfig,
        memories: Memories | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if model is not None and model.vocabulary not in bundle.form.vocabularies:
            raise ConfigurationInvalid(
                f"{bundle.content.name} can't be answered in {model.vocabulary}",
                hint="Set REWARD_LLM_VOCABULARY=utilities if the model is a large one, or unset REWARD_LLM_BUNDLE.",
            )
        self._model = model
        self._calibration = model.calibration if model else None
        self._bundle = bundle
        self._readers = readers
        self._asking = {n: Asking(r, model.vocabulary) for n, r in readers.items()} if model else {}
        self._config = config
        self._memories = memories
        self._monotonic = monotonic

    async def propose(self, goal: Goal, scenario: Scenario, active: RewardPolicy) -> Proposal:
        """The proposal, from the model or from the fallback that its `source` and `reason` name."""
        reader = self._readers[scenario.name]
        trail = Trail()
        draft = await self._ask_model(goal, scenario, active, trail)
        if draft is None:
            draft = self._ask_rules(goal, scenario, active, reader, trail)
        if draft is None:
            draft = unchanged(active)
        numbers = find_quantities(goal.text)
        return replace(
            draft,
            interpretation=with_evidence(draft.interpretation, goal, numbers, reader),
            numbers=numbers,
            dates=find_windows(goal.text, goal.submitted_at.astimezone(self._config.zone)),
            reason=(trail.reasons or None) if draft.source is not self._first_source else None,
            provenance=trail.provenance(draft, self._bundle),
        )

    @property
    def _first_source(self) -> Source:
        return self._model.source if self._model else Source.RULES

    async def _ask_model(self, goal: Goal, scenario: Scenario, active: RewardPolicy, trail: Trail) -> Proposal | None:
        if self._model is None:
            return None
        model, started = self._model, self._monotonic()
        asking = self._asking[scenario.name]
        shown = asking.shown(goal.text)
        if shown.unfit:
            trail.attempts.append(
                Attempt(source=model.source, succeeded=False, duration_s=0.0, reason=shown.unfit, asked=False)
            )
            return None
        shown = replace(shown, past=await self._past(goal, shown))
        try:
            request = asking.request(shown, self._bundle, active, self._config.seed)
        except PromptInvalid as exc:
            trail.failed(model.source, exc, self._monotonic() - started)
            return None
        doubtful: Proposal | None = None
        for number in range(self._config.attempts):
            began = self._monotonic()
            remaining = self._config.deadline_s - (began - started)
            if remaining <= 0:
                break
            raw, used = None, replace(request, deadline_s=remaining, seed=self._config.seed + number)
            try:
                completion = await model.complete(used)
                trail.completion, raw = completion, completion.text[:MAX_RAW_ANSWER_CHARS]
                answer = read_answer(completion, used.schema, asking.names, goal.text)
                reading = self._calibration.apply(answer.reading) if self._calibration else answer.reading
                answer = replace(answer, reading=asking.settled(reading, shown, completion))
                weighed = weigh(self._bundle.form, answer, scenario, active)
            except RewardLLMError as exc:
                trail.failed(model.source, exc, self._monotonic() - began, raw, used.seed)
                if not (isinstance(exc, ModelError) and exc.retryable) or isinstance(exc, ModelTimeout):
                    break
                request = _shown(request, exc, raw)
                continue
            draft = self._draft(model.source, answer.reading, weighed, completion, used)
            draft = replace(draft, review=self._review(answer.reading, completion, goal, asking))
            if weighed.doubt is None:
                took_s = self._monotonic() - began
                trail.attempts.append(
                    Attempt(source=model.source, succeeded=True, duration_s=took_s, raw_answer=raw, seed=used.seed)
                )
                return draft
            doubtful = doubtful or draft
            trail.failed(model.source, weighed.doubt, self._monotonic() - began, raw, used.seed)
            request = _shown(request, weighed.doubt, raw)
        return doubtful

    async def _past(self, goal: Goal, shown: ShownGoal) -> Sequence[GoalMemory]:
        """Earlier goals for a prompt that tells of them; none if they can't be read, since it can do without."""
        if self._memories is None or not self._bundle.tells_of_outcomes:
            return ()
        try:
            return await self._memories.similar(goal.scope, shown.hints.keys())
        except StoreUnavailable as exc:
            _log.warning("goal.past_unread", goal_id=goal.id, error=exc.message)
            return ()

    def _draft(
        self,
        source: Source,
        reading: Interpretation,
        weighed: Weighed,
        completion: Completion,
        request: CompletionRequest,
    ) -> Proposal:
        return Proposal(
            interpretation=replace(reading, notices=(*reading.notices, *weighed.notices)),
            weights=weighed.weights,
            source=source,
            provenance=Provenance(
                prompt=self._bundle.label,
                prompt_hash=self._bundle.content_hash,
                model=completion.model,
                checkpoint_hash=completion.checkpoint_hash,
                seed=request.seed,
            ),
        )

    def _review(self, reading: Interpretation, completion: Completion, goal: Goal, asking: Asking) -> Review | None:
        if self._calibration is None:
            return None
        reason = self._calibration.doubt(reading)
        if reason is None:
            return None
        return Review(
            reason=reason,
            threshold=self._calibration.threshold,
            alternatives=asking.alternatives(completion, reading, goal.text),
        )

    def _ask_rules(
        self,
        goal: Goal,
        scenario: Scenario,
        active: RewardPolicy,
        reader: RuleReader,
        trail: Trail,
    ) -> Proposal | None:
        began = self._monotonic()
        reading = reader.read(own_words(goal.text))
        try:
            weights = weigh(IntentsForm(), Answer(reading=reading), scenario, active).weights
        except RewardLLMError as exc:
            trail.failed(Source.RULES, exc, self._monotonic() - began)
            return None
        if reading.decision is Decision.NO_CHANGE:
            reason = "the lexicon finds nothing in the text that a utility measures"
            trail.attempts.append(
                Attempt(source=Source.RULES, succeeded=False, duration_s=self._monotonic() - began, reason=reason)
            )
            return None
        trail.attempts.append(Attempt(source=Source.RULES, succeeded=True, duration_s=self._monotonic() - began))
        review = Review(reason=ReviewReason.READ_BY_RULES)
        return Proposal(interpretation=reading, weights=weights, source=Source.RULES, review=review)


def _shown(request: CompletionRequest, exc: RewardLLMError, raw: str | None) -> CompletionRequest:
    """The request once more, with the broken answer and what was wrong with it."""
    turns: tuple[Message, ...] = ()
    if raw is not None:
        turns = (
            Message("assistant", raw),
            Message("user", f"That answer can't be used: {exc.message} Answer again with one valid JSON object."),
        )
    return replace(request, messages=request.messages[:2] + turns, temperature=RETRY_TEMPERATURE)
