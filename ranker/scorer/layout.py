"""How networks and requests lie in memory for the kernels: the structures of `kernels/*.h`, field by field."""

# M candidates, P entries

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Tensor

LANES: Final = 16
"""Floats of a vector; rows are padded to whole ones."""

Number, Address = ctypes.c_int64, ctypes.c_void_p


class Layer(ctypes.Structure):
    """A linear layer."""

    _fields_ = (("weight", Address), ("bias", Address), ("in", Number), ("out", Number))


class Reader(ctypes.Structure):
    """How a candidate is read."""

    _fields_ = (
        *((name, Address) for name in ("table", "sizes", "offsets")),
        *((name, Number) for name in ("columns", "width", "last_group", "extra")),
        ("user", Address),
        ("item", Layer),
    )


class ActorNet(ctypes.Structure):
    """The actor, but for what the weights make."""

    _fields_ = (
        ("read", Reader),
        *((name, Layer) for name in ("phi", "own", "others", "start", "query", "progress", "given", "kept")),
        ("hidden", Number),
        ("attention", Number),
    )


class EvaluatorNet(ctypes.Structure):
    """The evaluator."""

    _fields_ = (
        ("read", Reader),
        *((name, Layer) for name in ("total", "narrow")),
        *((name, Address) for name in ("total_bias", "flat")),
        *((name, Layer) for name in ("attend", "given", "kept", "like")),
        ("dots", Address),
        *((name, Layer) for name in ("of_own", "of_recur", "of_position", "of_slate")),
        *((name, Layer) for name in ("item_out", "slate_in", "slate_out")),
        *((name, Address) for name in ("examination", "scale", "shift")),
        *((name, Number) for name in ("width", "channel", "heads", "narrow_width", "positions")),
        ("usual", ctypes.c_float),
        ("averaged", Number),
    )


class Utility(ctypes.Structure):
    """One utility and its range."""

    _fields_ = (("kind", Number), *((name, ctypes.c_float) for name in ("setting", "low", "high")))


class Utilities(ctypes.Structure):
    """All of them, in the order of the weights."""

    _fields_ = (("count", Number), ("utility", Address))


class Batch(ctypes.Structure):
    """The requests."""

    _fields_ = (
        *((name, Number) for name in ("candidates", "user_width", "item_width", "id_width")),
        *((name, Address) for name in ("user", "item", "item_id", "valid", "price", "age_days")),
        *((name, Address) for name in ("seller", "category", "group", "supply_type")),
        *((name, Address) for name in ("is_new", "pinned", "forbidden")),
    )


class Task(ctypes.Structure):
    """What is to be computed, and where the answer goes."""

    _fields_ = (
        *((name, Address) for name in ("actor", "evaluator", "utilities", "batch", "theta", "weights", "noise")),
        *((name, Address) for name in ("trade_offs", "temperatures")),
        *((name, Number) for name in ("size", "samples", "greedy", "trade_off_count", "temperature_count")),
        *((name, Number) for name in ("neighbours", "sweeps", "greedy_positions", "sweep_positions", "lists")),
        *((name, Address) for name in ("slate", "reward", "utility")),
    )


def up(count: int) -> int:
    """Give the count rounded up to whole vectors."""
    return -(-count // LANES) * LANES


def padded(value: Tensor, *widths: int) -> Tensor:
    """Give a float32 tensor with its last dimensions padded by zeros, up to `widths` or to whole vectors."""
    goal = widths or (up(value.shape[-1]),)
    extra = [width - size for size, width in zip(value.shape[::-1], goal[::-1], strict=False)]
    padding = [count for more in extra for count in (0, more)]
    return torch.nn.functional.pad(value.detach().float(), padding).contiguous()


class Held:
    """Structures with the tensors that they point into, which live as long as it does."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def at(self, value: Tensor) -> int:
        """Give the address of a contiguous tensor."""
        self._kept.append(value)
        return value.data_ptr()

    def to(self, structure: ctypes.Structure | ctypes.Array[Any]) -> int:
        """Give the address of a structure."""
        self._kept.append(structure)
        return ctypes.addressof(structure)

    def layer(self, weight_OI: Tensor, bias_O: Tensor | None = None) -> Layer:
        """Lay out a layer; without a bias it is 0."""
        out, given = weight_OI.shape
        bias_O = torch.zeros(out) if bias_O is None else bias_O
        return Layer(self.at(padded(weight_OI.t())), self.at(padded(bias_O)), given, out)


def concatenated(parts: Iterable[Tensor]) -> Tensor:
    """Give tensors one after the other in one block."""
    return torch.cat([part.reshape(-1) for part in parts])
