"""Prompts measured on their golden sets, and the moves that rest on that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import Field, TypeAdapter

from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing
from reward_llm.domain.ports.prompts import BackendName
from reward_llm.domain.prompts import Evaluation, LabelMove, PromotionEvidence, PromptUse, Tally
from reward_llm.errors import EvaluationBelow


class EvaluateRequest(Incoming):
    """Who is to read the golden set."""

    backend: BackendName | None = Field(default=None, description="null is who reads goals here.")


class TallyWire(Outgoing):
    """So many right, of so many."""

    right: int
    of: int

    @classmethod
    def made(cls, tally: Tally) -> TallyWire:
        """The tally itself."""
        return cls(right=tally.right, of=tally.of)


class GoldenFailureWire(Outgoing):
    """A golden goal that was read wrong."""

    id: str
    lang: str
    kind: str
    goal: str
    expected: str
    read: str
    source: str = Field(description="Who answered; a fallback's answer counts as wrong.")
    reason: str | None = Field(description="Why a fallback had to answer.")


class EvaluationWire(Outgoing):
    """How well one version reads its golden set with one backend."""

    version: int
    content_hash: str
    golden_set: str
    golden_hash: str
    scenario: str
    backend: str
    model: str | None
    checkpoint_hash: str | None
    prompt_use: PromptUse = Field(
        description="How much of the prompt the reader sees: a goal model that was trained on the task takes its "
        "user turn alone, and the rules nothing."
    )
    score: float = Field(description="The share of all goals that was read right: what promotion goes by.")
    overall: TallyWire
    directional: TallyWire = Field(description="Of the goals alone that ask for something.")
    by_kind: dict[str, TallyWire]
    by_lang: dict[str, TallyWire]
    failures: list[GoldenFailureWire]
    duration_s: float

    @classmethod
    def of(cls, evaluation: Evaluation) -> EvaluationWire:
        """The evaluation itself."""
        return cls(
            version=evaluation.number,
            content_hash=evaluation.content_hash,
            golden_set=evaluation.golden_set,
            golden_hash=evaluation.golden_hash,
            scenario=evaluation.scenario,
            backend=evaluation.backend,
            model=evaluation.model,
            checkpoint_hash=evaluation.checkpoint_hash,
            prompt_use=evaluation.prompt_use,
            score=evaluation.score,
            overall=TallyWire.made(evaluation.overall),
            directional=TallyWire.made(evaluation.directional),
            by_kind=_tallies(evaluation.by_kind),
            by_lang=_tallies(evaluation.by_lang),
            failures=[GoldenFailureWire.model_validate(f, from_attributes=True) for f in evaluation.failures],
            duration_s=evaluation.duration_s,
        )


class EvidenceWire(Outgoing):
    """What a promotion rested on: the version and the one that it replaced, measured one after the other."""

    threshold: float
    shortfalls: list[str] = Field(description="Why the version wasn't good enough; none if it was.")
    candidate: EvaluationWire
    replaced: EvaluationWire | None

    @classmethod
    def of(cls, evidence: PromotionEvidence) -> EvidenceWire:
        """The evidence itself."""
        return cls(
            threshold=evidence.threshold,
            shortfalls=list(evidence.shortfalls),
            candidate=EvaluationWire.of(evidence.candidate),
            replaced=EvaluationWire.of(evidence.replaced) if evidence.replaced else None,
        )


_EVIDENCE: Final = TypeAdapter(PromotionEvidence)


def as_answered(refusal: EvaluationBelow) -> EvaluationBelow:
    """The refusal with its evidence as the wire has it."""
    measured = _EVIDENCE.validate_python(refusal.evidence)
    evidence = EvidenceWire.of(measured).model_dump(mode="json")
    return EvaluationBelow(refusal.message, hint=refusal.hint, evidence=evidence)


class LabelMoveWire(Outgoing):
    """One move of a label."""

    prompt: str
    label: str
    revision: int
    from_version: int | None = Field(serialization_alias="from", description="null if the label was new.")
    to_version: int = Field(serialization_alias="to")
    moved_by: str
    moved_at: MomentOut
    reason: str
    evidence: EvidenceWire | None
    overridden_by: list[str] = Field(description="Whose consent let it pass an evaluation that fell short.")

    @classmethod
    def of(cls, move: LabelMove) -> LabelMoveWire:
        """The move itself."""
        return cls(
            prompt=move.prompt,
            label=move.label,
            revision=move.revision,
            from_version=move.from_number,
            to_version=move.to_number,
            moved_by=move.moved_by,
            moved_at=move.moved_at,
            reason=move.reason,
            evidence=EvidenceWire.of(move.evidence) if move.evidence else None,
            overridden_by=list(move.overridden_by),
        )


def _tallies(tallies: Mapping[str, Tally]) -> dict[str, TallyWire]:
    return {name: TallyWire.made(tally) for name, tally in tallies.items()}
