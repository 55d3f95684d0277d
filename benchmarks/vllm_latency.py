"""The shipped goal model behind vLLM on this machine: latency, and what structured output costs.

    python benchmarks/vllm_latency.py --rounds 5

Starts `reward-llm model serve`, then answers the same goals in four ways, one at a time and eight at once:

    vllm            structured output, as the service asks for it
    vllm, free      the same prompt without a schema, for as many tokens as the structured answer had
    embedded        the service's other client: llguidance in the process, forced tokens without a forward pass
    transformers    plain `model.generate` for as many tokens as the structured answer had

Each round answers every goal once; a round before the first warms up. Reported are the medians over the rounds of
each round's 50th and 95th percentile, in milliseconds, from the moment a goal is sent, and goals a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from transformers import AutoTokenizer, Qwen2ForCausalLM

from reward_llm import bootstrap
from reward_llm.domain.completion import CompletionRequest, Vocabulary
from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import default_policy
from reward_llm.domain.scenario import Scope
from reward_llm.errors import ModelError
from reward_llm.generation.clients.embedded import EmbeddedConfig, EmbeddedModel
from reward_llm.generation.clients.scripted import ScriptedModel
from reward_llm.generation.clients.vllm import VllmConfig, VllmModel
from reward_llm.resources import checkpoint_dir

LANES = (1, 8)
LOG_CHARS = 4_000

Answer = Callable[[int], Awaitable[object]]
"""Answers the goal of that number."""


def main() -> None:
    """Measure every way, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goals", type=Path, default=Path("examples/goals.jsonl"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    bootstrap.let_openmp_wait()
    goals = [json.loads(line)["goal"] for line in options.goals.read_text("utf-8").splitlines()]
    with vllm_server() as url:
        results = asyncio.run(compare(url, goals, options.rounds))
    if options.json:
        print(json.dumps(results, indent=2))
        return
    show(results)


async def compare(url: str, goals: Sequence[str], rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Every way's latencies, by how many goals were asked at once."""
    requests = await requests_of(goals)
    served = VllmModel(VllmConfig(base_url=url, vocabulary=Vocabulary.CONCEPTS))
    embedded = EmbeddedModel(EmbeddedConfig())
    plain = PlainModel(threads=EmbeddedConfig().threads)
    answers = [(await served.complete(request)).text for request in requests]
    lengths = [plain.count(answer) for answer in answers]
    name = await served.ping()
    async with httpx.AsyncClient(base_url=url, timeout=None, trust_env=False) as http:  # noqa: S113
        ways: dict[str, Answer] = {
            "vllm": lambda n: served.complete(requests[n]),
            "vllm, free": lambda n: complete_freely(http, name, requests[n], lengths[n]),
            "embedded": lambda n: embedded.complete(requests[n]),
            "transformers": lambda n: plain.complete(requests[n], lengths[n]),
        }
        results = {
            name: {str(lanes): await measure(name, way, len(requests), lanes, rounds) for lanes in LANES}
            for name, way in ways.items()
        }
    await served.aclose()
    await embedded.aclose()
    return results


async def measure(name: str, answer: Answer, goals: int, lanes: int, rounds: int) -> dict[str, float]:
    """Medians over the rounds; milliseconds, and goals a second."""
    measured = []
    for number in track(range(rounds + 1), f"{name}, {lanes} at once", transient=True):
        seconds, elapsed = await one_round(answer, goals, lanes)
        cuts = statistics.quantiles(seconds, n=100, method="inclusive")
        if number:
            measured.append((1000 * cuts[49], 1000 * cuts[94], goals / elapsed))
    p50, p95, per_s = (statistics.median(column) for column in zip(*measured, strict=True))
    return {"p50_ms": p50, "p95_ms": p95, "goals_per_s": per_s}


async def one_round(answer: Answer, goals: int, lanes: int) -> tuple[list[float], float]:
    """Each goal's seconds, and those of all together, with so many lanes that take the next goal when one is done."""
    waiting, seconds = iter(range(goals)), []

    async def lane() -> None:
        for number in waiting:
            began = time.perf_counter()
            await answer(number)
            seconds.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(lanes)))
    return seconds, time.perf_counter() - began


async def requests_of(goals: Sequence[str]) -> list[CompletionRequest]:
    """What the service asks a model for each goal of the home feed; nothing for those that no model is shown."""
    model, now = ScriptedModel([ModelError("only noted")]), bootstrap.now()
    settings = bootstrap.load_settings()
    proposer = bootstrap.build_proposer(settings, model)
    home_feed = bootstrap.load_all_scenarios(settings)["home_feed"]
    for text in goals:
        goal = Goal(id="bench", scope=Scope("home_feed"), text=text, submitted_at=now)
        await proposer.propose(goal, home_feed, default_policy(home_feed, None, now))
    return model.requests


async def complete_freely(http: httpx.AsyncClient, model: str, request: CompletionRequest, tokens: int) -> None:
    """So many tokens from vLLM, whatever they say."""
    document = {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "max_tokens": tokens,
        "temperature": 0,
        "ignore_eos": True,
    }
    (await http.post("chat/completions", json=document)).raise_for_status()


class PlainModel:
    """The shipped checkpoint through `generate`, one goal at a time."""

    def __init__(self, *, threads: int) -> None:
        torch.set_num_threads(threads)
        self._tokenizer = AutoTokenizer.from_pretrained(checkpoint_dir(), local_files_only=True)
        self._model = Qwen2ForCausalLM.from_pretrained(
            checkpoint_dir(), local_files_only=True, dtype=torch.float32
        ).eval()
        self._executor = ThreadPoolExecutor(max_workers=1)

    def count(self, text: str) -> int:
        """The text's tokens, with the one that ends it."""
        return len(self._tokenizer.encode(text, add_special_tokens=False)) + 1

    async def complete(self, request: CompletionRequest, tokens: int) -> None:
        """So many tokens, whatever they say."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._generate, request, tokens)

    @torch.inference_mode()
    def _generate(self, request: CompletionRequest, tokens: int) -> None:
        chat = [{"role": m.role, "content": m.content} for m in request.messages]
        prompt = self._tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        self._model.generate(**prompt, min_new_tokens=tokens, max_new_tokens=tokens, do_sample=False)


@contextmanager
def vllm_server() -> Iterator[str]:
    """The base URL of the shipped goal model behind vLLM, warm."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-c", "from reward_llm.cli import main; main()", "model", "serve"]
        process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            # Once it is warm, the command says how to use the server.
            if process.stdout is None or not any("reward-llm serve" in line for line in process.stdout):
                log.seek(0)
                raise SystemExit(log.read().decode("utf-8", "replace")[-LOG_CHARS:])
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(60)


def show(results: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """A row a way and number of goals at once."""
    table = Table("", "at once", "p50 ms", "p95 ms", "goals/s")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, by_lanes in results.items():
        for lanes, r in by_lanes.items():
            table.add_row(name, lanes, f"{r['p50_ms']:,.0f}", f"{r['p95_ms']:,.0f}", f"{r['goals_per_s']:,.1f}")
    out = Console()
    out.print(table)
    for lanes in map(str, LANES):
        cost = results["vllm"][lanes]["p50_ms"] / results["vllm, free"][lanes]["p50_ms"] - 1
        out.print(f"structured output, {lanes} at once: {cost:+.0%} of free text's p50")


if __name__ == "__main__":
    main()
