"""Answers with the choices that a model made in them, by hand."""

from __future__ import annotations

from collections.abc import Mapping

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.calibration import Calibration, Scaling
from reward_llm.domain.completion import Choice, Completion, RunnerUp
from reward_llm.domain.interpretation import Direction, Emphasis

GMV_UP = canonical_answer([("gmv", Direction.RAISE, Emphasis.CLEAR)])


def chosen(text: str, choices: Mapping[str, tuple[float, Mapping[str, float]]]) -> Completion:
    """The answer with choices at pieces of it: the piece → its probability, and its runners-up with theirs."""
    return Completion(
        text=text,
        model="by hand",
        choices=tuple(
            Choice(
                start=text.index(piece),
                end=text.index(piece) + len(piece),
                probability=probability,
                runners_up=tuple(RunnerUp(text=t, probability=p) for t, p in others.items()),
            )
            for piece, (probability, others) in choices.items()
        ),
    )


def unscaled(threshold: float) -> Calibration:
    """A calibration that leaves probabilities as they are."""
    return Calibration(intent=Scaling(), completeness=Scaling(), no_change=Scaling(), threshold=threshold)
