from __future__ import annotations

import pytest
import torch

from reward_llm.tuning.precision import fast_products, multiplies_bfloat16, product_bytes


@pytest.mark.parametrize(
    ("capabilities", "dtype", "size"),
    [
        ({"avx2": True, "avx512_f": False}, torch.float32, 4),
        ({"avx2": True, "avx512_f": True, "amx_bf16": True}, torch.bfloat16, 2),
        ({}, torch.float32, 4),
    ],
    ids=["avx2", "amx", "unknown"],
)
def test_products_are_in_bfloat16_only_where_the_cpu_is_fast_at_it(monkeypatch, capabilities, dtype, size) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    with fast_products():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
    assert multiplies_bfloat16() == (size == 2)
    assert product_bytes() == size
