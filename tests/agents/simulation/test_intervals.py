from __future__ import annotations

import pytest

from reward_llm.agents.simulation.intervals import mean_interval, t_quantile
from reward_llm.errors import SimulationInvalid


@pytest.mark.parametrize(
    ("confidence", "degrees", "tabled"),
    [
        (0.95, 1, 12.706),
        (0.95, 2, 4.303),
        (0.95, 3, 3.182),
        (0.95, 4, 2.776),
        (0.95, 9, 2.262),
        (0.95, 19, 2.093),
        (0.99, 5, 4.032),
        (0.90, 10, 1.812),
        (0.95, 1_000, 1.962),
    ],
)
def test_quantiles_are_those_of_the_tables(confidence: float, degrees: int, tabled: float) -> None:
    assert t_quantile(confidence, degrees) == pytest.approx(tabled, abs=5e-4)


def test_an_interval_is_the_mean_and_t_standard_errors() -> None:
    found = mean_interval([2.0, 4.0, 6.0, 8.0])
    assert found.mean == 5.0
    assert found.high - found.mean == pytest.approx(3.182 * (20 / 3) ** 0.5 / 2, abs=1e-3)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_equal_values_leave_no_doubt() -> None:
    found = mean_interval([0.3, 0.3, 0.3])
    assert (found.low, found.high) == pytest.approx((0.3, 0.3))


def test_one_seed_gives_no_interval() -> None:
    with pytest.raises(SimulationInvalid, match="1 seeds give no interval"):
        mean_interval([0.3])
