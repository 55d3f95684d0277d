"""What vLLM's server is started with, decided without starting anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reward_llm.errors import ConfigurationInvalid
from reward_llm.generation.vllm_server.build import VllmBuild

_STRUCTURED_OUTPUTS: Final = {"backend": "guidance", "disable_any_whitespace": True}
"""guidance refuses a schema that it can't enforce, and compiles ours in milliseconds; white space between tokens
would let a small model run on until its answer is cut off."""
_VARIABLES: Final = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_HOST_IP": "127.0.0.1",
}
"""The checkpoint is a folder, so nothing is fetched; nothing is reported; workers talk on loopback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmServerConfig:
    """What is served, where, and on what.

    Raises:
        ConfigurationInvalid: If GPUs are asked of a build that knows none.
    """

    python: Path
    """The interpreter of vLLM's environment."""
    build: VllmBuild
    checkpoint: Path
    name: str
    """The model's name to those who ask it."""
    host: str = "127.0.0.1"
    port: int = 8311
    max_model_len: int | None = None
    """Tokens of prompt and answer together; None takes what the checkpoint's configuration says."""
    gpus: int | None = None
    """GPUs of this machine that share the model (tensor parallel); None leaves it to vLLM, which takes one."""
    cpus: tuple[int, ...] = ()
    """The processors that a CPU build's threads are bound to."""

    def __post_init__(self) -> None:
        if self.gpus is not None and self.build.cpu:
            raise ConfigurationInvalid(
                f"vLLM {self.build.version} in {self.python} is the CPU build and knows no GPUs",
                hint="leave --gpus out, or build the environment with `make vllm-env VLLM_BUILD=gpu`",
            )

    @property
    def url(self) -> str:
        """Where the server is found from this machine, without a path."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def command_line(config: VllmServerConfig) -> list[str]:
    """The program and its arguments."""
    options = {
        "--model": config.checkpoint,
        "--served-model-name": config.name,
        "--host": config.host,
        "--port": config.port,
        "--max-model-len": config.max_model_len,
        "--tensor-parallel-size": config.gpus,
        # Without it, sampling defaults of the checkpoint such as a repetition penalty would bend every answer.
        "--generation-config": "vllm",
        "--structured-outputs-config": json.dumps(_STRUCTURED_OUTPUTS, separators=(",", ":")),
    }
    flags = ["--enable-prefix-caching", *(["--enforce-eager"] if config.build.cpu else [])]
    # The module rather than `vllm serve`, which the CPU wheel can't run: it looks for a package named vllm.
    program = [str(config.python), "-m", "vllm.entrypoints.openai.api_server"]
    return [*program, *(str(p) for o in options.items() if o[1] is not None for p in o), *flags]


def variables(config: VllmServerConfig) -> dict[str, str]:
    """The environment variables that the server needs beside those that are there."""
    if not config.build.cpu:
        return dict(_VARIABLES)
    return _VARIABLES | {
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, config.cpus)) or "auto",
        "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
        # Threads that spin between requests starve the process that they wait for: a third of the speed.
        "KMP_BLOCKTIME": "0",
    }
