"""From a measurement to a weight: a PID controller with its limits.

    e(t) = set-point − measured, less the dead-band
    u(t) = Kp e(t) + Ki ∫ e + Kd d(−measured)/dt              (Åström and Hägglund 1995, section 3.3)
    w(t) = u(t) within the envelope and within one slew of w(t − 1)
    I(t) = w(t) − the other terms, wherever a limit took something from u(t)

The last line is back-calculation with a tracking time of one step (the same, section 3.5): the integral follows what
was applied, so nothing winds up behind a limit, and leaving one takes no time. In the dead-band the integral becomes
the weight that holds, so that control goes on from there without a jump.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from simple_pid import PID

from reward_llm.domain.control import ControllerPlan, Hold, Memory
from reward_llm.domain.weights import DECIMALS

_MINUTE_S = 60.0
_NEAR = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a controller does about a measurement: the weight that is to hold, and what it remembers.

    `output` is what it wanted before its limits; `held` says why the weight stays as it is, None if it moves.
    """

    weight: float
    memory: Memory
    output: float
    held: Hold | None = None


def regulate(
    plan: ControllerPlan, memory: Memory, weight: float, *, setpoint: float, measured: float, elapsed_s: float
) -> Decision:
    """Decide on the next weight.

    Args:
        plan: Gains and limits.
        memory: What the controller remembers of the step before.
        weight: What holds now.
        setpoint: What the measurement is to be.
        measured: What it is.
        elapsed_s: Time since the step before, in seconds, over 0. More than two periods count as two: nobody knows
            what the error was while nothing was measured.
    """
    minutes = min(elapsed_s, 2 * plan.period.total_seconds()) / _MINUTE_S
    pid = _remembering(plan, memory, setpoint)
    output = pid(measured, dt=minutes)
    proportional, integral, derivative = pid.components
    assert output is not None  # noqa: S101 - simple-pid gives None in manual mode alone
    if abs(setpoint - measured) < plan.dead_band:
        return Decision(
            weight=weight,
            memory=Memory(integral=_enveloped(plan, weight), measured=measured),
            output=output,
            held=Hold.DEAD_BAND,
        )
    wanted = proportional + integral + derivative
    applied = _enveloped(plan, min(max(wanted, weight - plan.slew), weight + plan.slew))
    if abs(applied - wanted) > _NEAR:
        integral = _enveloped(plan, applied - proportional - derivative)
    decision = Decision(
        weight=round(applied, DECIMALS), memory=Memory(integral=integral, measured=measured), output=wanted
    )
    return replace(decision, held=Hold.SETTLED) if decision.weight == weight else decision


def _remembering(plan: ControllerPlan, memory: Memory, setpoint: float) -> PID:
    """The controller as it was after the step before.

    One call without gains tells it the last measurement, from which it takes the derivative.
    """
    limits = (plan.envelope.min, plan.envelope.max)
    pid = PID(
        0.0,
        0.0,
        0.0,
        setpoint=setpoint,
        sample_time=None,
        output_limits=limits,
        error_map=lambda error: _beyond(error, plan.dead_band),
        starting_output=memory.integral,
    )
    if memory.measured is not None:
        pid(memory.measured, dt=1.0)
    gains = plan.gains
    pid.tunings = (gains.proportional, gains.integral, gains.derivative)
    return pid


def _beyond(error: float, dead_band: float) -> float:
    """How far the error lies outside the dead-band, with its sign."""
    return error - dead_band if error > dead_band else error + dead_band if error < -dead_band else 0.0


def _enveloped(plan: ControllerPlan, weight: float) -> float:
    return min(plan.envelope.max, max(plan.envelope.min, weight))
