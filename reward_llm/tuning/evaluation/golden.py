"""Golden sets: small files of labelled goals that a prompt is measured on before it goes into production."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reward_llm.domain.policy import Proposal
from reward_llm.domain.ports import GoalProposer, OnProgress
from reward_llm.domain.prompts import Evaluation, GoldenFailure, PromptUse, PromptVersion, Tally
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import EvaluationTimeout, InvalidInput, PromptInvalid
from reward_llm.tuning.evaluation.lines import LabelledLine, load_lines
from reward_llm.tuning.evaluation.run import read_line
from reward_llm.tuning.evaluation.verdict import Verdict, judge

_RULES: Final = "rules"
_SHOWN_GOAL_CHARS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenConfig:
    """How much is read at most."""

    goals: int = 200
    """In one golden set."""
    deadline_s: float = 300.0
    """For one golden set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    line: LabelledLine
    verdict: Verdict
    proposal: Proposal | None
    fell_back: bool

    @property
    def right(self) -> bool:
        return self.verdict.right and not self.fell_back


class GoldenSets:
    """A `reward_llm.domain.ports.GoldenEvaluator` over JSON Lines files, `<set>.jsonl`.

    Goals are read one after the other, so that others which are submitted meanwhile get their turn between them.

    Args:
        folders: Where the files are; of two with the same name the later folder's counts.
        scenario: What the goals are for.
        monotonic: A clock in seconds.
        config: How much is read at most.
    """

    def __init__(
        self,
        *,
        folders: Sequence[Path],
        scenario: Scenario,
        monotonic: Callable[[], float],
        config: GoldenConfig | None = None,
    ) -> None:
        self._folders = folders
        self._scenario = scenario
        self._monotonic = monotonic
        self._config = config or GoldenConfig()

    @property
    def names(self) -> frozenset[str]:
        """The golden sets that there are."""
        return frozenset(self._files)

    async def evaluate(
        self,
        version: PromptVersion,
        proposer: GoalProposer,
        *,
        backend: str,
        prompt_use: PromptUse,
        golden_set: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """How well the golden set is read."""
        name = golden_set or version.content.golden.set
        lines, digest = await asyncio.to_thread(self._load, name)
        began = self._monotonic()
        try:
            async with asyncio.timeout(self._config.deadline_s):
                judged = await self._read(lines, proposer, backend, on_progress)
        except TimeoutError as exc:
            raise EvaluationTimeout(
                f"the {len(lines)} goals of {name} weren't read within {self._config.deadline_s:g} s",
                hint="Try again when the model is less busy, or take a smaller golden set.",
            ) from exc
        told = [j.proposal.provenance for j in judged if j.proposal and not j.fell_back]
        return Evaluation(
            number=version.number,
            content_hash=version.content_hash,
            golden_set=name,
            golden_hash=digest,
            scenario=self._scenario.name,
            backend=backend,
            model=next((p.model for p in told if p.model), None),
            checkpoint_hash=next((p.checkpoint_hash for p in told if p.checkpoint_hash), None),
            prompt_use=prompt_use,
            overall=_tally(judged),
            directional=_tally(j for j in judged if j.verdict.directions),
            by_kind=_grouped(judged, lambda line: line.kind),
            by_lang=_grouped(judged, lambda line: line.lang),
            failures=tuple(_failure(j) for j in judged if not j.right),
            duration_s=self._monotonic() - began,
        )

    async def _read(
        self, lines: Sequence[LabelledLine], proposer: GoalProposer, backend: str, on_progress: OnProgress | None
    ) -> list[_Judged]:
        judged = []
        for done, line in enumerate(lines, 1):
            reading = await read_line(line, self._scenario, proposer, self._monotonic)
            fell_back = reading.proposal is not None and _fell_back(reading.proposal, backend)
            verdict = judge(reading, self._scenario)
            judged.append(_Judged(line=line, verdict=verdict, proposal=reading.proposal, fell_back=fell_back))
            if on_progress is not None:
                on_progress(done, len(lines))
            await asyncio.sleep(0)
        return judged

    @property
    def _files(self) -> dict[str, Path]:
        return {path.stem: path for folder in self._folders for path in sorted(folder.glob("*.jsonl"))}

    def _load(self, name: str) -> tuple[Sequence[LabelledLine], str]:
        path = self._files.get(name)
        if path is None:
            known = ", ".join(sorted(self.names)) or "none"
            raise PromptInvalid(f"there is no golden set {name!r}", hint=f"There are: {known}.")
        try:
            lines = load_lines(path, self._scenario)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except (InvalidInput, OSError) as exc:
            raise PromptInvalid(f"the golden set {name!r} can't be used: {exc}") from exc
        if len(lines) > self._config.goals:
            raise PromptInvalid(
                f"the golden set {name!r} has {len(lines)} goals; at most {self._config.goals} are read"
            )
        return lines, digest


def _fell_back(proposal: Proposal, backend: str) -> bool:
    """Whether a fallback answered after the model was asked in vain; orders that no model is shown are none."""
    if backend in {_RULES, proposal.source.value}:
        return False
    return any(a.asked for a in proposal.provenance.attempts if a.source.value == backend)


def _tally(judged: Iterable[_Judged]) -> Tally:
    verdicts = [j.right for j in judged]
    return Tally(right=sum(verdicts), of=len(verdicts))


def _grouped(judged: Sequence[_Judged], key: Callable[[LabelledLine], str]) -> Mapping[str, Tally]:
    groups: dict[str, list[_Judged]] = defaultdict(list)
    for one in judged:
        groups[key(one.line)].append(one)
    return {name: _tally(group) for name, group in groups.items()}


def _failure(judged: _Judged) -> GoldenFailure:
    line, proposal = judged.line, judged.proposal
    return GoldenFailure(
        id=line.id,
        lang=line.lang,
        kind=line.kind,
        goal=line.goal[:_SHOWN_GOAL_CHARS],
        expected=str(line.expect),
        read=_read_as(proposal),
        source=judged.verdict.reading.source,
        reason=proposal.reason if proposal else None,
    )


def _read_as(proposal: Proposal | None) -> str:
    if proposal is None:
        return "refused unread"
    reading = proposal.interpretation
    return "; ".join(f"{i.direction} {i.utility} ({i.emphasis})" for i in reading.intents) or reading.decision.value
