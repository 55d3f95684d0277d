"""Records of the loop: experiments, controllers and studies, as they are kept.

What each of them is made of is for its own part of `reward_llm.loop` to say; here it is a document, with what all of
them have: a scope, a state, a revision that guards against two changes at once, and entries that it gathers while it
lives, such as an experiment's looks, a controller's moves and a study's trials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from reward_llm.domain.scenario import Scope


class LoopKind(StrEnum):
    """What a record is of."""

    EXPERIMENT = "experiment"
    CONTROLLER = "controller"
    STUDY = "study"
    MEMORY = "memory"
    """What came of a goal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopRecord:
    """One experiment, controller or study.

    `state` is one of its kind's own states; `document` is JSON that its kind writes and reads. `revision` counts its
    changes from 1.
    """

    id: str
    kind: LoopKind
    scope: Scope
    state: str
    document: Mapping[str, Any]
    revision: int
    created_at: datetime
    created_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopEntry:
    """Something that a record gathered: `number` counts its entries from 1, `document` is JSON."""

    number: int
    at: datetime
    document: Mapping[str, Any]
