"""The precision that matrices are multiplied in while training."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

import torch

_INSTRUCTIONS: Final = ("amx_bf16", "avx512_f", "bf16")


def multiplies_bfloat16() -> bool:
    """Whether the CPU has instructions that make products in bfloat16 the faster ones.

    Without them they are emulated: with AVX2 alone a product of 2048 × 256 by 256 × 768 takes a hundred times as long
    as in float32.
    """
    can = torch.cpu.get_capabilities()
    return any(can.get(name, False) for name in _INSTRUCTIONS)


def product_bytes() -> int:
    """How many bytes a number in a product takes."""
    return 2 if multiplies_bfloat16() else 4


def fast_products() -> AbstractContextManager[Any]:
    """Within it, matrices are multiplied in bfloat16 where that is fast, and else in float32."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=multiplies_bfloat16())
