"""What accuracy costs: goal models of other sizes, tokenizers, prompts, corpora and seeds, trained alike.

    python benchmarks/goal_model.py size --steps 1500 --file benchmarks/goals/fresh.jsonl

Every variant is trained from scratch for the same number of batches on the same goals, the same slice of the
hand-written ones held back, and is then asked as the service asks it: through the embedded client, the gate and the
weighting. A variant that is broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from reward_llm.bootstrap import build_model, let_openmp_wait, load_all_scenarios, load_settings
from reward_llm.generation.prompts import load_bundle
from reward_llm.generation.proposer import Proposer, ProposerConfig
from reward_llm.reading.rules import RuleReader
from reward_llm.tuning.corpus import LabelledGoal, corpus_dir, load_corpus
from reward_llm.tuning.evaluation import evaluate, load_lines

let_openmp_wait()

from reward_llm.tuning.config import Mix, Shape, TrainingConfig, TrainingProgress  # noqa: E402
from reward_llm.tuning.examples import held_back  # noqa: E402
from reward_llm.tuning.train import train  # noqa: E402

SIZES = {
    "2 M": Shape(hidden=128, layers=4, heads=4, kv_heads=2, feed_forward=384),
    "6 M": Shape(),
    "15 M": Shape(hidden=384, layers=8, heads=12, kv_heads=4, feed_forward=1152),
    "40 M": Shape(hidden=640, layers=10, heads=20, kv_heads=4, feed_forward=1792),
}
TOKENIZERS = {"bytes": 320, "BPE 2,048": 2_048, "BPE 5,120": 5_120, "BPE 10,240": 10_240}
NO_EVIDENCE = Mix(without_hints=1.0, without_known_hints=1.0)
SHARES = (0.125, 0.25, 0.5, 1.0)
SEEDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A model to train: what it is called, how, and on which share of the hand-written goals."""

    name: str
    config: TrainingConfig
    share: float = 1.0


def variants(question: str, config: TrainingConfig) -> list[Variant]:
    """What to compare to answer the question."""
    if question == "size":
        return [Variant(name=n, config=replace(config, shape=shape)) for n, shape in SIZES.items()]
    if question == "tokenizer":
        sizes = TOKENIZERS.items()
        return [Variant(name=n, config=replace(config, shape=replace(config.shape, vocabulary=v))) for n, v in sizes]
    if question == "evidence":
        return [
            Variant(name="with the lexicon's hints", config=config),
            Variant(name="without", config=replace(config, mix=NO_EVIDENCE)),
        ]
    if question == "goals":
        return [Variant(name=f"{share:.1%} of the goals", config=config, share=share) for share in SHARES]
    return [
        Variant(name=f"seed {seed}", config=replace(config, seed=seed, mix=replace(config.mix, seed=seed)))
        for seed in range(SEEDS)
    ]


def main() -> None:
    """Train and measure every variant, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", choices=["size", "tokenizer", "evidence", "goals", "seeds"])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--minutes", type=float, default=60.0, help="at most, a variant")
    parser.add_argument("--threads", type=int, default=TrainingConfig().threads)
    parser.add_argument("--hold-back", type=float, default=0.08)
    parser.add_argument(
        "--file", type=Path, action="append", default=[], help="goals to read, in the evaluation format"
    )
    parser.add_argument("--out", type=Path, default=Path("runs"), help="where the models are kept")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    config = TrainingConfig(
        steps=options.steps,
        minutes=options.minutes,
        threads=options.threads,
        hold_back=options.hold_back,
        score_every=options.steps,
        warmup_steps=max(options.steps // 10, 1),
        average=1 - 1 / max(options.steps // 20, 2),
    )
    corpus = load_corpus(corpus_dir())
    rows = {
        v.name: measured(v, corpus, options.out / options.question / v.name.replace(" ", "_"), options.file)
        for v in variants(options.question, config)
    }
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows, summed_up=options.question == "seeds")


def measured(
    variant: Variant, corpus: Sequence[LabelledGoal], out: Path, files: Sequence[Path]
) -> dict[str, float | None]:
    """Train the variant, and read the files with it."""
    goals = [g for g in corpus if held_back(g, variant.config.hold_back) or kept(g, variant.share)]
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), transient=True) as bars:
        task = bars.add_task(variant.name, total=1.0)

        def show_progress(at: TrainingProgress) -> None:
            bars.update(task, completed=at.share)

        report = train(variant.config, goals, out, show_progress)
    row: dict[str, float | None] = {
        "parameters": report.parameters,
        "goals": sum(report.goals.values()),
        "minutes": report.elapsed_s / 60,
        "megabytes": (out / "model.safetensors").stat().st_size / 1e6,
    }
    if report.score:
        row |= {f"held back {k}": v for k, v in asdict(report.score).items() if k != "goals"}
    return row | read(files, out, hinted=variant.config.mix.without_hints < 1)


class Silent(RuleReader):
    """A lexicon that tells the model nothing."""

    def hints(self, text: str) -> dict[str, str]:
        """None."""
        return {}


def kept(goal: LabelledGoal, share: float) -> bool:
    """Whether the goal is in that share of the corpus; a larger share holds all of a smaller one."""
    return random.Random(goal.goal).random() < share


def read(files: Sequence[Path], checkpoint: Path, *, hinted: bool) -> dict[str, float | None]:
    """Directional accuracy on each file, and the latency of a reading in milliseconds."""
    settings = load_settings(backend="embedded", checkpoint=checkpoint)
    scenario = load_all_scenarios(settings)["home_feed"]
    reader = RuleReader(scenario) if hinted else Silent(scenario)
    proposer = Proposer(
        model=build_model(settings),
        bundle=load_bundle(settings.bundle),
        readers={scenario.name: reader},
        config=ProposerConfig(),
    )
    row: dict[str, float | None] = {}
    latencies = []
    for file in files:
        report = asyncio.run(evaluate(load_lines(file, scenario), scenario, proposer, monotonic=time.perf_counter))
        row[f"{file.stem}: directional"] = report.directional.value
        latencies.append((report.latency_p50_ms, report.latency_p95_ms))
    if latencies:
        row["p50 ms"], row["p95 ms"] = (statistics.mean(column) for column in zip(*latencies, strict=True))
    return row


def show(rows: Mapping[str, Mapping[str, float | None]], *, summed_up: bool) -> None:
    """A line a variant, and where they are meant to be alike their mean and standard deviation."""
    columns = list(next(iter(rows.values())))
    table = Table("variant", *columns, title="Goal models trained alike")
    for name, row in rows.items():
        table.add_row(name, *(figure(row[c]) for c in columns))
    table.add_section()
    for name, summary in (("mean", statistics.mean), ("deviation", statistics.stdev)) if summed_up else ():
        cells = [[v for row in rows.values() if (v := row[c]) is not None] for c in columns]
        table.add_row(name, *(figure(summary(values)) if len(values) > 1 else "–" for values in cells))
    Console().print(table)


def figure(value: float | None) -> str:
    """A share with three decimals, anything larger without."""
    if value is None:
        return "–"
    return f"{value:.3f}" if abs(value) < 2 else f"{value:,.0f}"


if __name__ == "__main__":
    main()
