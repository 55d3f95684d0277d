"""How a model is asked about the goals of a scenario, and what its answer comes to there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from reward_llm.domain.completion import Completion, CompletionRequest, Suggestion, Vocabulary
from reward_llm.domain.interpretation import Decision, Interpretation, Notice
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.review import Alternative
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weighting import base_weights
from reward_llm.generation.prompts import PromptBundle
from reward_llm.generation.shown import ShownGoal
from reward_llm.reading.rules import RuleReader
from reward_llm.validation.alternatives import alternatives
from reward_llm.validation.schemas import answer_names

LEXICON_TRUST: Final = 1.0
"""How much less likely, in nats, what the lexicon finds may be than the model's own answer; held-back goals chose it.

That the lexicon finds nothing tells less: then the likelier of the two answers counts.
"""


_TAKEN: Final = Notice(
    code="read_by_both", message="the model took the lexicon's reading for as likely as its own, and gave way to it"
)


@dataclass(frozen=True, slots=True)
class Asking:
    """A scenario's rule reader, and the words that a model answers with."""

    reader: RuleReader
    vocabulary: Vocabulary

    @property
    def names(self) -> Mapping[str, str]:
        """The answer's name for a utility → the utility's own name."""
        return answer_names(self._scenario, self.vocabulary)

    @property
    def _scenario(self) -> Scenario:
        return self.reader.scenario

    def shown(self, text: str) -> ShownGoal:
        """What the model is shown of a goal."""
        return ShownGoal.of(text, self.reader)

    def request(self, shown: ShownGoal, bundle: PromptBundle, active: RewardPolicy, seed: int) -> CompletionRequest:
        """What the model is asked.

        Raises:
            PromptInvalid: If the bundle's template asks for what isn't there, or becomes too long.
        """
        parameters, base = bundle.content.parameters, base_weights(self._scenario, active.weights)
        return CompletionRequest(
            messages=bundle.render(self._scenario, self.vocabulary, shown.text, shown.hints, base, shown.past),
            schema=bundle.schema(self._scenario, self.vocabulary),
            max_tokens=parameters.max_tokens,
            temperature=parameters.temperature,
            seed=seed,
            suggestion=self._suggestion(shown, bundle, active),
        )

    def settled(self, reading: Interpretation, shown: ShownGoal, completion: Completion) -> Interpretation:
        """What the model read; utilities that it has no word for are read by the lexicon."""
        if completion.suggested:
            reading = replace(reading, notices=(*reading.notices, _TAKEN))
        unread = [u.name for u in self._scenario.utilities if u.concept is None]
        if not unread or self.vocabulary is Vocabulary.UTILITIES:
            return reading
        found = tuple(i for i in self.reader.read(shown.own).intents if i.utility in unread)
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

    def alternatives(self, completion: Completion, reading: Interpretation, text: str) -> tuple[Alternative, ...]:
        """What else the model's answer, which was read and settled as that, may come to; likelier ones first."""
        return alternatives(completion, reading, self.reader.read(text), self.names)

    def _suggestion(self, shown: ShownGoal, bundle: PromptBundle, active: RewardPolicy) -> Suggestion | None:
        """What the lexicon would answer; None for a model that reads the scenario's own names."""
        if self.vocabulary is Vocabulary.UTILITIES:
            return None
        names = {u: n for n, u in self.names.items()}
        found = {i.utility: i for i in self.reader.read(shown.own).intents}
        intents = [found[u] for u in names if u in found]
        base = base_weights(self._scenario, active.weights)
        text = bundle.form.example(intents, self._scenario, base, names)
        return Suggestion(text=text, trust=LEXICON_TRUST if intents else 0.0)
