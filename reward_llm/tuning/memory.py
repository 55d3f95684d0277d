"""What a tuning run needs of memory, and what the machine has.

P parameters, A of them in adapters, T tokens at once, S tokens of the longest example, L layers, H heads, D hidden,
F feed-forward, b bytes of a number in a product: 2 in bfloat16, 4 in float32. Weights take 4P bytes, or bP below
adapters; gradients 4 and AdamW's two moments 8 a trained parameter; copies in bfloat16 another 2P where weights are
in float32. A layer keeps about bT(16D + 6F) bytes for the way back (Korthikanti et al. 2022, section 4.1, with
a gated feed-forward layer and norms in float32), and 5THS with attention that isn't fused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psutil

from reward_llm.errors import MemoryInsufficient
from reward_llm.tuning.tuning_config import LORA_RANK, TuningConfig
from reward_llm.validation.checkpoints import tensor_shapes

UNFUSED_TOKENS: Final = 768
"""The longest example with which attention isn't fused: the fused kernel's way back is slower, but needs less."""
_ANSWER_SHARE: Final = 0.25
_RUNTIME: Final = 300_000_000
_CGROUPS: Final = Path("/sys/fs/cgroup")
_FLOAT32: Final = 4
_GIGABYTE: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """What a model's memory depends on."""

    parameters: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int

    @classmethod
    def of(cls, folder: Path) -> ModelSize:
        """The size of a checkpoint that was checked."""
        config = json.loads((folder / "config.json").read_text("utf-8"))
        return cls(
            parameters=sum(math.prod(s) for s in tensor_shapes(folder / "model.safetensors").values()),
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            heads=config["num_attention_heads"],
            kv_heads=config["num_key_value_heads"],
            feed_forward=config["intermediate_size"],
            vocabulary=config["vocab_size"],
        )

    def adapters(self, rank: int) -> int:
        """The parameters of adapters on every matrix of every layer."""
        narrow = self.hidden * self.kv_heads // self.heads
        sides = [2 * self.hidden] * 2 + [self.hidden + narrow] * 2 + [self.hidden + self.feed_forward] * 3
        return rank * self.layers * sum(sides)

    def with_layers(self, layers: int) -> ModelSize:
        """The size with fewer layers."""
        of_layers = self.parameters - self.vocabulary * self.hidden
        dropped = of_layers * (self.layers - layers) // self.layers
        return replace(self, layers=layers, parameters=self.parameters - dropped)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNeed:
    """Bytes that a run needs at its highest."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    reading: int
    """To read the goals that are kept back, before and after: a model in float32, when nothing else is there."""

    @property
    def total(self) -> int:
        """All that is there at once."""
        training = self.weights + self.gradients + self.optimizer + self.activations
        return max(training, self.reading) + _RUNTIME

    def __str__(self) -> str:
        parts = {"weights": self.weights, "gradients": self.gradients, "optimizer": self.optimizer}
        parts |= {"activations": self.activations}
        return ", ".join(f"{name} {size / _GIGABYTE:.2f}" for name, size in parts.items())


def memory_need(size: ModelSize, config: TuningConfig, longest: int, product_bytes: int = 2) -> MemoryNeed:
    """What the run needs when its longest example has so many tokens."""
    at_once = max(config.batch_tokens, longest)
    trained = size.parameters if config.lora_rank is None else size.adapters(config.lora_rank)
    kept = product_bytes * at_once * (16 * size.hidden + 6 * size.feed_forward)
    if longest <= UNFUSED_TOKENS:
        kept += 5 * at_once * size.heads * longest
    copies = product_bytes if product_bytes < _FLOAT32 else 0
    logits = int(12 * size.vocabulary * _ANSWER_SHARE * at_once)
    return MemoryNeed(
        weights=_FLOAT32 * trained + (copies if config.lora_rank is None else product_bytes) * size.parameters,
        gradients=_FLOAT32 * trained,
        optimizer=2 * _FLOAT32 * trained,
        activations=size.layers * kept + logits,
        reading=_FLOAT32 * size.parameters,
    )


def check_memory(
    size: ModelSize, config: TuningConfig, longest: int, available: int, product_bytes: int = 2
) -> MemoryNeed:
    """The run's need, if so many bytes are enough for it.

    Raises:
        MemoryInsufficient: If they aren't; its hint says what would fit.
    """
    need = memory_need(size, config, longest, product_bytes)
    if need.total <= available:
        return need
    fitting = [words for words, total in _lighter(size, config, longest, product_bytes) if total <= available]
    raise MemoryInsufficient(
        f"{config.method} of {size.parameters / 1e6:,.0f} M parameters needs about {need.total / _GIGABYTE:.1f} GB "
        f"({need}); {available / _GIGABYTE:.1f} GB are available",
        hint=_hint(fitting),
    )


def available_memory() -> int:
    """Bytes that this process may still take: the machine's, and no more than its cgroup leaves it."""
    machine: int = psutil.virtual_memory().available
    return min([machine, *cgroup_headroom(_CGROUPS, Path("/proc/self/cgroup"))])


def cgroup_headroom(root: Path, membership: Path) -> Iterator[int]:
    """Bytes below the limit of each cgroup that the process is in, of version 2 and of version 1.

    Args:
        root: Where cgroups are mounted.
        membership: The process's `/proc/self/cgroup`.
    """
    for line in membership.read_text("utf-8").splitlines() if membership.is_file() else []:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _headrooms(root, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            files = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            yield from _headrooms(root / "memory", path, *files)


def _headrooms(mount: Path, path: str, limit: str, used: str, cache: str) -> Iterator[int]:
    group = mount / path.lstrip("/")
    for folder in (group, *group.parents):
        if not folder.is_relative_to(mount):
            return
        at_most, now = (_number(folder / name) for name in (limit, used))
        if at_most is not None and now is not None:
            yield at_most - now + _reclaimable(folder / "memory.stat", cache)


def _number(file: Path) -> int | None:
    text = file.read_text("utf-8").strip() if file.is_file() else ""
    return int(text) if text.isdecimal() else None


def _reclaimable(file: Path, name: str) -> int:
    """What the group holds of files that it could let go."""
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)


def _lighter(size: ModelSize, config: TuningConfig, longest: int, product_bytes: int) -> Iterator[tuple[str, int]]:
    """Ways to need less, each beside the bytes that it needs, the mildest first."""
    small = replace(config, batch_tokens=longest)
    adapters = replace(small, lora_rank=config.lora_rank or LORA_RANK)
    half = max(2, size.layers // 2)
    trimmed = memory_need(size.with_layers(half), adapters, longest, product_bytes).total
    if longest < config.batch_tokens:
        yield f"--batch-tokens {longest}", memory_need(size, small, longest, product_bytes).total
    if config.lora_rank is None:
        with_adapters = replace(config, lora_rank=LORA_RANK)
        yield f"--lora {LORA_RANK}", memory_need(size, with_adapters, longest, product_bytes).total
        yield (
            f"--lora {LORA_RANK} --batch-tokens {longest}",
            memory_need(size, adapters, longest, product_bytes).total,
        )
    if half < size.layers:
        flags = f"--lora {adapters.lora_rank} --batch-tokens {longest}"
        yield f"a base trimmed to {half} layers (`model trim --layers {half}`) with {flags}", trimmed


def _hint(fitting: Sequence[str]) -> str:
    if not fitting:
        return "Nothing lighter fits either; take a smaller base or a larger machine."
    return f"What fits: {'; '.join(fitting)}."
