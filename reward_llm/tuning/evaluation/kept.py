"""Runs that are kept: a document that holds enough to show a run again beside a later one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, FiniteFloat, ValidationError

from reward_llm.domain.interpretation import Decision, Interpretation, Quantity
from reward_llm.domain.policy import Proposal, Provenance, Source
from reward_llm.domain.weights import Weights
from reward_llm.errors import InvalidInput, WeightsInvalid
from reward_llm.tuning.evaluation.lines import LabelledLine, first_problem
from reward_llm.tuning.evaluation.report import Report, report_of
from reward_llm.tuning.evaluation.verdict import Reading, Verdict

_CONFIG: Final = ConfigDict(extra="forbid", frozen=True)
_HINT: Final = "Keep a run with `reward-llm evaluate goals --save FILE`, and leave the file as it is."


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One evaluation: the same goals, read by one or more backends.

    `file` is the goals file as it was named, `defaults` are the weights that the verdicts were measured against.
    """

    scenario: str
    file: str
    taken_at: datetime
    defaults: Weights
    reports: Mapping[str, Report]

    @property
    def lines(self) -> dict[str, LabelledLine]:
        """The goals by their ids."""
        return {v.reading.line.id: v.reading.line for r in self.reports.values() for v in r.verdicts}


class _Answer(BaseModel):
    """A proposal without its weights and dates: the reading has the ones, and nothing measures the others."""

    model_config = _CONFIG

    interpretation: Interpretation
    numbers: tuple[Quantity, ...]
    source: Source
    reason: str | None
    provenance: Provenance


class _Verdict(BaseModel):
    model_config = _CONFIG

    line: str
    latency_ms: FiniteFloat
    weights: dict[str, FiniteFloat]
    answer: _Answer | None
    valid: bool
    raised: tuple[bool, ...]
    lowered: tuple[bool, ...]
    held: tuple[bool, ...]
    top: tuple[bool, ...]
    outcome: tuple[bool, ...]

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        reading = verdict.reading
        return cls(
            line=reading.line.id,
            latency_ms=reading.latency_ms,
            weights=dict(reading.weights),
            answer=_Answer.model_validate(reading.proposal, from_attributes=True) if reading.proposal else None,
            valid=verdict.valid,
            raised=verdict.raised,
            lowered=verdict.lowered,
            held=verdict.held,
            top=verdict.top,
            outcome=verdict.outcome,
        )

    def fits(self, line: LabelledLine) -> bool:
        expect = line.expect
        asserted = (len(expect.raised), len(expect.lowered), len(expect.held), bool(expect.top), bool(expect.outcome))
        return asserted == tuple(map(len, (self.raised, self.lowered, self.held, self.top, self.outcome)))

    def restored(self, line: LabelledLine) -> Verdict:
        weights, answer = Weights(self.weights), self.answer
        reading = Reading(
            line=line,
            decision=answer.interpretation.decision if answer else Decision.NO_CHANGE,
            weights=weights,
            proposal=Proposal(weights=weights, **dict(answer)) if answer else None,
            latency_ms=self.latency_ms,
        )
        return Verdict(
            reading=reading,
            valid=self.valid,
            raised=self.raised,
            lowered=self.lowered,
            held=self.held,
            top=self.top,
            outcome=self.outcome,
        )


class _Document(BaseModel):
    model_config = _CONFIG

    kind: Literal["evaluation_run/1"] = "evaluation_run/1"
    scenario: str
    file: str
    taken_at: AwareDatetime
    defaults: dict[str, FiniteFloat]
    lines: tuple[LabelledLine, ...]
    backends: dict[str, tuple[_Verdict, ...]]


def dump_run(run: Run) -> str:
    """The run as a JSON document that `parse_run` reads."""
    document = _Document(
        scenario=run.scenario,
        file=run.file,
        taken_at=run.taken_at,
        defaults=dict(run.defaults),
        lines=tuple(run.lines.values()),
        backends={b: tuple(map(_Verdict.of, r.verdicts)) for b, r in run.reports.items()},
    )
    return document.model_dump_json(by_alias=True)


def parse_run(text: str, origin: str) -> Run:
    """The run that a document holds, its reports made anew from the verdicts of then.

    Args:
        text: What `dump_run` gave.
        origin: Names the document in errors.

    Raises:
        InvalidInput: If it isn't a kept run, or a backend lacks lines.
    """
    try:
        document = _Document.model_validate_json(text)
        defaults = Weights(document.defaults)
        lines = {line.id: line for line in document.lines}
        reports = {
            backend: report_of(_restored(verdicts, lines, backend), tuple(defaults))
            for backend, verdicts in document.backends.items()
        }
    except ValidationError as exc:
        raise InvalidInput(f"{origin} isn't a kept run: {first_problem(exc)}", hint=_HINT) from exc
    except (ValueError, WeightsInvalid) as exc:
        raise InvalidInput(f"{origin} isn't a kept run that is whole: {exc}", hint=_HINT) from exc
    return Run(
        scenario=document.scenario,
        file=document.file,
        taken_at=document.taken_at,
        defaults=defaults,
        reports=reports,
    )


def _restored(verdicts: tuple[_Verdict, ...], lines: Mapping[str, LabelledLine], backend: str) -> list[Verdict]:
    """The verdicts of one backend.

    Raises:
        ValueError: If they aren't one for each line, with one truth value for each thing that the line asserts.
    """
    by_line = {v.line: v for v in verdicts}
    missing = sorted(lines.keys() ^ by_line.keys())
    if missing or len(verdicts) != len(lines):
        raise ValueError(f"{backend} must have each of its lines once: {', '.join(missing[:3]) or 'one is repeated'}")
    unfit = [i for i, line in lines.items() if not by_line[i].fits(line)]
    if unfit:
        raise ValueError(f"{backend} doesn't judge what {unfit[0]} asserts")
    return [by_line[i].restored(line) for i, line in lines.items()]
