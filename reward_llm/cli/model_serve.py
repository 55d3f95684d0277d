"""`reward-llm model serve`: a goal model behind vLLM."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from reward_llm.cli.output import console
from reward_llm.cli.serve import is_loopback
from reward_llm.domain.completion import Vocabulary
from reward_llm.errors import ModelError
from reward_llm.resources import checkpoint_dir

if TYPE_CHECKING:
    from reward_llm.generation.vllm_server import VllmServer, VllmServerConfig

_SHIPPED_NAME: Final = "goal-model"
_MAX_DEADLINE_S: Final = 600.0
_OPEN: Final = (
    "{host} can be reached from outside, and an API key guards only a part of vLLM's paths: keep it on a private "
    "network, or behind a proxy that lets only /v1 through."
)


def serve(  # noqa: PLR0913 - each is an option
    checkpoint: Annotated[
        Path | None, typer.Argument(metavar="CHECKPOINT", help="A Qwen2 checkpoint; the one that ships.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option("--name", help="The model's name; the folder's.")] = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535)] = 8311,
    max_model_len: Annotated[
        int | None, typer.Option("--max-model-len", min=1, help="Tokens of prompt and answer; the model's own limit.")
    ] = None,
    python: Annotated[
        Path | None, typer.Option("--python", help="The Python of vLLM's environment; .venv-vllm/bin/python.")
    ] = None,
    gpus: Annotated[
        int | None, typer.Option("--gpus", min=1, help="GPUs of this machine to split the model over.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Seconds until it must be ready.")] = 600,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the command with its variables instead of running it.")
    ] = False,
) -> None:
    """Serve a goal model with vLLM until it is stopped."""
    from reward_llm import bootstrap
    from reward_llm.generation.vllm_server import VllmServerConfig, check_port, find_build
    from reward_llm.validation.checkpoints import check_servable

    settings = bootstrap.load_settings(vllm_python=python)
    folder = (checkpoint or checkpoint_dir()).resolve()
    check_servable(folder)
    interpreter = settings.vllm_python.absolute()
    config = VllmServerConfig(
        python=interpreter,
        build=find_build(interpreter),
        checkpoint=folder,
        name=name or (folder.name if checkpoint else _SHIPPED_NAME),
        host=host,
        port=port,
        max_model_len=max_model_len,
        gpus=gpus,
        cpus=tuple(sorted(os.sched_getaffinity(0))),
    )
    key = settings.vllm_api_key
    if print_only:
        _print_command(config, with_key=key is not None)
        return
    check_port(host, port)
    _run(config, key.get_secret_value() if key else None, timeout)


def _run(config: VllmServerConfig, key: str | None, timeout_s: float) -> None:
    from reward_llm.generation.vllm_server import VllmServer, command_line, variables

    people = Console(stderr=True, highlight=False, soft_wrap=True)
    if not is_loopback(config.host):
        people.print(Text.assemble(("warning: ", "bold red"), _OPEN.format(host=config.host)))
    environment = variables(config) | os.environ | ({"VLLM_API_KEY": key} if key else {})
    log = _Log(people)
    began = time.monotonic()
    with VllmServer(command_line(config), environment, on_line=log) as server:
        server.pass_signals_on()
        try:
            with log.waiting():
                _wait_until_warm(server, config, timeout_s, log)
        except ModelError:
            if server.was_told_to_stop:
                raise typer.Exit(server.wait()) from None
            raise
        _print_ready(config, time.monotonic() - began, with_key=key is not None)
        raise typer.Exit(server.wait())


def _wait_until_warm(server: VllmServer, config: VllmServerConfig, timeout_s: float, log: _Log) -> None:
    from reward_llm import bootstrap

    log.phase(f"vLLM {config.build.version} loads {config.name}")
    server.wait_until_healthy(config.url, timeout_s)
    log.phase(f"{config.name} reads its first goals")
    settings = bootstrap.load_settings(
        **_client_settings(config), vllm_model=config.name, deadline_s=min(timeout_s, _MAX_DEADLINE_S)
    )
    try:
        asyncio.run(bootstrap.warm_up(settings))
    except ModelError:
        server.check_running()
        raise


def _client_settings(config: VllmServerConfig) -> dict[str, Any]:
    """The settings with which the service uses the server."""
    from reward_llm.validation.calibrations import CALIBRATION
    from reward_llm.validation.checkpoints import was_trained_here

    settings = {"backend": "vllm", "vllm_url": f"{config.url}/v1"}
    if was_trained_here(config.checkpoint):
        settings["vocabulary"] = Vocabulary.CONCEPTS.value
    if (config.checkpoint / CALIBRATION).is_file():
        settings["calibration"] = str(config.checkpoint / CALIBRATION)
    return settings


def _print_ready(config: VllmServerConfig, seconds: float, *, with_key: bool) -> None:
    out = console()
    out.print(Text(f"{config.name} at {config.url}/v1, ready after {seconds:.0f} s. To read goals with it:\n"))
    for name, value in _client_settings(config).items():
        out.print(Text(f"export REWARD_LLM_{name.upper()}={shlex.quote(value)}"), soft_wrap=True)
    if with_key:
        out.print(Text("export REWARD_LLM_VLLM_API_KEY=…  # as it is set here"))
    out.print(Text("reward-llm serve --dev"))


def _print_command(config: VllmServerConfig, *, with_key: bool) -> None:
    """As a shell takes it; the key stays a variable, so that it isn't shown."""
    from reward_llm.generation.vllm_server import command_line, variables

    assignments = [shlex.quote(f"{k}={os.environ.get(k, v)}") for k, v in variables(config).items()]
    if with_key:
        assignments.append('VLLM_API_KEY="$REWARD_LLM_VLLM_API_KEY"')
    print(" \\\n  ".join(["env", *assignments, shlex.join(command_line(config))]))


class _Log:
    """Where vLLM's lines go: beside a spinner while a person waits at a terminal, else to standard error."""

    def __init__(self, to: Console) -> None:
        self._to = to
        self._phase = ""
        self._progress: Progress | None = None

    def __call__(self, line: str) -> None:
        progress = self._progress  # the lines come from a thread of their own
        if progress is None:
            self._to.print(Text.from_ansi(line))
        else:
            self._show(progress, line)

    def phase(self, words: str) -> None:
        """Say what is waited for."""
        self._phase = words
        if self._progress is None:
            self._to.print(Text(f"{words} …"))
        else:
            self._show(self._progress, "")

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While the block runs, a terminal shows the phase, its last line and the time."""
        if not self._to.is_terminal:
            yield
            return
        rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)
        text = TextColumn("{task.description}", markup=False, table_column=rest)
        progress = Progress(SpinnerColumn(), TimeElapsedColumn(), text, console=self._to, expand=True, transient=True)
        progress.add_task("", total=None)
        try:
            with progress:
                self._progress = progress
                yield
        finally:
            self._progress = None

    def _show(self, progress: Progress, line: str) -> None:
        progress.update(progress.task_ids[0], description=f"{self._phase}  {Text.from_ansi(line).plain}")
