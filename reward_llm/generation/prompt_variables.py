"""The variables of a prompt: those that there are, those that it declares, and those that it uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from reward_llm.domain.prompt_check import VariableUse
from reward_llm.domain.prompts import PromptContent
from reward_llm.errors import Violation
from reward_llm.generation.past_goals import VARIABLE as OUTCOMES
from reward_llm.generation.templates import template_problems, used_variables

VARIABLES: Final = frozenset({"scenario", "utilities", "examples", OUTCOMES, "goal"})
"""All that a template can be given."""
REQUIRED: Final = "goal"
"""What the user's turn can't do without, and what belongs nowhere else: it is somebody else's text."""


def variable_problems(content: PromptContent) -> Iterator[Violation]:
    """Where the templates and their declaration part, and whatever else a template mustn't hold, with lines."""
    declared = set(content.variables)
    for name in sorted(declared - VARIABLES):
        message = f"nothing gives the variable {name!r}; there are: {', '.join(sorted(VARIABLES))}"
        yield Violation(path="variables", code="variable_unknown", message=message)
    templates: Mapping[str, str] = {"system": content.system, "user": content.user}
    for where, source in templates.items():
        yield from template_problems(source, declared, where)
    used = {where: used_variables(source) for where, source in templates.items()}
    for name in sorted(declared - used["system"] - used["user"]):
        yield Violation(path="variables", code="variable_unused", message=f"no template uses the variable {name!r}")
    if REQUIRED not in used["user"]:
        message = f"the user's turn lacks the variable {REQUIRED!r}"
        yield Violation(path="user:1", code="variable_missing", message=message)
    if REQUIRED in used["system"]:
        message = f"{REQUIRED!r} is somebody else's text, and belongs into the user's turn alone"
        yield Violation(path="system:1", code="variable_misplaced", message=message)


def variable_uses(content: PromptContent) -> tuple[VariableUse, ...]:
    """Every variable that there is, that is declared or that is used, by name."""
    system, user = used_variables(content.system), used_variables(content.user)
    return tuple(
        VariableUse(
            name=name,
            given=name in VARIABLES,
            declared=name in content.variables,
            in_system=name in system,
            in_user=name in user,
        )
        for name in sorted(VARIABLES | set(content.variables) | system | user)
    )
