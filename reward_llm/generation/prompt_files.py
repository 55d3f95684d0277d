"""Prompts as Markdown with front matter, the format of the files that ship, and as JSON documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.prompts import (
    PACKAGED_BY,
    AnswerKind,
    Example,
    ExampleIntent,
    Golden,
    PromptContent,
    PromptVersion,
    Sampling,
)
from reward_llm.domain.scenario import NAME_PATTERN, Concept
from reward_llm.errors import PromptInvalid, PromptUnknown, Violation
from reward_llm.resources import prompts_dir

MAX_FILE_CHARS: Final = 200_000
_FILE: Final = re.compile(r"---\n(?P<head>.*?)\n---\n# system\n(?P<system>.*?)\n# user\n(?P<user>.*)", re.DOTALL)
_FORMAT: Final = "expected front matter, then '# system', then '# user'"
_STRICT: Final = ConfigDict(extra="forbid", frozen=True)

_Name = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN.pattern}$")]


class _Parameters(BaseModel):
    model_config = _STRICT

    max_tokens: int
    temperature: float


class _Intent(BaseModel):
    model_config = _STRICT

    concept: Concept
    direction: Direction
    emphasis: Emphasis


class _Example(BaseModel):
    model_config = _STRICT

    goal: str
    lexicon: dict[Concept, str] = {}
    intents: tuple[_Intent, ...]


class _Golden(BaseModel):
    model_config = _STRICT

    set: _Name
    threshold: Annotated[float, Field(ge=0, le=1)]


class _Head(BaseModel):
    """The head of a file: the contract of its templates."""

    model_config = _STRICT

    name: _Name
    version: int | None = None
    description: str
    answer: AnswerKind
    variables: tuple[_Name, ...]
    parameters: _Parameters
    golden: _Golden
    examples: tuple[_Example, ...] = ()

    def content(self, system: str, user: str) -> PromptContent:
        return PromptContent(
            name=self.name,
            description=self.description,
            answer=self.answer,
            variables=self.variables,
            parameters=Sampling(max_tokens=self.parameters.max_tokens, temperature=self.parameters.temperature),
            examples=tuple(_example(e) for e in self.examples),
            golden=Golden(set=self.golden.set, threshold=self.golden.threshold),
            system=system,
            user=user,
        )


class _Document(_Head):
    """The whole as JSON."""

    kind: Literal["prompt/1"] = "prompt/1"
    system: str
    user: str


def parse_prompt(text: str) -> PromptContent:
    """The prompt in a Markdown file with front matter; its `version` is left to whoever numbers it.

    Raises:
        PromptInvalid: If it breaks the format.
    """
    if len(text) > MAX_FILE_CHARS:
        raise PromptInvalid(f"the file has {len(text):,} characters; at most {MAX_FILE_CHARS:,} are read")
    match = _FILE.fullmatch(text.replace("\r\n", "\n"))
    if match is None:
        raise PromptInvalid(_FORMAT)
    try:
        head = _Head.model_validate(yaml.safe_load(match["head"]))
    except ValidationError as exc:
        raise _invalid(exc) from exc
    except (yaml.YAMLError, RecursionError) as exc:
        raise PromptInvalid(f"the front matter isn't YAML: {exc}") from exc
    return head.content(match["system"], match["user"].strip())


def prompt_of(document: Mapping[str, Any]) -> PromptContent:
    """The prompt in a JSON document, such as `PromptContent.document`.

    Raises:
        PromptInvalid: If it breaks the format.
    """
    try:
        read = _Document.model_validate(document)
    except ValidationError as exc:
        raise _invalid(exc) from exc
    return read.content(read.system, read.user)


def prompt_text(content: PromptContent, number: int) -> str:
    """The prompt as a Markdown file, which `parse_prompt` reads back."""
    head = {k: v for k, v in content.document.items() if k not in {"kind", "system", "user"}}
    head = {"name": head.pop("name"), "version": number, **head}
    front = yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=118)
    return f"---\n{front}---\n# system\n{content.system}\n# user\n{content.user}\n"


def packaged_content(name: str, folder: Path | None = None) -> PromptContent:
    """The prompt of that name that ships.

    Raises:
        PromptUnknown: If there is no such file.
        PromptInvalid: If the file breaks the format.
    """
    path = (folder or prompts_dir()) / f"{name}.md"
    if not path.is_file():
        raise PromptUnknown(f"there is no prompt {name!r}", hint=f"Look into {path.parent}.")
    return parse_prompt(path.read_text("utf-8"))


def packaged_prompts() -> dict[str, PromptVersion]:
    """Every prompt that ships, by name, as the first version of its name.

    Raises:
        PromptInvalid: If a file breaks the format.
    """
    contents = [packaged_content(path.stem) for path in sorted(prompts_dir().glob("*.md"))]
    return {
        c.name: PromptVersion(content=c, number=1, author=PACKAGED_BY, created_at=None, packaged=True)
        for c in contents
    }


def _example(example: _Example) -> Example:
    intents = (ExampleIntent(concept=i.concept, direction=i.direction, emphasis=i.emphasis) for i in example.intents)
    return Example(goal=example.goal, lexicon=example.lexicon, intents=tuple(intents))


def _invalid(error: ValidationError) -> PromptInvalid:
    violations = [
        Violation(path="/".join(map(str, d["loc"])), code=d["type"], message=d["msg"]) for d in error.errors()
    ]
    return PromptInvalid("the prompt breaks its format: " + "; ".join(map(str, violations)), violations=violations)
