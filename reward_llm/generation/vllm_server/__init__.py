"""vLLM's OpenAI-compatible server as a child process; vLLM itself lives in an environment of its own."""

from __future__ import annotations

from reward_llm.generation.vllm_server.build import VllmBuild, find_build
from reward_llm.generation.vllm_server.config import VllmServerConfig, command_line, variables
from reward_llm.generation.vllm_server.process import VllmServer, check_port
from reward_llm.generation.vllm_server.warm_up import warm_up

__all__ = [
    "VllmBuild",
    "VllmServer",
    "VllmServerConfig",
    "check_port",
    "command_line",
    "find_build",
    "variables",
    "warm_up",
]
