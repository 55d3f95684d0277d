"""The lists by the compiled kernels."""

# B batch, L lists, M candidates, N slate, K utilities

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.errors import ModelInvalid
from ranker.objective import Objective
from ranker.requests import Requests
from ranker.scorer.config import ScorerConfig
from ranker.scorer.layout import Batch, Held, Task
from ranker.scorer.library import load_library
from ranker.scorer.lists import Lists, drawn_noise
from ranker.scorer.packing import Packed, packed_sensitive

_FIELDS = (
    *("user_BF", "item_BMF", "item_id_BMC", "valid_BM", "price_BM", "age_days_BM", "seller_BM", "category_BM"),
    *("group_BM", "supply_type_BM", "is_new_BM", "pinned_BM", "forbidden_BM"),
)
"""In the order of `layout.Batch`."""


class CompiledEngine:
    """An `Engine` for actors and objectives that the kernels know.

    Raises:
        DependencyMissing: If the kernels can't be compiled here.
        ModelInvalid: If the objective or a network is none that they know.
    """

    def __init__(self, actor: Actor, objective: Objective, config: ScorerConfig) -> None:
        if objective.evaluator is None:
            raise ModelInvalid("an objective without an evaluator isn't compiled")
        self._packed = Packed.of(actor, objective.evaluator, objective.utilities)
        self._library = load_library(config.cache)
        self._config, self._utilities = config, len(objective.utilities)
        self._pool = ThreadPoolExecutor(config.threads, "ranker") if config.threads > 1 else None
        self._noise = drawn_noise(config)
        self._trade_offs = torch.tensor(config.trade_offs, dtype=torch.float64)
        self._temperatures = torch.tensor(config.temperatures, dtype=torch.float64)

    def prepared(self, sensitive: dict[str, Tensor]) -> Tensor:
        """Give them in one block."""
        return packed_sensitive(sensitive)

    def greedy(self, requests: Requests, parameters: Sequence[Any], size: int) -> Tensor:
        """Give the actor's greedy lists."""
        slate_BN = torch.empty(requests.B, size, dtype=torch.int64)
        held = Held()
        task = self._task(held, requests, parameters, size)
        task.slate = slate_BN.data_ptr()
        self._run(self._library.ranker_greedy, task, requests.B)
        return slate_BN

    def lists(self, requests: Requests, simplex_BK: Tensor, parameters: Sequence[Any], size: int) -> Lists:
        """Give the competing lists."""
        count = len(self._config.names)
        lists = Lists(
            slate_BLN=torch.empty(requests.B, count, size, dtype=torch.int64),
            reward_BL=torch.empty(requests.B, count),
            utility_BLK=torch.empty(requests.B, count, self._utilities),
        )
        held = Held()
        task = self._task(held, requests, parameters, size)
        task.weights = held.at(simplex_BK.contiguous())
        task.slate, task.reward = lists.slate_BLN.data_ptr(), lists.reward_BL.data_ptr()
        task.utility = lists.utility_BLK.data_ptr()
        self._run(self._library.ranker_rank, task, requests.B)
        return lists

    def _task(self, held: Held, requests: Requests, parameters: Sequence[Tensor], size: int) -> Task:
        config, packed = self._config, self._packed
        widths = (requests.M, requests.user_BF.shape[-1], requests.item_BMF.shape[-1], requests.item_id_BMC.shape[-1])
        batch = Batch(*widths, *(held.at(getattr(requests, name).contiguous()) for name in _FIELDS))
        theta = (ctypes.c_void_p * requests.B)(*(held.at(one) for one in parameters))
        return Task(
            actor=packed.actor,
            evaluator=packed.evaluator,
            utilities=packed.utilities,
            batch=held.to(batch),
            theta=held.to(theta),
            noise=self._noise.data_ptr(),
            trade_offs=self._trade_offs.data_ptr(),
            temperatures=self._temperatures.data_ptr(),
            size=size,
            samples=config.samples,
            greedy=config.greedy,
            trade_off_count=len(config.trade_offs),
            temperature_count=len(config.temperatures),
            neighbours=config.neighbours,
            sweeps=config.sweeps,
            greedy_positions=config.greedy_positions,
            sweep_positions=config.sweep_positions,
            lists=len(config.names),
        )

    def _run(self, function: Callable[..., None], task: Task, rows: int) -> None:
        """Compute all rows; the interpreter's lock is free meanwhile."""
        address = ctypes.addressof(task)
        if self._pool is None or rows == 1:
            function(address, 0, rows)
            return
        share = -(-rows // self._config.threads)
        spans = [(start, min(start + share, rows)) for start in range(0, rows, share)]
        for done in [self._pool.submit(function, address, *span) for span in spans]:
            done.result()
