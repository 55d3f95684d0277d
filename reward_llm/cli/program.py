"""The program: its commands, and how it ends.

A command's module is imported once the command is asked for, and what is heavy inside the command, so that `weights`
and `--help` answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import typer

from reward_llm.cli.groups import LoadedWhenAsked
from reward_llm.errors import RewardLLMError

_EPILOG: Final = (
    "Exit codes: 0 done; 1 refused or failed; 2 wrong usage or settings; 3 the service can't be reached. "
    "Every setting is also a REWARD_LLM_* variable; REWARD_LLM_URL says where the service runs."
)


class _Program(LoadedWhenAsked):
    homes = MappingProxyType(
        {
            "serve": "reward_llm.cli.serve:serve",
            "submit": "reward_llm.cli.submit:submit",
            "weights": "reward_llm.cli.weights:weights",
            "goals": "reward_llm.cli.goals:app",
            "policies": "reward_llm.cli.policies:app",
            "scopes": "reward_llm.cli.scopes:app",
            "prompts": "reward_llm.cli.prompts:app",
            "scenarios": "reward_llm.cli.scenarios:app",
            "model": "reward_llm.cli.model:app",
            "evaluate": "reward_llm.cli.evaluate:app",
            "ranker": "reward_llm.cli.ranker:app",
            "simulate": "reward_llm.cli.simulate:simulate",
            "solve": "reward_llm.cli.solve:app",
            "search": "reward_llm.cli.search:app",
            "agents": "reward_llm.cli.agents:app",
            "worker": "reward_llm.cli.worker:worker",
            "metrics": "reward_llm.cli.metrics:metrics",
            "experiments": "reward_llm.cli.experiments:app",
            "controllers": "reward_llm.cli.controllers:app",
            "tokens": "reward_llm.cli.tokens:app",
            "audit": "reward_llm.cli.audit:app",
            "webhooks": "reward_llm.cli.webhooks:app",
            "db": "reward_llm.cli.db:app",
        }
    )


app = typer.Typer(
    name="reward-llm",
    cls=_Program,
    help="Business goals in, checked recommender weights out.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _program() -> None:
    """A callback makes a program of commands of this, although none is registered here."""


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say and give the exit code."""
    try:
        app(args=list(arguments), prog_name="reward-llm")
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except RewardLLMError as exc:
        from reward_llm.cli.output import exit_code, print_error

        print_error(exc)
        return exit_code(exc)
    return 0


def main() -> None:
    """The entry point of `reward-llm`."""
    sys.exit(run(sys.argv[1:]))
