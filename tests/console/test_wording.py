"""Texts: both languages say the same things, what pages ask for is there, and nothing is left over."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from reward_llm import console
from reward_llm.console.app import AREAS
from reward_llm.console.wording import Language, load_texts
from reward_llm.domain.control import ControllerState, Hold
from reward_llm.domain.experiments import ExperimentState
from reward_llm.domain.metrics import Metric
from reward_llm.domain.source import Source
from tests.console.outcomes import OUTCOMES, VIOLATED

HERE = Path(console.__file__).parent
SOURCES = [*HERE.rglob("*.py"), *HERE.rglob("*.html")]
ASKED = re.compile(r"""\bt(?:\.html)?\(\s*"([a-z0-9_.]+)"\s*[,)]""")
LITERAL = re.compile(r"""["']([a-z0-9_]+(?:\.[a-z0-9_]+)*\.?)(?=["'{])""")
WORDS = re.compile(r"""\.word\(\s*"([a-z0-9_.]+)\"""")


KINDS = {
    "metric": Metric,
    "source": Source,
    "experiments.state": ExperimentState,
    "experiments.outcome": [outcome for outcome in OUTCOMES if outcome not in VIOLATED],
    "controllers.state": ControllerState,
    "controllers.held": Hold,
}
"""What is shown in words, by where they are."""


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def sources() -> str:
    return "\n".join(file.read_text("utf-8") for file in SOURCES)


def test_both_languages_have_the_same_texts() -> None:
    english, chinese = (set(load_texts()[language].keys()) for language in Language)
    assert english == chinese
    assert english


def test_both_languages_put_in_the_same_values() -> None:
    english, chinese = (load_texts()[language] for language in Language)
    for key in english.keys():  # noqa: SIM118 - texts aren't a mapping
        one, other = fields(english._template(key, {})), fields(chinese._template(key, {}))
        assert one - {"n"} == other - {"n"}, key


def test_every_text_that_is_asked_for_is_there() -> None:
    known = load_texts()[Language.EN]
    missing = {key for key in ASKED.findall(sources()) if not known.has(key)}
    assert not missing
    assert {f"{area.name}.nav" for area in AREAS if area.path} <= set(known.keys())


def test_no_text_is_left_over() -> None:
    written = sources()
    literals = set(LITERAL.findall(written))
    prefixes = {literal for literal in literals if literal.endswith(".")}
    prefixes |= {f"{area}." for area in WORDS.findall(written)}
    prefixes |= {f"{literal}." for literal in literals if "." in literal}
    exact = (
        literals | {f"{area.name}.nav" for area in AREAS} | {found.replace(".", ".done.", 1) for found in literals}
    )
    left = {k for k in load_texts()[Language.EN].keys() if k not in exact and not k.startswith(tuple(prefixes))}  # noqa: SIM118
    assert not left


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("area", "value"), [(area, str(value)) for area, values in KINDS.items() for value in values]
)
def test_every_value_of_a_kind_has_words(area: str, value: str, language: Language) -> None:
    assert load_texts()[language].has(f"{area}.{value}")
