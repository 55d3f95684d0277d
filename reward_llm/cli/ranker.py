"""`reward-llm ranker`: the re-ranker."""

from __future__ import annotations

import typer

from reward_llm.cli import ranker_data
from reward_llm.cli.ranker_bench import bench
from reward_llm.cli.ranker_evaluate import evaluate
from reward_llm.cli.ranker_explain import explain
from reward_llm.cli.ranker_train import train

app = typer.Typer(no_args_is_help=True, help="The re-ranker: train one, look at how good it is, make logs for it.")
app.command()(train)
app.command()(evaluate)
app.command()(bench)
app.command()(explain)
app.add_typer(ranker_data.app, name="data")
