"""A prompt and its answer schema as one immutable bundle, ready to be sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Template

from reward_llm.domain.answer import goal_message
from reward_llm.domain.completion import Message, Vocabulary
from reward_llm.domain.interpretation import Intent
from reward_llm.domain.memory import GoalMemory
from reward_llm.domain.points import MAX_POINTS
from reward_llm.domain.prompts import Example, PromptContent, PromptVersion
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weighting import Aims
from reward_llm.domain.weights import Weights
from reward_llm.errors import ConfigurationInvalid, PromptInvalid
from reward_llm.generation.answer_forms import FORMS, AnswerForm
from reward_llm.generation.past_goals import VARIABLE, told
from reward_llm.generation.prompt_files import packaged_content
from reward_llm.generation.prompt_variables import variable_problems
from reward_llm.generation.templates import compiled, filled_in
from reward_llm.validation.schemas import answer_names


@dataclass(frozen=True)
class PromptBundle:
    """A prompt's content under the number of its version."""

    content: PromptContent
    number: int = 1

    @classmethod
    def of(cls, version: PromptVersion) -> PromptBundle:
        """The bundle of a version."""
        return cls(version.content, version.number)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the canonical JSON of all that the bundle consists of."""
        return self.content.content_hash

    @property
    def label(self) -> str:
        """The name with the number, as in `goal_to_intents@1`."""
        return f"{self.content.name}@{self.number}"

    @property
    def tells_of_outcomes(self) -> bool:
        """Whether it asks for what came of earlier goals."""
        return VARIABLE in self.content.variables

    @cached_property
    def _templates(self) -> tuple[Template, Template]:
        return compiled(self.content.system), compiled(self.content.user)

    @property
    def form(self) -> AnswerForm:
        """What it asks for, and how that becomes weights."""
        return FORMS[self.content.answer]

    def schema(self, scenario: Scenario, vocabulary: Vocabulary) -> dict[str, Any]:
        """The JSON Schema of the answer."""
        return self.form.schema(scenario, vocabulary)

    def render(
        self,
        scenario: Scenario,
        vocabulary: Vocabulary,
        goal: str,
        hints: Mapping[str, str],
        base: Weights | None = None,
        past: Sequence[GoalMemory] = (),
    ) -> tuple[Message, ...]:
        """The chat that asks for a reading of the goal.

        The goal is passed as a value: template syntax in it stays text.

        Args:
            scenario: What the goal is for.
            vocabulary: The names that the model answers with.
            goal: The text.
            hints: What the lexicon says of it, by utility.
            base: The weights that the goal is read against; None takes the scenario's defaults.
            past: Earlier goals, for prompts that tell of what came of them.

        Raises:
            PromptInvalid: If a template asks for what isn't there, or becomes too long.
        """
        base = base or scenario.defaults
        utility_names = {u: n for n, u in answer_names(scenario, vocabulary).items()}
        variables: Mapping[str, Any] = {
            "scenario": scenario,
            "utilities": list(_utilities(scenario, utility_names, base)),
            "examples": self._examples(scenario, utility_names, base),
            VARIABLE: told(past, utility_names),
            "goal": goal_message(goal, {utility_names[u]: h for u, h in hints.items() if u in utility_names}),
        }
        system, user = (filled_in(template, variables) for template in self._templates)
        return Message("system", system), Message("user", user)

    def _examples(self, scenario: Scenario, utility_names: Mapping[str, str], base: Weights) -> list[dict[str, str]]:
        utilities = scenario.utility_of_concept
        return [
            {
                "goal": goal_message(e.goal, {utility_names[utilities[c].name]: h for c, h in e.lexicon.items()}),
                "answer": self.form.example(intents_of(e, scenario), scenario, base, utility_names),
            }
            for e in self.content.examples
            if fits(e, scenario)
        ]


def fits(example: Example, scenario: Scenario) -> bool:
    """Whether the scenario has a utility for every concept of the example; others are left out of its prompt."""
    return all(c in scenario.utility_of_concept for c in (*example.lexicon, *(i.concept for i in example.intents)))


def intents_of(example: Example, scenario: Scenario) -> list[Intent]:
    """The example's intents on the scenario's utilities of their concepts."""
    utilities = scenario.utility_of_concept
    return [
        Intent(utility=utilities[i.concept].name, direction=i.direction, emphasis=i.emphasis) for i in example.intents
    ]


def load_bundle(name: str, folder: Path | None = None) -> PromptBundle:
    """The packaged bundle of that name.

    Raises:
        PromptUnknown: If there is no such file.
        ConfigurationInvalid: If the file breaks the format, or uses other variables than it declares.
    """
    try:
        content = packaged_content(name, folder)
    except PromptInvalid as exc:
        raise ConfigurationInvalid(f"{name}.md: {exc.message}", violations=exc.violations) from exc
    found = tuple(variable_problems(content))
    if found:
        raise ConfigurationInvalid(f"{name}.md: " + "; ".join(map(str, found)), violations=found)
    return PromptBundle(content)


def _utilities(scenario: Scenario, names: Mapping[str, str], base: Weights) -> Iterator[dict[str, Any]]:
    """What a template may say of each utility that the model has a name for; weights are in points."""
    limits = Aims.of((), scenario, base)
    for u in scenario.utilities:
        if u.name in names:
            now, least, most = (f"{MAX_POINTS * w[u.name]:.4g}" for w in (limits.start, limits.low, limits.high))
            yield {"name": names[u.name], "description": u.description, "now": now, "least": least, "most": most}
