"""What tries weights out on a simulated market."""

from __future__ import annotations

from typing import Protocol

from reward_llm.domain.ports.records import Page
from reward_llm.domain.simulation import SimulationJob, SimulationPlan


class Simulator(Protocol):
    """Runs simulations one after the other, away from what serves, and keeps the last of them until it ends."""

    async def start(self, plan: SimulationPlan, created_by: str) -> SimulationJob:
        """A job for the plan, which runs once those before it are over.

        Raises:
            SimulatorBusy: If as many wait as may.
        """
        ...

    async def job(self, simulation_id: str) -> SimulationJob:
        """The job as it is now.

        Raises:
            SimulationUnknown: If there is no such job, or not any more.
        """
        ...

    async def jobs(
        self, *, scenarios: frozenset[str] | None, cursor: str | None = None, limit: int = 50
    ) -> Page[SimulationJob]:
        """The jobs of the scenarios, None for all, newest first.

        Raises:
            InvalidInput: If the cursor isn't one of its own.
        """
        ...

    async def cancel(self, simulation_id: str) -> SimulationJob:
        """End the job, if it isn't over already.

        Raises:
            SimulationUnknown: If there is no such job, or not any more.
        """
        ...

    async def aclose(self) -> None:
        """End what runs."""
        ...
