"""The program: its commands, and how it ends.

What is heavy is imported inside the commands, so that `weights` and `--help` answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import typer

from reward_llm.cli import audit, db, evaluate, goals, model, policies, prompts, scenarios, scopes, tokens, webhooks
from reward_llm.cli.output import exit_code, print_error
from reward_llm.cli.serve import serve
from reward_llm.cli.submit import submit
from reward_llm.cli.weights import weights
from reward_llm.errors import RewardLLMError

_EPILOG: Final = (
    "Exit codes: 0 done; 1 refused or failed; 2 wrong usage or settings; 3 the service can't be reached. "
    "Every setting is also a REWARD_LLM_* variable; REWARD_LLM_URL says where the service runs."
)

app = typer.Typer(
    name="reward-llm",
    help="Business goals in, checked recommender weights out.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve)
app.command()(submit)
app.command()(weights)
app.add_typer(goals.app, name="goals")
app.add_typer(policies.app, name="policies")
app.add_typer(scopes.app, name="scopes")
app.add_typer(prompts.app, name="prompts")
app.add_typer(scenarios.app, name="scenarios")
app.add_typer(model.app, name="model")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(tokens.app, name="tokens")
app.add_typer(audit.app, name="audit")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(db.app, name="db")


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say and give the exit code."""
    try:
        app(args=list(arguments), prog_name="reward-llm")
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except RewardLLMError as exc:
        print_error(exc)
        return exit_code(exc)
    return 0


def main() -> None:
    """The entry point of `reward-llm`."""
    sys.exit(run(sys.argv[1:]))
