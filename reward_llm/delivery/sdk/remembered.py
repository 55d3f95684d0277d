"""What a client begins with: the file from its last run, or the snapshot that came with the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reward_llm.delivery.sdk.cache import SnapshotCache
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.errors import ClientError, SnapshotInvalid
from reward_llm.delivery.sdk.reading import parse
from reward_llm.delivery.sdk.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A snapshot from before; `age_s` is None if nobody knows how old it is."""

    snapshot: Snapshot
    body: bytes
    source: Literal["cache", "bootstrap"]
    etag: str | None
    age_s: float | None


def remembered(config: ClientConfig, cache: SnapshotCache | None) -> tuple[Remembered | None, list[str]]:
    """The newest of what there is, and why the rest can't be used."""
    found: list[Remembered] = []
    notes: list[str] = []
    for name, read in (("cache", _from_cache), ("bootstrap", _from_bootstrap)):
        try:
            one = read(config, cache)
        except (ClientError, OSError) as exc:
            notes.append(f"the {name} can't be used: {exc}")
            continue
        if one is not None:
            found.append(one)
    best = max(found, key=lambda r: (r.snapshot.revision, r.snapshot.as_of), default=None)
    notes += [f"the {r.source} is older than the {best.source}" for r in found if best is not None and r is not best]
    return best, notes


def _from_cache(config: ClientConfig, cache: SnapshotCache | None) -> Remembered | None:
    kept = cache.load() if cache is not None else None
    if kept is None:
        return None
    snapshot = parse(kept.body)
    age_s = _age(kept.confirmed_at, config.wall_clock)
    return Remembered(snapshot=snapshot, body=kept.body, source="cache", etag=kept.etag or None, age_s=age_s)


def _from_bootstrap(config: ClientConfig, _: SnapshotCache | None) -> Remembered | None:
    given = config.bootstrap
    if given is None:
        return None
    if isinstance(given, Path) and given.stat().st_size > config.max_snapshot_bytes:
        raise SnapshotInvalid(f"it has more than max_snapshot_bytes {config.max_snapshot_bytes:,}")
    body = given if isinstance(given, bytes) else given.read_bytes()
    snapshot = parse(body).only(config.scenarios)
    age_s = _age(snapshot.as_of.timestamp() - snapshot.age_s, config.wall_clock)
    return Remembered(snapshot=snapshot, body=body, source="bootstrap", etag=None, age_s=age_s)


def _age(confirmed_at: float, wall: Callable[[], float]) -> float | None:
    """None if that is yet to come: the clock was set back, and nobody knows by how much."""
    age_s = wall() - confirmed_at
    return age_s if age_s >= 0 else None
