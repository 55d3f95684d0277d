"""A prompt and its answer schema as one immutable bundle."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import rfc8785
import yaml
from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, ValidationError

from reward_llm.domain.answer import goal_message
from reward_llm.domain.completion import Message, Vocabulary
from reward_llm.domain.interpretation import Direction, Emphasis, Intent
from reward_llm.domain.points import MAX_POINTS
from reward_llm.domain.scenario import Concept, Scenario
from reward_llm.domain.weighting import Aims
from reward_llm.domain.weights import Weights
from reward_llm.errors import ConfigurationInvalid, PromptUnknown
from reward_llm.generation.answer_forms import FORMS, AnswerForm
from reward_llm.resources import prompts_dir
from reward_llm.validation.schemas import answer_names

_FILE: Final = re.compile(r"---\n(?P<head>.*?)\n---\n# system\n(?P<system>.*?)\n# user\n(?P<user>.*)", re.DOTALL)
_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)


class Parameters(BaseModel):
    """How the model is sampled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: int
    temperature: float


class ExampleIntent(BaseModel):
    """One intent of an example, by concept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    concept: Concept
    direction: Direction
    emphasis: Emphasis

    def of(self, scenario: Scenario) -> Intent:
        """The intent on the scenario's utility of that concept."""
        utility = scenario.utility_of_concept[self.concept].name
        return Intent(utility=utility, direction=self.direction, emphasis=self.emphasis)


class Example(BaseModel):
    """A goal with its right answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goal: str
    intents: tuple[ExampleIntent, ...]
    lexicon: dict[Concept, str] = {}


class FrontMatter(BaseModel):
    """The head of a template file: its contract."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: int
    description: str
    answer: Literal["intents", "points"]
    variables: tuple[str, ...]
    parameters: Parameters
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class PromptBundle:
    """A template, its variables, its sampling parameters and the kind of answer that it asks for."""

    head: FrontMatter
    system: str
    user: str

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the canonical JSON of all that the bundle consists of."""
        document: dict[str, Any] = {
            "head": self.head.model_dump(mode="json"),
            "system": self.system,
            "user": self.user,
        }
        return hashlib.sha256(rfc8785.dumps(document)).hexdigest()

    @property
    def label(self) -> str:
        """The name with the version, as in `goal_to_intents@1`."""
        return f"{self.head.name}@{self.head.version}"

    @cached_property
    def _templates(self) -> tuple[Template, Template]:
        return _ENVIRONMENT.from_string(self.system), _ENVIRONMENT.from_string(self.user)

    @property
    def form(self) -> AnswerForm:
        """What it asks for, and how that becomes weights."""
        return FORMS[self.head.answer]

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
    ) -> tuple[Message, ...]:
        """The chat that asks for a reading of the goal.

        The goal is passed as a value: template syntax in it stays text.

        Args:
            scenario: What the goal is for.
            vocabulary: The names that the model answers with.
            goal: The text.
            hints: What the lexicon says of it, by utility.
            base: The weights that the goal is read against; None takes the scenario's defaults.
        """
        base = base or scenario.defaults
        utility_names = {u: n for n, u in answer_names(scenario, vocabulary).items()}
        variables: Mapping[str, Any] = {
            "scenario": scenario,
            "utilities": list(_utilities(scenario, utility_names, base)),
            "examples": self._examples(scenario, utility_names, base),
            "goal": goal_message(goal, {utility_names[u]: h for u, h in hints.items() if u in utility_names}),
        }
        return (
            Message("system", self._templates[0].render(variables)),
            Message("user", self._templates[1].render(variables)),
        )

    def _examples(self, scenario: Scenario, utility_names: Mapping[str, str], base: Weights) -> list[dict[str, str]]:
        utilities = scenario.utility_of_concept
        return [
            {
                "goal": goal_message(e.goal, {utility_names[utilities[c].name]: h for c, h in e.lexicon.items()}),
                "answer": self.form.example([i.of(scenario) for i in e.intents], scenario, base, utility_names),
            }
            for e in self.head.examples
            if all(c in utilities for c in (*e.lexicon, *(i.concept for i in e.intents)))
        ]


def load_bundle(name: str, folder: Path | None = None) -> PromptBundle:
    """The packaged bundle of that name.

    Raises:
        PromptUnknown: If there is no such file.
        ConfigurationInvalid: If the file breaks the format, or uses other variables than it declares.
    """
    path = (folder or prompts_dir()) / f"{name}.md"
    if not path.is_file():
        raise PromptUnknown(f"there is no prompt {name!r}", hint=f"Look into {path.parent}.")
    match = _FILE.fullmatch(path.read_text("utf-8"))
    if match is None:
        raise ConfigurationInvalid(f"{path.name}: expected front matter, then '# system', then '# user'")
    try:
        head = FrontMatter.model_validate(yaml.safe_load(match["head"]))
        used = _variables(match["system"]) | _variables(match["user"])
    except (ValidationError, yaml.YAMLError, TemplateError) as exc:
        raise ConfigurationInvalid(f"{path.name}: {exc}") from exc
    if used != set(head.variables):
        odd = ", ".join(sorted(used ^ set(head.variables)))
        raise ConfigurationInvalid(f"{path.name}: declared and used variables differ: {odd}")
    return PromptBundle(head=head, system=match["system"], user=match["user"].strip())


def _utilities(scenario: Scenario, names: Mapping[str, str], base: Weights) -> Iterator[dict[str, Any]]:
    """What a template may say of each utility that the model has a name for; weights are in points."""
    limits = Aims.of((), scenario, base)
    for u in scenario.utilities:
        if u.name in names:
            now, least, most = (f"{MAX_POINTS * w[u.name]:.4g}" for w in (limits.start, limits.low, limits.high))
            yield {"name": names[u.name], "description": u.description, "now": now, "least": least, "most": most}


def _variables(template: str) -> set[str]:
    return meta.find_undeclared_variables(_ENVIRONMENT.parse(template))
