"""Scenario files: YAML in, checked scenarios out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import yaml
from pydantic import TypeAdapter

from reward_llm.domain.scenario import Scenario
from reward_llm.errors import ScenarioInvalid, Violation
from reward_llm.validation.schemas import DIALECT

MAX_FILE_BYTES: Final = 5_000_000
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C reads ten thousand segments in a fifth of the time."""


def parse_scenario(text: str, origin: str) -> Scenario:
    """The scenario that a YAML text states.

    Raises:
        ScenarioInvalid: With every violation found, each at its path.
    """
    try:
        document = yaml.load(text, Loader=_LOADER)  # noqa: S506 - it is a safe one
    except yaml.YAMLError as exc:
        raise ScenarioInvalid(f"{origin} isn't YAML: {exc}") from exc
    violations = [
        Violation(path="/".join(str(p) for p in error.instance_path), code="shape", message=error.message)
        for error in jsonschema_rs.Draft202012Validator(scenario_schema()).iter_errors(document)
    ]
    if violations:
        raise ScenarioInvalid(
            f"{origin} breaks the schema of scenario files: " + "; ".join(str(v) for v in violations),
            hint="schemas/scenario.json says what a scenario file holds; scenarios/home_feed.yaml is an example.",
            violations=violations,
        )
    try:
        return _ADAPTER.validate_python(document)
    except ScenarioInvalid as exc:
        raise ScenarioInvalid(f"{origin}: {exc.message}", hint=exc.hint) from exc


def load_scenario(path: Path) -> Scenario:
    """The scenario in a file, whose name must be the scenario's.

    Raises:
        ScenarioInvalid: If it can't be read or doesn't hold to the schema.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ScenarioInvalid(f"{path} is larger than {MAX_FILE_BYTES:,} bytes")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ScenarioInvalid(f"{path} can't be read: {exc}") from exc
    scenario = parse_scenario(text, str(path))
    if scenario.name != path.stem:
        raise ScenarioInvalid(
            f"{path} holds the scenario {scenario.name!r}", hint="Name the file after the scenario."
        )
    return scenario


def load_scenarios(
    folders: Iterable[Path], check: Callable[[Path, Scenario], None] | None = None
) -> dict[str, Scenario]:
    """All scenarios of the folders by name; a later folder's file replaces an earlier one's.

    Args:
        folders: Where the files are.
        check: Raises for a scenario that isn't to be used, of those that aren't replaced.

    Raises:
        ScenarioInvalid: If any file is invalid, or there is none at all.
    """
    folders = list(folders)
    files = {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}
    scenarios = {name: load_scenario(path) for name, path in files.items()}
    if check is not None:
        for name, scenario in scenarios.items():
            check(files[name], scenario)
    if not scenarios:
        raise ScenarioInvalid(f"no scenario files in {', '.join(map(str, folders))}")
    return scenarios


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of scenario files; what it doesn't name is refused."""
    schema = _ADAPTER.json_schema()
    for definition in (schema, *schema["$defs"].values()):
        if definition.get("type") == "object":
            definition["additionalProperties"] = False
    return {"$schema": DIALECT, **schema}


_ADAPTER: Final = TypeAdapter(Scenario)
