"""What tuning and distilling give: scores before and after on goals that are kept back.

    python benchmarks/tuning.py --goals mine.jsonl --steps 200 --trim 3

The base, the shipped checkpoint unless another is named, is tuned on the goals, of which a share is kept back. Then
it teaches itself, unless another teacher is named: the teacher labels the same goals, and a student with all its
layers and one with fewer are tuned on its labels, and scored on the labels that the goals kept back came with.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from reward_llm.domain.scenario import Scenario
from reward_llm.resources import checkpoint_dir, scenarios_dir
from reward_llm.tuning.corpus import LabelledGoal
from reward_llm.tuning.examples import held_back
from reward_llm.tuning.own_goals import load_labelled
from reward_llm.validation.scenarios import load_scenario

MEASURES = ("directional", "exact", "abstention")


def main() -> None:
    """Tune, distil with and without trimming, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goals", type=Path, default=Path("examples/goals.jsonl"))
    parser.add_argument("--base", type=Path, default=checkpoint_dir())
    parser.add_argument("--teacher", help="a URL or a folder; the base")
    parser.add_argument("--hold-back", type=float, default=0.25)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--trim", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scenario: Scenario = load_scenario(scenarios_dir() / "home_feed.yaml")
    goals = load_labelled([options.goals], scenario)
    with tempfile.TemporaryDirectory() as folder:
        results = measure(options, goals, Path(folder))
    if options.json:
        print(json.dumps(results, indent=2))
        return
    table = Table("run", "M parameters", "minutes", "measure", "before", "after")
    for name, report in results.items():
        for measure_name in MEASURES:
            before, after = (shown(report[when], measure_name) for when in ("before", "after"))
            size, minutes = report["parameters"] / 1e6, report["elapsed_s"] / 60
            table.add_row(name, f"{size:.2f}", f"{minutes:.1f}", measure_name, before, after)
    Console().print(table)


def measure(options: argparse.Namespace, goals: Sequence[LabelledGoal], folder: Path) -> dict[str, Any]:
    """The reports of every run."""
    kept, taught = folder / "kept.jsonl", folder / "taught.jsonl"
    write(kept, [g for g in goals if held_back(g, options.hold_back)])
    write(taught, [g for g in goals if not held_back(g, options.hold_back)])
    common = ["--goals", str(taught), "--keep-back", str(kept), "--steps", str(options.steps), "--json"]
    teacher = options.teacher or str(options.base)
    distil = ["distil", "--teacher", teacher, "--student", str(options.base), *common]
    runs = {
        "tune": ["tune", "--base", str(options.base), *common],
        "distil": distil,
        f"distil, {options.trim} layers": [*distil, "--trim", str(options.trim)],
    }
    return {name: run([*arguments, "--out", str(folder / name)]) for name, arguments in runs.items()}


def write(file: Path, goals: Sequence[LabelledGoal]) -> None:
    """The goals as a corpus file."""
    lines = ({"goal": g.goal, "lang": g.lang, "trade": "general", **json.loads(g.answer)} for g in goals)
    plain = ({k: v for k, v in line.items() if k != "rationale"} for line in lines)
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in plain), "utf-8")


def run(arguments: Sequence[str]) -> dict[str, Any]:
    """What the program reports of a run of its own process."""
    command = [sys.executable, "-c", "from reward_llm.cli import main; main()", "model", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def shown(score: dict[str, float | None] | None, measure_name: str) -> str:
    """A share, or a dash where there is none."""
    share = score[measure_name] if score else None
    return "–" if share is None else f"{share:.3f}"


if __name__ == "__main__":
    main()
