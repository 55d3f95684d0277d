"""What a bundle asks a model for, and how such an answer becomes weights: all in which bundles differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import Vocabulary
from reward_llm.domain.interpretation import Intent, Notice
from reward_llm.domain.points import contradictions, excesses, points_of, shares_of
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weighting import weights_for, weights_from_shares
from reward_llm.domain.weights import Weights
from reward_llm.errors import AnswerInconsistent
from reward_llm.validation.answers import Answer
from reward_llm.validation.schemas import intents_schema, points_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The weights of an answer.

    `doubt` says why the model had better be asked once more; when it can't be, the weights hold, and a notice says
    how they came about.
    """

    weights: Weights
    notices: tuple[Notice, ...] = ()
    doubt: AnswerInconsistent | None = None


class AnswerForm(Protocol):
    """The shape of an answer, and its way to weights."""

    @property
    def vocabularies(self) -> frozenset[Vocabulary]:
        """The names that a model may answer with."""
        ...

    def schema(self, scenario: Scenario, vocabulary: Vocabulary) -> dict[str, Any]:
        """The JSON Schema of the answer."""
        ...

    def example(self, intents: Sequence[Intent], scenario: Scenario, base: Weights, names: Mapping[str, str]) -> str:
        """The right answer to a goal that asks for the intents.

        Args:
            intents: What the goal asks for.
            scenario: What it is for.
            base: The weights that it is read against.
            names: A utility's own name → the answer's name for it.
        """
        ...

    def weigh(self, answer: Answer, scenario: Scenario, active: Weights) -> Weighed:
        """The weights of an answer that proposes something."""
        ...


@dataclass(frozen=True, slots=True)
class IntentsForm:
    """The model reads, and the rule weighs."""

    vocabularies: frozenset[Vocabulary] = frozenset(Vocabulary)

    def schema(self, scenario: Scenario, vocabulary: Vocabulary) -> dict[str, Any]:
        """Decision, intents, rationale."""
        return intents_schema(scenario, vocabulary)

    def example(self, intents: Sequence[Intent], scenario: Scenario, base: Weights, names: Mapping[str, str]) -> str:
        """The intents."""
        return canonical_answer((names[i.utility], i.direction, i.emphasis) for i in intents)

    def weigh(self, answer: Answer, scenario: Scenario, active: Weights) -> Weighed:
        """By the rule."""
        return Weighed(weights=weights_for(answer.reading.intents, scenario, active))


@dataclass(frozen=True, slots=True)
class PointsForm:
    """The model reads and shares out points, which are held to its own reading."""

    vocabularies: frozenset[Vocabulary] = frozenset({Vocabulary.UTILITIES})

    def schema(self, scenario: Scenario, vocabulary: Vocabulary) -> dict[str, Any]:
        """Decision, intents, points, rationale."""
        return points_schema(scenario)

    def example(self, intents: Sequence[Intent], scenario: Scenario, base: Weights, names: Mapping[str, str]) -> str:
        """The intents, with the points that the rule would give."""
        points = points_of(weights_for(intents, scenario, base))
        return canonical_answer(
            ((names[i.utility], i.direction, i.emphasis) for i in intents), {names[k]: v for k, v in points.items()}
        )

    def weigh(self, answer: Answer, scenario: Scenario, active: Weights) -> Weighed:
        """The points, drawn back to the limits; where they go against the intents, the rule, in doubt."""
        intents = answer.reading.intents
        against = contradictions(answer.points, intents, scenario, active)
        if against:
            doubt = AnswerInconsistent(
                "the points go against the reading: " + "; ".join(str(v) for v in against), violations=against
            )
            notice = Notice(
                code="weighed_by_rule", message=f"{doubt.message}; the weights follow from the reading alone"
            )
            return Weighed(weights=weights_for(intents, scenario, active), notices=(notice,), doubt=doubt)
        beyond = excesses(answer.points, intents, scenario, active)
        drawn_back = Notice(
            code="points_drawn_back",
            message="the points were drawn back to the limits: " + "; ".join(str(v) for v in beyond),
        )
        return Weighed(
            weights=weights_from_shares(shares_of(answer.points), intents, scenario, active),
            notices=(drawn_back,) if beyond else (),
        )


FORMS: Final[Mapping[str, AnswerForm]] = {"intents": IntentsForm(), "points": PointsForm()}
"""Every form, by what a bundle's `answer` calls it."""
