"""The process that simulates for a service: a plan in, progress and a report out (see `lines`).

python -m reward_llm.agents.simulation.worker < plan.json
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

from reward_llm.agents.simulation.lines import problem_line, progress_line, read_plan, report_line
from reward_llm.domain.simulation import SimulationPlan, SimulationProblem, SimulationReport
from reward_llm.errors import RewardLLMError, SimulatorUnavailable

AGENTS_EXTRA: Final = "Install the agents extra: pip install 'reward-llm[agents]'."
_NICENESS: Final = 10
"""What serves goes first."""


def main() -> None:
    """Simulate the plan on standard input."""
    os.nice(_NICENESS)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch load, which want every core
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print isn't for the service

        def say(line: str) -> None:
            out.write(line + "\n")
            out.flush()

        try:
            report = _simulated(read_plan(sys.stdin.buffer.readline()), lambda done: say(progress_line(done)))
            say(report_line(report))
        except RewardLLMError as exc:
            say(problem_line(SimulationProblem(code=exc.code, message=exc.message, hint=exc.hint)))


def _simulated(plan: SimulationPlan, on_progress: Callable[[int], None]) -> SimulationReport:
    try:
        from reward_llm.agents.simulation.run import simulate  # noqa: PLC0415 - what it needs may be missing
    except ModuleNotFoundError as exc:
        raise SimulatorUnavailable(f"simulations need {exc.name}", hint=AGENTS_EXTRA) from exc
    return simulate(plan, on_progress)


if __name__ == "__main__":
    main()
