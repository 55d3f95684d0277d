"""Goal → proposal: the model, the gate, and what answers when they don't.

goal ─► model ─► answer ─► gate ─► proposal
         ▲         │ broken: once more, with the errors shown
         └─────────┘
       rules ─► gate ─► proposal          the lexicon's reading
       last known good, or the defaults   nothing changes
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Final

from reward_llm.domain.completion import CompletionRequest, Message, Vocabulary
from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Decision, Interpretation, Notice
from reward_llm.domain.policy import Attempt, Proposal, Provenance, RewardPolicy, Source
from reward_llm.domain.ports import LanguageModel
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weighting import weights_for
from reward_llm.domain.weights import Weights
from reward_llm.errors import AnswerMalformed, ModelError, ModelTimeout, RewardLLMError
from reward_llm.generation.evidence import with_evidence
from reward_llm.generation.prompts import PromptBundle
from reward_llm.reading.dates import find_windows
from reward_llm.reading.instructions import without_instructions
from reward_llm.reading.numbers import find_quantities
from reward_llm.reading.rules import RuleReader
from reward_llm.reading.wrapping import without_json
from reward_llm.validation import gate
from reward_llm.validation.answers import read_answer
from reward_llm.validation.schemas import answer_names

RETRY_TEMPERATURE: Final = 0.4
MAX_RAW_ANSWER_CHARS: Final = 2_000
_BLANKS: Final = re.compile(r"[ \t]{2,}")


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
        monotonic: A clock in seconds.
    """

    def __init__(
        self,
        *,
        model: LanguageModel | None,
        bundle: PromptBundle,
        readers: Mapping[str, RuleReader],
        config: ProposerConfig,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._bundle = bundle
        self._readers = readers
        self._config = config
        self._monotonic = monotonic

    async def propose(self, goal: Goal, scenario: Scenario, active: RewardPolicy) -> Proposal:
        """The proposal, from the model or from the fallback that its `source` and `reason` name."""
        reader = self._readers[scenario.name]
        attempts: list[Attempt] = []
        draft = await self._ask_model(goal, scenario, active, reader, attempts)
        if draft is None:
            draft = self._ask_rules(goal, scenario, active, reader, attempts)
        if draft is None:
            draft = _unchanged(active)
        numbers = find_quantities(goal.text)
        reasons = dict.fromkeys(a.reason for a in attempts if not a.succeeded and a.reason)
        return replace(
            draft,
            interpretation=with_evidence(draft.interpretation, goal, numbers, reader),
            numbers=numbers,
            dates=find_windows(goal.text, goal.submitted_at.astimezone(self._config.zone)),
            reason="; ".join(reasons) if reasons and draft.source is not self._first_source else None,
            provenance=replace(draft.provenance, attempts=tuple(attempts)),
        )

    @property
    def _first_source(self) -> Source:
        return self._model.source if self._model else Source.RULES

    async def _ask_model(
        self,
        goal: Goal,
        scenario: Scenario,
        active: RewardPolicy,
        reader: RuleReader,
        attempts: list[Attempt],
    ) -> Proposal | None:
        if self._model is None:
            return None
        model, started = self._model, self._monotonic()
        unwrapped = without_json(goal.text)
        text = without_instructions(unwrapped)
        hints = reader.hints(text)
        if text != unwrapped and not hints:
            reason = "the text gives orders to the system, and the lexicon finds no goal beside them"
            attempts.append(Attempt(source=model.source, succeeded=False, duration_s=0.0, reason=reason))
            return None
        request = self._request(_BLANKS.sub(" ", text).strip(), scenario, model.vocabulary, hints)
        for number in range(self._config.attempts):
            began = self._monotonic()
            remaining = self._config.deadline_s - (began - started)
            if remaining <= 0:
                break
            raw, used = None, replace(request, deadline_s=remaining, seed=self._config.seed + number)
            try:
                completion = await model.complete(used)
                raw = completion.text[:MAX_RAW_ANSWER_CHARS]
                reading = read_answer(completion, used.schema, answer_names(scenario, model.vocabulary), goal.text)
                weights = _weigh(reading := self._complete(reading, goal, scenario, reader), scenario, active)
            except RewardLLMError as exc:
                attempts.append(self._failed(model.source, exc, began, raw))
                if not (isinstance(exc, ModelError) and exc.retryable) or isinstance(exc, ModelTimeout):
                    break
                request = _shown(request, exc, raw)
                continue
            attempts.append(
                Attempt(source=model.source, succeeded=True, duration_s=self._monotonic() - began, raw_answer=raw)
            )
            provenance = Provenance(
                prompt=self._bundle.label,
                prompt_hash=self._bundle.content_hash,
                model=completion.model,
                seed=used.seed,
            )
            return Proposal(
                interpretation=reading,
                weights=weights,
                source=model.source,
                provenance=provenance,
            )
        return None

    def _ask_rules(
        self,
        goal: Goal,
        scenario: Scenario,
        active: RewardPolicy,
        reader: RuleReader,
        attempts: list[Attempt],
    ) -> Proposal | None:
        began = self._monotonic()
        reading = reader.read(goal.text)
        try:
            weights = _weigh(reading, scenario, active)
        except RewardLLMError as exc:
            attempts.append(self._failed(Source.RULES, exc, began, None))
            return None
        if reading.decision is Decision.NO_CHANGE:
            reason = "the lexicon finds nothing in the text that a utility measures"
            attempts.append(
                Attempt(source=Source.RULES, succeeded=False, duration_s=self._monotonic() - began, reason=reason)
            )
            return None
        attempts.append(Attempt(source=Source.RULES, succeeded=True, duration_s=self._monotonic() - began))
        return Proposal(interpretation=reading, weights=weights, source=Source.RULES)

    def _request(
        self, text: str, scenario: Scenario, vocabulary: Vocabulary, hints: Mapping[str, str]
    ) -> CompletionRequest:
        parameters = self._bundle.head.parameters
        return CompletionRequest(
            messages=self._bundle.render(scenario, vocabulary, text, hints),
            schema=self._bundle.schema(scenario, vocabulary),
            max_tokens=parameters.max_tokens,
            temperature=parameters.temperature,
            seed=self._config.seed,
        )

    def _complete(
        self, reading: Interpretation, goal: Goal, scenario: Scenario, reader: RuleReader
    ) -> Interpretation:
        """Add what the model has no word for: utilities without a concept are read by the lexicon."""
        unread = [u.name for u in scenario.utilities if u.concept is None]
        if not unread or self._model is None or self._model.vocabulary is Vocabulary.UTILITIES:
            return reading
        found = tuple(i for i in reader.read(goal.text).intents if i.utility in unread)
        notice = Notice(
            code="read_by_lexicon",
            message=f"the model has no word for {', '.join(unread)}; only the lexicon looked for it",
        )
        intents = reading.intents + found
        return replace(
            reading,
            decision=Decision.PROPOSE if intents else Decision.NO_CHANGE,
            intents=intents,
            notices=(*reading.notices, notice),
        )

    def _failed(self, source: Source, exc: RewardLLMError, began: float, raw: str | None) -> Attempt:
        return Attempt(
            source=source,
            succeeded=False,
            duration_s=self._monotonic() - began,
            reason=f"{exc.code}: {exc.message}",
            raw_answer=raw,
        )


def _weigh(reading: Interpretation, scenario: Scenario, active: RewardPolicy) -> Weights:
    """The reading's weights, if they pass the gate.

    Raises:
        AnswerMalformed: If they don't.
    """
    if reading.decision is Decision.NO_CHANGE:
        return active.weights
    weights = weights_for(reading.intents, scenario, active.weights)
    violations = gate.check(weights, scenario, active.weights, reading)
    if violations:
        raise AnswerMalformed(
            "the weights don't pass the gate: " + "; ".join(str(v) for v in violations), violations=violations
        )
    return weights


def _shown(request: CompletionRequest, exc: RewardLLMError, raw: str | None) -> CompletionRequest:
    """The request once more, with the broken answer and what was wrong with it."""
    turns: tuple[Message, ...] = ()
    if raw is not None:
        turns = (
            Message("assistant", raw),
            Message("user", f"That answer can't be used: {exc.message} Answer again with one valid JSON object."),
        )
    return replace(request, messages=request.messages[:2] + turns, temperature=RETRY_TEMPERATURE)


def _unchanged(active: RewardPolicy) -> Proposal:
    source = Source.LAST_KNOWN_GOOD if active.version else Source.DEFAULT
    reading = Interpretation(decision=Decision.NO_CHANGE)
    return Proposal(interpretation=reading, weights=active.weights, source=source)
