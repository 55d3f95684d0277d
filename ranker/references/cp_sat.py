"""The proven best slate of a separable case, by integer programming (OR-tools CP-SAT)."""

# M candidates, N slate, K utilities

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, Final

from torch import Tensor

from ranker.errors import DependencyMissing, SearchInvalid
from ranker.references.case import SeparableCase
from ranker.references.space import Found, SlateSpace, best_of
from ranker.utilities import UTILITY_NAMES, ColdStart, normalised

_SCALE: Final = 1_000_000_000
"""Rewards in integers: rounding costs less than 1e-7 of a slate's reward."""
_SHARE: Final = 1_000_000


def cp_sat(
    case: SeparableCase,
    weights_K: Tensor,
    *,
    seconds: float = 10.0,
    workers: int = 1,
    seed: int = 0,
    start: tuple[int, ...] | None = None,
) -> Found:
    """Give the best slate that is found in `seconds`, with the bound that is proven by then, None without one.

    With x_ip for item i at slot p: the predicted utilities are linear in x. Diversity loses sum_g c_g (c_g - 1) / 2
    pairs, convex in the counts, so that c_g = sum_k d_gk with costs k - 1 needs no order of the d. A pair p < q is
    out of order if some priority t has k_p > t >= k_q: inv_pq >= Y_pt - Y_qt, Y_pt = sum of x_ip with k_i > t. Cold
    start is a variable below both the share and 1.

    Args:
        case: What is searched.
        weights_K: The weights of the seven, at least 0.
        seconds: Most time.
        workers: Threads; one makes runs repeatable up to the time limit.
        seed: Of the solver.
        start: A slate to start from; the result is worth at least as much.

    Raises:
        DependencyMissing: If OR-tools isn't installed.
        SearchInvalid: If no slate is found in time.
        WeightsInvalid: If the weights are no weights.
    """
    cp_model = _cp_model()
    weights_K = normalised(weights_K[None].double())[0]
    program = _Program.of(cp_model.CpModel(), case, weights_K)
    for key in () if start is None else program.x:
        program.model.add_hint(program.x[key], int(start is not None and start[key[1]] == key[0]))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    status = solver.solve(program.model)
    if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        slates = [program.slate(solver), *([] if start is None else [start])]
        best = best_of(case.objective(weights_K), slates)
        bound = best.reward if status == cp_model.OPTIMAL else program.constant + solver.best_objective_bound / _SCALE
        return replace(best, bound=max(bound, best.reward))
    if start is None:
        raise SearchInvalid(f"CP-SAT found no slate in {seconds} s", hint="give it more time, or a start")
    return best_of(case.objective(weights_K), [start])


@dataclass(frozen=True, slots=True)
class _Program:
    model: Any
    case: SeparableCase
    space: SlateSpace
    weights: dict[str, float]
    x: dict[tuple[int, int], Any]
    constant: float
    """What the reward has beside the objective."""

    @classmethod
    def of(cls, model: Any, case: SeparableCase, weights_K: Tensor) -> _Program:
        space = case.space
        items = [*space.items, *space.pins.values()]
        keys = itertools.product(items, range(case.size))
        x = {(item, slot): model.new_bool_var(f"x_{item}_{slot}") for item, slot in keys}
        weights = dict(zip(UTILITY_NAMES, weights_K.tolist(), strict=True))
        # Diversity and group order are written as losses from 1; of a single item no pair is lost.
        program = cls(model, case, space, weights, x, weights["diversity"] + weights["group_order"])
        program._place(items)
        gain = case.gain(weights_K)
        linear = sum(round(float(gain[item, slot]) * _SCALE) * var for (item, slot), var in x.items())
        model.maximize(linear + program._cold_start() - program._repeats() - program._inversions())
        return program

    def slate(self, solver: Any) -> tuple[int, ...]:
        """Read the slate from the solution."""
        at = {slot: item for (item, slot), var in self.x.items() if solver.value(var)}
        return tuple(at[slot] for slot in range(self.case.size))

    def _place(self, items: list[int]) -> None:
        for slot in range(self.case.size):
            self.model.add_exactly_one(self.x[item, slot] for item in items)
        for item in items:
            self.model.add_at_most_one(self.x[item, slot] for slot in range(self.case.size))
        for slot, item in self.space.pins.items():
            self.model.add(self.x[item, slot] == 1)

    def _shown(self, members: list[int]) -> Any:
        return sum(self.x[item, slot] for item in members for slot in range(self.case.size))

    def _members(self, column: Tensor) -> dict[int, list[int]]:
        groups: dict[int, list[int]] = {}
        for item in sorted({item for item, _ in self.x}):
            groups.setdefault(int(column[0, item]), []).append(item)
        return groups

    def _loss_of_pair(self, name: str) -> float:
        return self.weights[name] * _SCALE / max(self.case.size * (self.case.size - 1) / 2, 1)

    def _repeats(self) -> Any:
        loss: Any = 0
        requests = self.case.requests
        for column in (requests.seller_BM, requests.category_BM):
            for group, members in self._members(column).items():
                most = min(len(members), self.case.size)
                step = [self.model.new_bool_var(f"d_{group}_{count}") for count in range(most)]
                self.model.add(self._shown(members) == sum(step))
                loss += sum(
                    round(self._loss_of_pair("diversity") / 2 * count) * var for count, var in enumerate(step)
                )
        return loss

    def _cold_start(self) -> Any:
        target = ColdStart().target
        new = [item for item in sorted({item for item, _ in self.x}) if self.case.requests.is_new_BM[0, item]]
        worth = self.model.new_int_var(0, _SHARE, "cold_start")
        self.model.add(worth <= self._shown(new) * round(_SHARE / (self.case.size * target)))
        return worth * round(self.weights["cold_start"] * _SCALE / _SHARE)

    def _inversions(self) -> Any:
        loss: Any = 0
        priority = self._members(self.case.requests.group_BM)
        for first, second in itertools.combinations(range(self.case.size), 2):
            inverted = self.model.new_bool_var(f"inv_{first}_{second}")
            for limit in sorted(priority)[:-1]:
                late = [item for group, members in priority.items() if group > limit for item in members]
                above, below = (sum(self.x[item, slot] for item in late) for slot in (first, second))
                self.model.add(inverted >= above - below)
            loss += round(self._loss_of_pair("group_order")) * inverted
        return loss


def _cp_model() -> Any:
    try:
        from ortools.sat.python import cp_model  # noqa: PLC0415
    except ImportError as exc:
        raise DependencyMissing("OR-tools isn't installed", hint="pip install 'reward-llm[ranker-search]'") from exc
    return cp_model
