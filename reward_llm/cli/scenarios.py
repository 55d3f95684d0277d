"""`reward-llm scenarios`: scenario files of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import JsonOption, LangOption
from reward_llm.cli.output import bar, console, print_json, print_violations, table
from reward_llm.domain.review_rules import ReviewRules
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import ScenarioInvalid, ScenarioUnknown
from reward_llm.resources import scenarios_dir

app = typer.Typer(cls=ListByDefault, help="Scenario files: those that ship, and those of REWARD_LLM_SCENARIOS_DIR.")


@app.command("list")
def list_scenarios(*, as_json: JsonOption = False, lang: LangOption) -> None:
    """All scenarios."""
    from reward_llm import bootstrap

    scenarios = bootstrap.load_all_scenarios(bootstrap.load_settings())
    if as_json:
        print_json([asdict(s) for s in scenarios.values()])
        return
    rows = table("scenario", "title", "utilities", "segments")
    for s in scenarios.values():
        rows.add_row(
            s.name,
            Text(getattr(s.title, lang)),
            Text(", ".join(s.utility_names)),
            Text(", ".join(g.name for g in s.segments) or "–"),
        )
    console().print(rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="SCENARIO")], *, as_json: JsonOption = False, lang: LangOption
) -> None:
    """One scenario: its utilities with defaults and bounds, its segments and guardrails."""
    scenario = find_scenario(name)
    if as_json:
        print_json(asdict(scenario))
        return
    out, held = console(), scenario.guardrails.held
    out.print(Text.assemble((scenario.name, "bold"), f"  {getattr(scenario.title, lang)}\n"))
    rows = table("utility", "default", "", "bounds", "description", right=["default"])
    for u in scenario.utilities:
        rows.add_row(
            u.name,
            f"{u.default:.2f}",
            bar(u.default, 20),
            f"{u.bounds.min:.2f}–{u.bounds.max:.2f}",
            Text(getattr(u.description, lang) + (" (held)" if u.name in held else "")),
        )
    out.print(rows)
    for segment in scenario.segments:
        out.print(Text.assemble("segment ", (segment.name, "bold"), f"  {getattr(segment.description, lang)}"))
    out.print(f"largest step {scenario.guardrails.max_step:g} (L1) · goals start from: {scenario.base}")
    for line in _review_lines(scenario.review):
        out.print(Text(line))


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]", help="Files; all if left out.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check scenario files and print each violation at its path; exits with 1 if any file fails."""
    from reward_llm import bootstrap
    from reward_llm.validation.scenarios import load_scenario

    folders = [f for f in (scenarios_dir(), bootstrap.load_settings().scenarios_dir) if f]
    failures: dict[Path, ScenarioInvalid | None] = {}
    for path in files or [p for folder in folders for p in sorted(folder.glob("*.yaml"))]:
        try:
            load_scenario(path)
            failures[path] = None
        except ScenarioInvalid as exc:
            failures[path] = exc
    if as_json:
        print_json([_outcome(path, failure) for path, failure in failures.items()])
    else:
        out = console()
        for path, failure in failures.items():
            if failure is None:
                out.print(Text.assemble(("ok    ", "green"), str(path)), soft_wrap=True)
                continue
            reason = str(path) if failure.violations else failure.message
            hint = f" ({failure.hint})" if failure.hint else ""
            out.print(Text.assemble(("wrong ", "bold red"), reason, hint), soft_wrap=True)
            print_violations(out, failure.violations)
    if any(failures.values()):
        raise typer.Exit(1)


@app.command()
def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A scenario file.")],
    *,
    key: Annotated[Path, typer.Option("--key", metavar="PRIVATE.pem", help="From `reward-llm audit keygen`.")],
    as_json: JsonOption = False,
) -> None:
    """Vouch for a scenario's name and defaults: writes FILE.sig, which REWARD_LLM_BASELINE_PUBLIC_KEY checks."""
    from reward_llm.validation.baselines import sign_baseline
    from reward_llm.validation.signatures import fingerprint, load_private_key

    private = load_private_key(key)
    written = sign_baseline(file, private)
    signer = fingerprint(private.public_key())
    if as_json:
        print_json({"file": str(file), "signature": str(written), "key": signer})
    else:
        console().print(Text(f"{written}: signed with the key {signer}"), soft_wrap=True)


def find_scenario(name: str) -> Scenario:
    """The scenario by that name.

    Raises:
        ScenarioUnknown: If there is none.
    """
    from reward_llm import bootstrap

    scenarios = bootstrap.load_all_scenarios(bootstrap.load_settings())
    if name not in scenarios:
        raise ScenarioUnknown(f"no scenario {name!r}", hint=f"There are: {', '.join(scenarios)}.")
    return scenarios[name]


def _review_lines(rules: ReviewRules) -> Iterator[str]:
    own = " (authors' own count)" if rules.self_approval else ""
    yield f"approvals needed: {rules.approvals}{own}"
    for rule in rules.raised:
        conditions = [
            f"a step over {rule.step_over:g}" if rule.step_over is not None else "",
            f"less of {' or '.join(rule.lowers)}" if rule.lowers else "",
            f"weights from {' or '.join(rule.sources)}" if rule.sources else "",
            "a reading that needs a person" if rule.unsure else "",
        ]
        yield f"  {rule.approvals} for {' and '.join(c for c in conditions if c)}"


def _outcome(path: Path, failure: ScenarioInvalid | None) -> dict[str, Any]:
    violations = (
        [{"path": v.path, "code": v.code, "message": v.message} for v in failure.violations] if failure else []
    )
    return {
        "file": str(path),
        "valid": failure is None,
        "message": failure.message if failure else None,
        "violations": violations,
    }
