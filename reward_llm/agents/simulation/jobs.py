"""Simulations as jobs: one runs at a time, in a process of its own, and the last ones are kept in memory.

    start ─► queued ─► running ─► done | failed
                └─────────┴─► cancelled           the process is ended

Nothing is written down: what was simulated can be simulated again, with the same seeds and to the same report.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import structlog

from reward_llm.agents.simulation.lines import plan_line, read_line
from reward_llm.domain.ports import Clock, Page
from reward_llm.domain.simulation import (
    SimulationJob,
    SimulationPlan,
    SimulationProblem,
    SimulationReport,
    SimulationState,
)
from reward_llm.errors import InvalidInput, SimulationFailed, SimulationUnknown, SimulatorBusy

_LONGEST_LINE: Final = 16_000_000
_KEPT_HINT: Final = "Simulations are kept by the process that ran them until it ends, and the latest of them only."
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsConfig:
    """How many may wait, how many are kept, and what simulates."""

    most_waiting: int = 8
    """Jobs that wait for the one that runs."""
    kept: int = 50
    """Jobs that are remembered, with those that wait or run."""
    command: tuple[str, ...] = (sys.executable, "-m", "reward_llm.agents.simulation.worker")
    """Reads a plan and writes what comes of it, as `lines` says."""


class Jobs:
    """A `reward_llm.domain.ports.Simulator` for one event loop."""

    def __init__(self, clock: Clock, config: JobsConfig | None = None) -> None:
        self._clock = clock
        self._config = config or JobsConfig()
        self._jobs: dict[str, SimulationJob] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    async def start(self, plan: SimulationPlan, created_by: str) -> SimulationJob:
        """A job for the plan; see `Simulator.start`."""
        waiting = sum(job.state is SimulationState.QUEUED for job in self._jobs.values())
        if waiting >= self._config.most_waiting:
            raise SimulatorBusy(f"{waiting} simulations wait already", hint="Cancel one, or try again later.")
        job = SimulationJob(
            id=f"sim_{uuid.uuid4().hex[:20]}",
            plan=plan,
            state=SimulationState.QUEUED,
            done=0,
            created_at=self._clock(),
            created_by=created_by,
        )
        self._jobs[job.id] = job
        self._forget_the_oldest()
        task = self._tasks[job.id] = asyncio.create_task(self._run(job.id))
        task.add_done_callback(partial(self._ended, job.id))
        return job

    async def job(self, simulation_id: str) -> SimulationJob:
        """The job as it is now; see `Simulator.job`."""
        if simulation_id not in self._jobs:
            raise SimulationUnknown(f"no simulation {simulation_id!r}", hint=_KEPT_HINT)
        return self._jobs[simulation_id]

    async def jobs(
        self, *, scenarios: frozenset[str] | None, cursor: str | None = None, limit: int = 50
    ) -> Page[SimulationJob]:
        """The jobs of the scenarios, newest first; see `Simulator.jobs`."""
        newest_first = list(reversed(self._jobs.values()))
        if cursor is not None:
            newest_first = newest_first[self._place_of(cursor, newest_first) + 1 :]
        found = [job for job in newest_first if scenarios is None or job.plan.scenario in scenarios]
        more = len(found) > limit
        return Page(tuple(found[:limit]), found[limit - 1].id if more else None)

    async def cancel(self, simulation_id: str) -> SimulationJob:
        """End the job; see `Simulator.cancel`."""
        job = await self.job(simulation_id)
        if job.state.is_over:
            return job
        cancelled = self._change(simulation_id, state=SimulationState.CANCELLED, finished_at=self._clock())
        await self._end(self._tasks[simulation_id])
        return cancelled

    async def aclose(self) -> None:
        """End what runs and what waits."""
        for task in list(self._tasks.values()):
            await self._end(task)

    async def _run(self, job_id: str) -> None:
        async with self._turn:
            self._change(job_id, state=SimulationState.RUNNING, started_at=self._clock())
            try:
                outcome = await self._simulated(job_id)
            except (OSError, ValueError, SimulationFailed) as exc:
                outcome = _broken_off(exc)
            finished = {"finished_at": self._clock()}
            if isinstance(outcome, SimulationReport):
                self._change(job_id, state=SimulationState.DONE, report=outcome, **finished)
            else:
                self._change(job_id, state=SimulationState.FAILED, problem=outcome, **finished)

    async def _simulated(self, job_id: str) -> SimulationReport | SimulationProblem:
        """What the process says in the end; it is ended if nobody wants to know any more.

        Raises:
            SimulationFailed: If it ends without a word.
        """
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._config.command, stdin=pipe, stdout=pipe, limit=_LONGEST_LINE
        )
        assert process.stdin is not None  # noqa: S101 - they are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(plan_line(self._jobs[job_id].plan))
            process.stdin.write_eof()
            async for line in process.stdout:
                told = read_line(line)
                if not isinstance(told, int):
                    return told
                self._change(job_id, done=told)
            raise SimulationFailed(f"the simulating process ended with code {await process.wait()}")
        finally:
            await _ended(process)

    def _change(self, job_id: str, **changes: Any) -> SimulationJob:
        self._jobs[job_id] = replace(self._jobs[job_id], **changes)
        return self._jobs[job_id]

    def _forget_the_oldest(self) -> None:
        over = [job_id for job_id, job in self._jobs.items() if job.state.is_over]
        for job_id in over[: max(0, len(self._jobs) - self._config.kept)]:
            del self._jobs[job_id]

    def _place_of(self, cursor: str, jobs: list[SimulationJob]) -> int:
        for place, job in enumerate(jobs):
            if job.id == cursor:
                return place
        raise InvalidInput("the cursor isn't one of this list's, or no longer", hint=_KEPT_HINT)

    def _ended(self, job_id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[job_id]
        crash = None if task.cancelled() else task.exception()
        if crash is not None:
            _log.error("simulation.crashed", simulation=job_id, exc_info=crash)
            self._change(job_id, state=SimulationState.FAILED, problem=_broken_off(crash), finished_at=self._clock())

    @staticmethod
    async def _end(task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait([task])


def _broken_off(exc: BaseException) -> SimulationProblem:
    return SimulationProblem(code=SimulationFailed.code, message=str(exc), hint="The service's log may say more.")


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Have the process gone, whether or not it was done."""
    if process.returncode is None:
        process.kill()
    await process.communicate()
