"""Studies as jobs: one is worked on at a time, in a process of its own, and every trial goes into the store at once.

    start ─► queued ─► running ─► done ─► proposed
               │          ├─► failed ──────┐
               │          ├─► interrupted ─┤ resume ─► queued, with the trials that there are
               └──────────┴─► cancelled ───┘

A study of a service that was killed is told as interrupted by whoever on the same machine finds its process gone; on
others, and in the store, it stays `running` until somebody resumes it. If its service is alive after all, that one
sees the record's new revision at its next trial, and leaves the study alone.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog

from reward_llm.domain.act import Act
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.ports import Clock, IdempotencyClaim, Page
from reward_llm.domain.ports.loop import LoopStore
from reward_llm.domain.scenario import Scope
from reward_llm.domain.searching import SearchPlan, SearchStudy, StudyProblem, StudyResult, StudyState, Trial
from reward_llm.errors import PreconditionFailed, SearchBusy, SearchFailed, StoreUnavailable
from reward_llm.loop.search.documents import (
    StudyDocument,
    read_line,
    state_of,
    study_of,
    task_line,
    trial_document,
)
from reward_llm.loop.search.processes import Owner

SEARCHER: Final = "search"
"""Who finishes studies."""
_LONGEST_LINE: Final = 16_000_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchJobsConfig:
    """How many may wait, and what searches."""

    most_waiting: int = 8
    """Studies that wait for the one that is worked on."""
    command: tuple[str, ...] = (sys.executable, "-m", "reward_llm.bootstrap.search")
    """Reads a plan and writes what comes of it, as `documents` says."""


class SearchJobs:
    """A `reward_llm.domain.ports.searching.Searches` for one event loop."""

    def __init__(self, store: LoopStore, clock: Clock, config: SearchJobsConfig | None = None) -> None:
        self._store = store
        self._clock = clock
        self._config = config or SearchJobsConfig()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    async def start(self, plan: SearchPlan, act: Act, claim: IdempotencyClaim | None = None) -> SearchStudy:
        """A study for the plan; see `Searches.start`."""
        self._check_room()
        document = StudyDocument(plan=plan, owner=Owner.this()).document
        scope = Scope(plan.scenario, plan.segment)
        record = await self._store.create(LoopKind.STUDY, scope, StudyState.QUEUED, document, act, claim)
        if record.revision == 1 and state_of(record) is StudyState.QUEUED and record.id not in self._tasks:
            self._begin(record)
        return study_of(record)

    async def resume(self, study_id: str, act: Act) -> SearchStudy:
        """Go on with a study; see `Searches.resume`."""
        record = await self._record(study_id)
        if study_id in self._tasks:
            raise SearchBusy(f"{study_id} is being worked on", hint="Look at it again later.")
        if state_of(record).is_complete:
            raise SearchBusy(f"{study_id} is {record.state}", hint="Start another one for more.")
        self._check_room()
        document = replace(StudyDocument.of(record), problem=None, owner=Owner.this()).document
        resumed = await self._store.change(record, "resumed", act, state=StudyState.QUEUED, document=document)
        self._begin(resumed)
        return await self._told(resumed)

    async def cancel(self, study_id: str, act: Act) -> SearchStudy:
        """End a study; see `Searches.cancel`."""
        if (task := self._tasks.get(study_id)) is not None:
            await _end(task)
        record = await self._record(study_id)
        state = state_of(record)
        if state.is_going or state is StudyState.INTERRUPTED:
            document = record.document
            record = await self._store.change(record, "cancelled", act, state=StudyState.CANCELLED, document=document)
        return await self._told(record)

    async def study(self, study_id: str) -> SearchStudy:
        """A study with its trials; see `Searches.study`."""
        return await self._told(await self._record(study_id))

    async def studies(
        self, *, scenarios: frozenset[str] | None, cursor: str | None = None, limit: int = 50
    ) -> Page[SearchStudy]:
        """The studies of the scenarios; see `Searches.studies`."""
        page = await self._store.records(LoopKind.STUDY, scenarios=scenarios, cursor=cursor, limit=limit)
        told = []
        for record in page.items:
            last = await self._store.last_entries(record.id)
            told.append(study_of(record, done=last[0].number if last else 0))
        return Page(tuple(told), page.next_cursor)

    async def proposed(self, study_id: str, policy_id: str, act: Act) -> None:
        """Put down what was proposed; see `Searches.proposed`."""
        record = await self._record(study_id)
        document = replace(StudyDocument.of(record), policy_id=policy_id).document
        await self._store.change(record, "proposed", act, state=StudyState.PROPOSED, document=document)

    async def aclose(self) -> None:
        """Interrupt what runs and what waits; see `Searches.aclose`."""
        for study_id, task in list(self._tasks.items()):
            await _end(task)
            with suppress(StoreUnavailable, PreconditionFailed):
                record = await self._record(study_id)
                if state_of(record).is_going:
                    await self._change(record, "interrupted", StudyState.INTERRUPTED, StudyDocument.of(record))

    def _check_room(self) -> None:
        waiting = len(self._tasks) - self._turn.locked()
        if waiting >= self._config.most_waiting:
            raise SearchBusy(f"{waiting} searches wait already", hint="Cancel one, or try again later.")

    def _begin(self, record: LoopRecord) -> None:
        task = self._tasks[record.id] = asyncio.create_task(self._run(record))
        task.add_done_callback(partial(self._ended, record.id))

    async def _run(self, queued: LoopRecord) -> None:
        async with self._turn:
            document = replace(StudyDocument.of(queued), owner=Owner.this())
            running = await self._change(queued, "started", StudyState.RUNNING, document)
            try:
                outcome = await self._searched(running, document.plan)
            except (OSError, ValueError, SearchFailed) as exc:
                outcome = _broken_off(exc)
            if isinstance(outcome, StudyResult):
                await self._change(running, "done", StudyState.DONE, replace(document, result=outcome))
            else:
                await self._change(running, "failed", StudyState.FAILED, replace(document, problem=outcome))

    async def _searched(self, running: LoopRecord, plan: SearchPlan) -> StudyResult | StudyProblem:
        """What the process says in the end; its trials are in the store as soon as it tells them.

        Raises:
            SearchFailed: If it ends without a word.
        """
        done = (await self._told(running)).trials
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._config.command, stdin=pipe, stdout=pipe, limit=_LONGEST_LINE
        )
        assert process.stdin is not None  # noqa: S101 - they are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(task_line(plan, done))
            process.stdin.write_eof()
            async for line in process.stdout:
                told = read_line(line)
                if not isinstance(told, Trial):
                    return told
                await self._keep(running, told)
            raise SearchFailed(f"the searching process ended with code {await process.wait()}")
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def _told(self, record: LoopRecord) -> SearchStudy:
        return study_of(record, await self._store.entries(record.id))

    async def _keep(self, running: LoopRecord, trial: Trial) -> None:
        """Put a trial into the store, if the study is still this process's own.

        Raises:
            PreconditionFailed: If somebody took it over.
        """
        now = await self._record(running.id)
        if now.revision != running.revision:
            raise PreconditionFailed(f"{running.id} was taken over")
        await self._store.gather(running.id, [trial_document(trial)], self._act())

    async def _change(
        self, record: LoopRecord, action: str, state: StudyState, document: StudyDocument
    ) -> LoopRecord:
        return await self._store.change(record, action, self._act(), state=state, document=document.document)

    async def _record(self, study_id: str) -> LoopRecord:
        return await self._store.record(LoopKind.STUDY, study_id)

    def _act(self) -> Act:
        return Act(actor=SEARCHER, at=self._clock())

    def _ended(self, study_id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[study_id]
        crash = None if task.cancelled() else task.exception()
        if isinstance(crash, PreconditionFailed):
            _log.info("search.taken_over", study=study_id)
        elif crash is not None:
            _log.error("search.crashed", study=study_id, exc_info=crash)


def _broken_off(exc: Exception) -> StudyProblem:
    message = str(exc) or type(exc).__name__
    return StudyProblem(code=SearchFailed.code, message=message, hint="The service's log may say more.")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
