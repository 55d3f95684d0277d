"""What may become of an activation that is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation, Ending, EndingKind
from reward_llm.domain.goal import Window
from reward_llm.domain.schedule import EVERYBODY
from reward_llm.errors import ActivationOver, InvalidInput, Outdated, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationChange:
    """What an activation is to be from now on: all of it, changed or not."""

    window: Window
    percent: float = EVERYBODY


def changed(activation: Activation, revision: int, change: ActivationChange, now: datetime) -> Activation:
    """The activation after the change, in its next revision. The past stays what it was.

    Raises:
        Outdated: If it has another revision.
        ActivationOver: If it has ended.
        InvalidInput: If it has begun and its start is to change, or if it would end before it starts or in the past.
    """
    check_window(change.window, change.percent, now)
    _check_changeable(activation, revision, now)
    return replace(
        activation,
        window=_window(activation, change.window, now),
        percent=change.percent,
        revision=activation.revision + 1,
    )


def ended(activation: Activation, revision: int | None, act: Act, kind: EndingKind = EndingKind.ENDED) -> Activation:
    """The activation after it was ended, in its next revision.

    Raises:
        Outdated: If it has another revision than the one that is given.
        ActivationOver: If it has ended.
    """
    _check_changeable(activation, revision, act.at)
    ending = Ending(at=act.at, by=act.actor, kind=kind)
    return replace(activation, ended=ending, revision=activation.revision + 1)


def widens(before: Activation, after: Activation) -> bool:
    """Whether it is for more units, for longer, or from another moment on."""
    later = before.end is not None and (after.end is None or after.end > before.end)
    return later or after.percent > before.percent or after.start != before.start


def check_window(window: Window, percent: float, now: datetime) -> None:
    """Accept a window that isn't over, and a share.

    Raises:
        InvalidInput: If the window is over, or the share isn't over 0 and at most 100.
    """
    if window.valid_until is not None and window.valid_until <= now:
        raise _invalid("until", "over", f"the window was over at {window.valid_until.isoformat()}")
    if not 0 < percent <= EVERYBODY:
        raise _invalid("percent", "range", f"{percent:g} percent; it must be over 0 and at most 100")


def _check_changeable(activation: Activation, revision: int | None, now: datetime) -> None:
    if revision is not None and revision != activation.revision:
        raise Outdated(
            f"activation {activation.sequence} has revision {activation.revision}, not {revision}",
            hint="Look at what it is now, and change that.",
            current=activation,
        )
    if activation.is_over(now):
        raise ActivationOver(
            f"activation {activation.sequence} is over", hint="Activate its policy again to bring it back."
        )


def _window(activation: Activation, wanted: Window, now: datetime) -> Window:
    """What begins later than wanted begins now; what has begun keeps its start."""
    if activation.start > now:
        return replace(wanted, valid_from=max(wanted.valid_from or now, now))
    begins = max(wanted.valid_from or activation.activated_at, activation.activated_at)
    if begins != activation.start:
        raise _invalid("from", "begun", f"it began at {activation.start.isoformat()}; that can't be changed")
    return replace(activation.window, valid_until=wanted.valid_until)


def _invalid(path: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, violations=[Violation(path=path, code=code, message=message)])
