"""Studies as jobs: one is worked on at a time, in a process of its own, and every trial goes into the store at once.

    start ─► queued ─► running ─► done ─► proposed
               │          ├─► failed ──────┐
               │          ├─► interrupted ─┤ resume ─► queued, with the trials that there are
               └──────────┴─► cancelled ───┘

A study of a service that was killed is told as interrupted by whoever on the same machine finds its process gone; on
others, and in the store, it stays `running` until somebody resumes it. If its service is alive after all, its next
trial isn't taken, because the record has a new revision, and it leaves the study alone.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog

from reward_llm.domain.act import Act
from reward_llm.domain.loop import LoopEntry, LoopKind, LoopRecord
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


@dataclass(slots=True, kw_only=True)
class _Job:
    """A study that is worked on or waits here, and its record as it was last written here."""

    record: LoopRecord
    task: asyncio.Task[None]


class SearchJobs:
    """A `reward_llm.domain.ports.searching.Searches` for one event loop."""

    def __init__(self, store: LoopStore, clock: Clock, config: SearchJobsConfig | None = None) -> None:
        self._store = store
        self._clock = clock
        self._config = config or SearchJobsConfig()
        self._jobs: dict[str, _Job] = {}
        self._coming = 0
        self._turn = asyncio.Lock()

    async def start(self, plan: SearchPlan, act: Act, claim: IdempotencyClaim | None = None) -> SearchStudy:
        """A study for the plan; see `Searches.start`."""
        try:
            with self._place():
                document = StudyDocument(plan=plan, owner=Owner.this()).document
                scope = Scope(plan.scenario, plan.segment)
                record = await self._store.create(LoopKind.STUDY, scope, StudyState.QUEUED, document, act, claim)
                self._begin_if_left(record)
        except SearchBusy:
            if (known := await self._store.made_by(LoopKind.STUDY, claim)) is None:
                raise
            record = known
        return self._study(record)

    async def resume(self, study_id: str, act: Act, claim: IdempotencyClaim | None = None) -> SearchStudy:
        """Go on with a study; see `Searches.resume`."""
        record = await self._record(study_id)
        try:
            resumed = await self._resumed(record, act, claim)
        except SearchBusy:
            if (known := await self._store.made_by(LoopKind.STUDY, claim, "resumed")) is None:
                raise
            resumed = known
        return await self._told(resumed)

    async def cancel(self, study_id: str, act: Act, claim: IdempotencyClaim | None = None) -> SearchStudy:
        """End a study; see `Searches.cancel`."""
        if (known := await self._store.made_by(LoopKind.STUDY, claim, "cancelled")) is not None:
            return await self._told(known)
        if (job := self._jobs.get(study_id)) is not None:
            await _end(job.task)
        record = await self._record(study_id)
        state, document, cancelled = state_of(record), record.document, StudyState.CANCELLED
        if state.is_going or state is StudyState.INTERRUPTED:
            record = await self._store.change(
                record, "cancelled", act, state=cancelled, document=document, claim=claim
            )
        else:
            record = await self._store.leave(record, "cancelled", act, claim)
        return await self._told(record)

    async def study(self, study_id: str) -> SearchStudy:
        """A study with its trials; see `Searches.study`."""
        return await self._told(await self._record(study_id))

    async def studies(
        self, *, scenarios: frozenset[str] | None, cursor: str | None = None, limit: int = 50
    ) -> Page[SearchStudy]:
        """The studies of the scenarios; see `Searches.studies`."""
        page = await self._store.records(LoopKind.STUDY, scenarios=scenarios, cursor=cursor, limit=limit)
        told = [await self._as_it_stands(record, self._counted) for record in page.items]
        return Page(tuple(told), page.next_cursor)

    async def proposed(self, study_id: str, policy_id: str, act: Act) -> None:
        """Put down what was proposed; see `Searches.proposed`."""
        record = await self._record(study_id)
        document = replace(StudyDocument.of(record), policy_id=policy_id).document
        await self._store.change(record, "proposed", act, state=StudyState.PROPOSED, document=document)

    async def aclose(self) -> None:
        """Interrupt what runs and what waits; see `Searches.aclose`."""
        for job in list(self._jobs.values()):
            await _end(job.task)
            if state_of(job.record).is_going:
                with suppress(StoreUnavailable, PreconditionFailed):
                    document = StudyDocument.of(job.record)
                    await self._change(job.record, "interrupted", StudyState.INTERRUPTED, document)

    async def _resumed(self, record: LoopRecord, act: Act, claim: IdempotencyClaim | None) -> LoopRecord:
        """The record in the queue again, or as it is now if the claim's key stands for that already.

        Raises:
            SearchBusy: If it is worked on here or complete, or as many wait as may.
        """
        if record.id in self._jobs:
            raise SearchBusy(f"{record.id} is being worked on", hint="Look at it again later.")
        if state_of(record).is_complete:
            raise SearchBusy(f"{record.id} is {record.state}", hint="Start another one for more.")
        with self._place():
            document = replace(StudyDocument.of(record), problem=None, owner=Owner.this()).document
            resumed = await self._store.change(
                record, "resumed", act, state=StudyState.QUEUED, document=document, claim=claim
            )
            if resumed.revision == record.revision + 1 and record.id not in self._jobs:
                self._begin(resumed)
        return resumed

    @contextmanager
    def _place(self) -> Iterator[None]:
        """A place for one more, which is taken from now on.

        Raises:
            SearchBusy: If there is none.
        """
        waiting = len(self._jobs) + self._coming - self._turn.locked()
        if waiting >= self._config.most_waiting:
            raise SearchBusy(f"{waiting} searches wait already", hint="Cancel one, or try again later.")
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    def _begin_if_left(self, record: LoopRecord) -> None:
        """Begin a study that nobody has begun: it is new, or who asked for it went away before the answer."""
        is_new = record.revision == 1 and state_of(record) is StudyState.QUEUED
        if is_new and record.id not in self._jobs:
            self._begin(record)

    def _begin(self, record: LoopRecord) -> None:
        task = asyncio.create_task(self._run(record))
        self._jobs[record.id] = _Job(record=record, task=task)
        task.add_done_callback(partial(self._ended, record.id))

    async def _run(self, queued: LoopRecord) -> None:
        async with self._turn:
            job, document = self._jobs[queued.id], replace(StudyDocument.of(queued), owner=Owner.this())
            running = job.record = await self._change(queued, "started", StudyState.RUNNING, document)
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
        return await self._as_it_stands(record, self._whole)

    async def _as_it_stands(
        self, record: LoopRecord, study: Callable[[LoopRecord], Awaitable[SearchStudy]]
    ) -> SearchStudy:
        """The record's study; one that seems to be left alone may have ended since the record was read."""
        while (told := await study(record)).state is not state_of(record):
            newer = await self._record(record.id)
            if newer.revision == record.revision:
                break
            record = newer
        return told

    async def _whole(self, record: LoopRecord) -> SearchStudy:
        return self._study(record, await self._store.entries(record.id))

    async def _counted(self, record: LoopRecord) -> SearchStudy:
        last = await self._store.last_entries(record.id)
        return self._study(record, done=last[0].number if last else 0)

    def _study(self, record: LoopRecord, entries: Sequence[LoopEntry] = (), done: int | None = None) -> SearchStudy:
        """The study of a record; what comes just now may be this process's work already."""
        return study_of(record, entries, done, is_at_it=record.id in self._jobs or self._coming > 0)

    async def _keep(self, running: LoopRecord, trial: Trial) -> None:
        """Put a trial into the store, if the study is still this process's own.

        Raises:
            PreconditionFailed: If somebody took it over.
        """
        await self._store.gather(running.id, [trial_document(trial)], self._act(), revision=running.revision)

    async def _change(
        self, record: LoopRecord, action: str, state: StudyState, document: StudyDocument
    ) -> LoopRecord:
        return await self._store.change(record, action, self._act(), state=state, document=document.document)

    async def _record(self, study_id: str) -> LoopRecord:
        return await self._store.record(LoopKind.STUDY, study_id)

    def _act(self) -> Act:
        return Act(actor=SEARCHER, at=self._clock())

    def _ended(self, study_id: str, task: asyncio.Task[None]) -> None:
        del self._jobs[study_id]
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
