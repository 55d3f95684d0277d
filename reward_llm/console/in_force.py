"""What is in force where, and what would be if that were taken out or set aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from reward_llm.domain.schedule import EVERYBODY
from reward_llm.domain.source import Source

Document = Mapping[str, Any]

WHOLE: Final = "-"
"""What stands in a path for the whole scenario."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A scope of the snapshot, with what is served there."""

    item: Document
    path: str
    since: str | None
    """When what is served began; None for the defaults."""
    shares: Sequence[Document]
    """The scope's own activations that are for some users only, and running."""
    coming: Sequence[Document]
    """The scope's own activations that begin later, the next first."""


def in_force(snapshot: Document) -> list[InForce]:
    """Every scope of a snapshot, in its order."""
    starts = {a["activation"]: a["start"] for item in snapshot["items"] for a in item["activations"]}
    return [_in_force(item, starts, moment(snapshot["as_of"])) for item in snapshot["items"]]


def known_activations(snapshot: Document) -> list[Document]:
    """What is in force and to come in every scope of a snapshot, as the interface lists activations."""
    now = moment(snapshot["as_of"])
    return [_listed(item, a, now) for item in snapshot["items"] for a in item["activations"]]


def bases(snapshot: Document) -> list[Document]:
    """What people put into force for everybody in exactly a scope, and that scope: what controllers start from."""
    now = moment(snapshot["as_of"])
    first = ((item, next((a for a in item["activations"] if covers(a, now)), None)) for item in snapshot["items"])
    return [
        {**found, "scenario": item["scenario"], "segment": item["segment"]}
        for item, found in first
        if found and found["percent"] >= EVERYBODY and found["source"] != Source.CONTROLLER
    ]


def scope_name(document: Document) -> str:
    """The scope that a document names, as forms send it.

    >>> scope_name({"scenario": "home_feed", "segment": "new_user"})
    'home_feed/new_user'
    """
    return "/".join(filter(None, (document["scenario"], document.get("segment"))))


def version_name(policy: Document) -> str:
    """Which version of which scope a policy is."""
    return f"{scope_name(policy)} v{policy['version']}"


def scope_path(document: Document) -> str:
    """The page of a scope that a document names."""
    return f"/scopes/{quote(document['scenario'], safe='')}/{quote(document.get('segment') or WHOLE, safe='')}"


def moment(text: str) -> datetime:
    """A moment as the interface writes it."""
    return datetime.fromisoformat(text)


def covers(activation: Document, now: datetime) -> bool:
    """Whether it is in force at that moment."""
    end = activation["end"]
    return moment(activation["start"]) <= now and (end is None or now < moment(end))


def after_rollback(scope: Document) -> Document | None:
    """The activation that holds for everybody once the winning policy is taken out; None for the defaults."""
    winning = scope["stack"][0]["policy"]["policy_id"]
    left = (a for a in (*scope["stack"], *scope["inherited"]) if a["policy"]["policy_id"] != winning)
    return next(_for_everybody(left), None)


def underneath(scope: Document) -> Document | None:
    """The activation that holds for everybody in a frozen scope once it is unfrozen; None for the defaults."""
    return next(_for_everybody((*scope["stack"], *scope["inherited"])), None)


def rollback_targets(scope: Document, activations: Sequence[Document]) -> list[Document]:
    """The policies that were in force in the scope before, each once, the latest first."""
    winning = scope["stack"][0]["policy"]["policy_id"] if scope["stack"] else None
    found: dict[str, Document] = {}
    for activation in activations:
        policy = activation["policy"]
        if activation["state"] in {"running", "over"} and policy["policy_id"] != winning:
            found.setdefault(policy["policy_id"], policy)
    return list(found.values())


def _for_everybody(activations: Any) -> Iterator[Document]:
    return (a for a in activations if a["percent"] >= EVERYBODY)


def _listed(item: Document, activation: Document, now: datetime) -> Document:
    policy = {name: activation[name] for name in ("policy_id", "version")}
    return {
        "sequence": activation["activation"],
        "state": "running" if covers(activation, now) else "scheduled",
        "start": activation["start"],
        "end": activation["end"],
        "percent": activation["percent"],
        "policy": {**policy, "scenario": item["scenario"], "segment": item["segment"]},
    }


def _in_force(item: Document, starts: Mapping[int, str], now: datetime) -> InForce:
    rollout, own = item["rollout"], item["activations"]
    return InForce(
        item=item,
        path=scope_path(item),
        since=starts.get(rollout["activation"]) if rollout else None,
        shares=[a for a in own if a["percent"] < EVERYBODY and covers(a, now)],
        coming=sorted((a for a in own if moment(a["start"]) > now), key=lambda a: moment(a["start"])),
    )
