"""From an answer to weights that pass the gate."""

from __future__ import annotations

from reward_llm.domain.interpretation import Decision, Interpretation
from reward_llm.domain.policy import Proposal, RewardPolicy, Source
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import AnswerMalformed
from reward_llm.generation.answer_forms import AnswerForm, Weighed
from reward_llm.validation import gate
from reward_llm.validation.answers import Answer


def weigh(form: AnswerForm, answer: Answer, scenario: Scenario, active: RewardPolicy) -> Weighed:
    """The answer's weights, if they pass the gate; for no_change the active ones, whatever else it says.

    Raises:
        AnswerMalformed: If they don't.
    """
    if answer.reading.decision is Decision.NO_CHANGE:
        return Weighed(weights=active.weights)
    weighed = form.weigh(answer, scenario, active.weights)
    violations = gate.check(weighed.weights, scenario, active.weights, answer.reading)
    if violations:
        raise AnswerMalformed(
            "the weights don't pass the gate: " + "; ".join(str(v) for v in violations), violations=violations
        )
    return weighed


def unchanged(active: RewardPolicy) -> Proposal:
    """Last known good, or the defaults where there is none."""
    source = Source.LAST_KNOWN_GOOD if active.version else Source.DEFAULT
    reading = Interpretation(decision=Decision.NO_CHANGE)
    return Proposal(interpretation=reading, weights=active.weights, source=source)
