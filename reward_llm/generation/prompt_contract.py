"""The contract that a prompt must keep before it becomes a version."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Final

from reward_llm.domain.answer import goal_message
from reward_llm.domain.completion import Completion, Vocabulary
from reward_llm.domain.goal import MAX_TEXT_CHARS
from reward_llm.domain.memory import SPANS, GoalMemory, Observation, Tried
from reward_llm.domain.prompts import Example, PromptContent
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.source import Source
from reward_llm.errors import AnswerMalformed, PromptInvalid, Violation
from reward_llm.generation.prompt_variables import variable_problems
from reward_llm.generation.prompts import PromptBundle, fits, intents_of
from reward_llm.validation.answers import read_answer
from reward_llm.validation.schemas import answer_names
from reward_llm.validation.text import clean

MAX_TEMPLATE_CHARS: Final = 40_000
MAX_DESCRIPTION_CHARS: Final = 500
MAX_EXAMPLES: Final = 40
MAX_HINT_CHARS: Final = 40
MAX_TOKENS: Final = range(16, 4_097)
MAX_TEMPERATURE: Final = 2.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PROBE: Final = 'raise CTR"} {{ ignore }} 提升'


def check_prompt(
    content: PromptContent, scenarios: Collection[Scenario], *, golden_sets: Collection[str] | None = None
) -> None:
    """Accept a prompt that can be used for every scenario.

    Args:
        content: The prompt.
        scenarios: Those that it must render for.
        golden_sets: Those that there are to measure it on; None doesn't ask.

    Raises:
        PromptInvalid: With everything that is wrong.
    """
    found = [*_size_problems(content), *_golden_problems(content, golden_sets), *variable_problems(content)]
    found = found or list(dict.fromkeys(p for s in scenarios for p in _problems_for(content, s)))
    if found:
        raise PromptInvalid("the prompt breaks its contract: " + "; ".join(map(str, found)), violations=found)


def _size_problems(content: PromptContent) -> Iterator[Violation]:
    lengths = {"description": MAX_DESCRIPTION_CHARS, "system": MAX_TEMPLATE_CHARS, "user": MAX_TEMPLATE_CHARS}
    for name, limit in lengths.items():
        text: str = getattr(content, name)
        if not text.strip():
            yield Violation(path=name, code="empty", message="must not be empty")
        if len(text) > limit:
            yield _too_much(name, f"{len(text):,} characters; at most {limit:,} are allowed")
        if clean(text) != (text, 0):
            yield Violation(path=name, code="control_characters", message="holds control or invisible characters")
    if content.parameters.max_tokens not in MAX_TOKENS:
        message = f"must be {MAX_TOKENS[0]} to {MAX_TOKENS[-1]:,}"
        yield Violation(path="parameters/max_tokens", code="out_of_range", message=message)
    if not 0 <= content.parameters.temperature <= MAX_TEMPERATURE:
        message = f"must be 0 to {MAX_TEMPERATURE:g}"
        yield Violation(path="parameters/temperature", code="out_of_range", message=message)
    if len(content.examples) > MAX_EXAMPLES:
        yield _too_much("examples", f"{len(content.examples)}; at most {MAX_EXAMPLES} are allowed")
    for number, example in enumerate(content.examples):
        yield from _example_size_problems(example, f"examples/{number}")


def _example_size_problems(example: Example, path: str) -> Iterator[Violation]:
    if not example.goal.strip():
        yield Violation(path=f"{path}/goal", code="empty", message="must not be empty")
    if len(example.goal) > MAX_TEXT_CHARS:
        yield _too_much(f"{path}/goal", f"{len(example.goal):,} characters; at most {MAX_TEXT_CHARS:,} are allowed")
    if any(len(hint) > MAX_HINT_CHARS for hint in example.lexicon.values()):
        yield _too_much(f"{path}/lexicon", f"a hint of more than {MAX_HINT_CHARS} characters")


def _golden_problems(content: PromptContent, golden_sets: Collection[str] | None) -> Iterator[Violation]:
    if golden_sets is not None and content.golden.set not in golden_sets:
        known = ", ".join(sorted(golden_sets)) or "none"
        message = f"there is no golden set {content.golden.set!r}; there are: {known}"
        yield Violation(path="golden/set", code="unknown", message=message)
    if not 0 <= content.golden.threshold <= 1:
        yield Violation(path="golden/threshold", code="out_of_range", message="must be 0 to 1")


def _problems_for(content: PromptContent, scenario: Scenario) -> Iterator[Violation]:
    bundle = PromptBundle(content)
    for vocabulary in sorted(bundle.form.vocabularies):
        yield from _render_problems(bundle, scenario, vocabulary)
    for (number, example), vocabulary in product(enumerate(content.examples), sorted(bundle.form.vocabularies)):
        if fits(example, scenario):
            yield from _example_problems(bundle, example, scenario, vocabulary, f"examples/{number}")


def _render_problems(bundle: PromptBundle, scenario: Scenario, vocabulary: Vocabulary) -> Iterator[Violation]:
    try:
        _, user = bundle.render(scenario, vocabulary, _PROBE, {}, past=[_past_probe(scenario)])
    except PromptInvalid as exc:
        yield Violation(path=scenario.name, code="render", message=exc.message)
        return
    if goal_message(_PROBE, {}) not in user.content:
        message = "the goal doesn't come through as it was sent; write {{ goal }} and nothing around it"
        yield Violation(path="user", code="goal_changed", message=message)


def _past_probe(scenario: Scenario) -> GoalMemory:
    """An earlier goal, so that what a template says of one is filled in."""
    tried = Tried(policy_id="pol_0", source=Source.RULES, weights=dict(scenario.defaults))
    look = Observation(activation=1, policy_id="pol_0", since=_EPOCH, until=_EPOCH + SPANS[0], metrics={}, before={})
    return GoalMemory(goal_id="goal_0", scope=Scope(scenario.name), intents=(), tried=(tried,), observations=(look,))


def _example_problems(
    bundle: PromptBundle, example: Example, scenario: Scenario, vocabulary: Vocabulary, path: str
) -> Iterator[Violation]:
    """What is wrong with an example's answer, by the same schema and gate as a model's."""
    names = answer_names(scenario, vocabulary)
    own = {u: n for n, u in names.items()}
    text = bundle.form.example(intents_of(example, scenario), scenario, scenario.defaults, own)
    try:
        answer = read_answer(
            Completion(text=text, model="example"), bundle.schema(scenario, vocabulary), names, example.goal
        )
    except AnswerMalformed as exc:
        yield from (Violation(path=f"{path}/{v.path}", code=v.code, message=v.message) for v in exc.violations)
        return
    if answer.reading.intents and (doubt := bundle.form.weigh(answer, scenario, scenario.defaults).doubt):
        yield Violation(path=path, code=doubt.code, message=doubt.message)


def _too_much(path: str, message: str) -> Violation:
    return Violation(path=path, code="too_long", message=message)
