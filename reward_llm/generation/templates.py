"""Prompt templates: the little of Jinja that they may use, and how they are filled in.

People write templates, and whoever may edit prompts needn't be trusted with the service: so a template only names
variables, asks for attributes, decides, and goes through a list once. It calculates nothing and calls nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reward_llm.errors import PromptInvalid, Violation

MAX_RENDERED_CHARS: Final = 200_000
"""The longest text that a template may become; a large model reads some 50,000 tokens of that."""
FILTERS: Final = frozenset({"first", "join", "last", "length", "lower", "trim", "upper"})
_TESTS: Final = frozenset({"defined"})
_NODES: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.For, nodes.If, nodes.CondExpr,
    nodes.Const, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Test,
)  # fmt: skip


class _Environment(ImmutableSandboxedEnvironment):
    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Facts alone: neither what is private, nor what can be called."""
        return super().is_safe_attribute(obj, attr, value) and not callable(value)


_ENVIRONMENT: Final = _Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)
_ENVIRONMENT.globals.clear()


def compiled(source: str) -> Template:
    """The template, ready to be filled in.

    Raises:
        PromptInvalid: If its syntax is wrong.
    """
    try:
        return _ENVIRONMENT.from_string(source)
    except TemplateError as exc:
        raise PromptInvalid(f"the template can't be read: {exc}") from exc


def filled_in(template: Template, variables: Mapping[str, Any]) -> str:
    """The template with its variables.

    Raises:
        PromptInvalid: If it asks for what isn't there, or becomes longer than `MAX_RENDERED_CHARS`.
    """
    pieces, length = [], 0
    try:
        for piece in template.generate(variables):
            length += len(piece)
            if length > MAX_RENDERED_CHARS:
                raise PromptInvalid(f"the text becomes longer than {MAX_RENDERED_CHARS:,} characters")
            pieces.append(piece)
    except (TemplateError, TypeError, ValueError) as exc:
        raise PromptInvalid(f"line {_line_of(exc)}: {exc}") from exc
    return "".join(pieces)


def used_variables(source: str) -> frozenset[str]:
    """The variables that a template takes from outside; none if its syntax is wrong."""
    try:
        return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(source)))
    except TemplateSyntaxError:
        return frozenset()


def template_problems(source: str, declared: Collection[str], where: str) -> Iterator[Violation]:
    """What a template must not hold, each with its line.

    Args:
        source: The template.
        declared: The variables that it may use.
        where: What the template is called in the violations' paths, as in `system:3`.
    """
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as exc:
        yield Violation(path=f"{where}:{exc.lineno}", code="template_syntax", message=str(exc.message))
        return
    undeclared = meta.find_undeclared_variables(tree) - set(declared)
    for node in _all_nodes(tree):
        problem = _problem_of(node, undeclared)
        if problem:
            yield Violation(path=f"{where}:{node.lineno}", code=problem[0], message=problem[1])


def _problem_of(node: nodes.Node, undeclared: Collection[str]) -> tuple[str, str] | None:
    if isinstance(node, nodes.Name) and node.ctx == "load" and node.name in undeclared:
        return "variable_undeclared", f"the variable {node.name!r} isn't declared"
    if not isinstance(node, _NODES):
        return "template_forbidden", f"{type(node).__name__.lower()} isn't allowed in a prompt"
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return (
            "template_forbidden",
            f"the filter {node.name!r} isn't allowed; these are: {', '.join(sorted(FILTERS))}",
        )
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        return "template_forbidden", f"the test {node.name!r} isn't allowed; these are: {', '.join(sorted(_TESTS))}"
    if isinstance(node, nodes.For) and (node.recursive or next(node.find_all(nodes.For), None) is not None):
        return "template_forbidden", "a loop inside a loop isn't allowed in a prompt"
    return None


def _all_nodes(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _all_nodes(child)


def _line_of(error: Exception) -> int:
    """The template's line that an error comes from, which Jinja writes into the traceback; 0 if it doesn't."""
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == "<template>":
            line = step.tb_lineno
        step = step.tb_next
    return line
