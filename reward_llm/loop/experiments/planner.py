"""How long an experiment has to run to find an effect, in one look at the end or with a look a day."""

from __future__ import annotations

from math import ceil
from typing import Final

from reward_llm.domain.experiments import Size, SizeQuestion
from reward_llm.errors import ExperimentInvalid
from reward_llm.loop.experiments.statistics.sequences import NORMAL, multiplier

_WEEK: Final = 7.0


def size(question: SizeQuestion, value: float, deviation: float, units_a_week: float) -> Size:
    """What it takes to find the effect with the power that is asked for.

    With n units, a share p of them treated, the difference of the arms has the standard error
    s = deviation / sqrt(n p (1 - p)). One look at the end finds an effect of (z_(1 - alpha / 2) + z_power) s (Cohen
    1988). A sequence that is tuned for that n, and is looked at there at the latest, one of (c + z_power) s with the
    number c of standard errors to either side of it; it is found earlier if the estimate is large by then.

    Raises:
        ExperimentInvalid: If there is nothing to find, or nothing that varies.
    """
    difference = question.effect * value
    if not (difference and deviation > 0):
        raise ExperimentInvalid(
            "nothing can be planned on a metric that is 0 or is the same for all units",
            hint="Give the value and the deviation, or wait for events.",
        )
    share = question.percent / 100
    reach = NORMAL.inv_cdf(question.power)
    errors = NORMAL.inv_cdf(1 - question.alpha / 2), multiplier(question.alpha)
    fixed, sequential = (ceil(((c + reach) * deviation / difference) ** 2 / (share * (1 - share))) for c in errors)
    return Size(
        value=value,
        deviation=deviation,
        units_a_week=units_a_week,
        difference=difference,
        fixed_units=fixed,
        fixed_days=_days(fixed, units_a_week),
        sequential_units=sequential,
        sequential_days=_days(sequential, units_a_week),
    )


def _days(units: int, a_week: float) -> float | None:
    return _WEEK * units / a_week if a_week > 0 else None
