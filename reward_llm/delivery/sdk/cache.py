"""The last snapshot on disk, for the next start.

    reward-llm-snapshot/1 <SHA-256 of everything below>
    {"base_url": …, "scenarios": …, "etag": …, "revision": …, "confirmed_at": …}
    <a document with the items as the service wrote them>

A file is replaced as a whole or not at all, so processes may share one; of two the newer revision stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reward_llm.delivery.sdk.errors import SnapshotInvalid

_SCHEMA: Final = b"reward-llm-snapshot/1 "
_MODE: Final = 0o600
_MAX_HEAD_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A document, its entity tag and revision, and when a service confirmed it by the wall clock."""

    body: bytes
    etag: str
    revision: int
    confirmed_at: float


class SnapshotCache:
    """One file; `base_url` and `scenarios` say whose snapshot it is, and nobody else's is read."""

    def __init__(self, path: Path, *, base_url: str, scenarios: frozenset[str] | None, max_bytes: int) -> None:
        self._path = path
        self._owner = {"base_url": base_url, "scenarios": None if scenarios is None else sorted(scenarios)}
        self._max_bytes = max_bytes

    def load(self) -> Kept | None:
        """What is in the file; None if there is no file.

        Raises:
            SnapshotInvalid: If it is damaged, somebody else's, or of another version.
            OSError: If it can't be read.
        """
        try:
            if self._path.stat().st_size > self._max_bytes + _MAX_HEAD_BYTES:
                raise SnapshotInvalid("it is too long")
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        if not content.startswith(_SCHEMA):
            raise SnapshotInvalid("it isn't a snapshot's file, or of another version")
        seal, _, sealed = content.removeprefix(_SCHEMA).partition(b"\n")
        if hashlib.sha256(sealed).hexdigest().encode() != seal:
            raise SnapshotInvalid("it is damaged: its checksum doesn't fit")
        head, _, body = sealed.partition(b"\n")
        fields = self._checked(head)
        return Kept(
            body=body, etag=fields["etag"], revision=fields["revision"], confirmed_at=float(fields["confirmed_at"])
        )

    def store(self, kept: Kept, *, replaces_newer: bool = False) -> bool:
        """Put it into the file, unless another process has put a newer one there; whether it was.

        Raises:
            OSError: If it can't be written; the file is as before.
        """
        if not replaces_newer and self._revision_there() > kept.revision:
            return False
        about = {"etag": kept.etag, "revision": kept.revision, "confirmed_at": kept.confirmed_at}
        sealed = json.dumps(self._owner | about).encode() + b"\n" + kept.body
        content = _SCHEMA + hashlib.sha256(sealed).hexdigest().encode() + b"\n" + sealed
        self._path.parent.mkdir(parents=True, exist_ok=True)
        written = self._path.with_name(f".{self._path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            written.replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                written.unlink(missing_ok=True)
            raise
        return True

    def _revision_there(self) -> int:
        """The revision of what could be loaded; -1 if nothing could."""
        try:
            kept = self.load()
        except (OSError, SnapshotInvalid):
            return -1
        return -1 if kept is None else kept.revision

    def _checked(self, head: bytes) -> dict[str, Any]:
        try:
            fields = json.loads(head)
        except (ValueError, RecursionError) as exc:
            raise SnapshotInvalid("its head isn't JSON") from exc
        if not isinstance(fields, dict) or {k: fields.get(k) for k in self._owner} != self._owner:
            raise SnapshotInvalid("it is of another service or other scenarios")
        etag, revision, confirmed_at = (fields.get(k) for k in ("etag", "revision", "confirmed_at"))
        if not isinstance(etag, str) or type(revision) is not int:
            raise SnapshotInvalid("its head isn't whole")
        if not isinstance(confirmed_at, int | float) or not math.isfinite(confirmed_at):
            raise SnapshotInvalid("its head isn't whole")
        return fields
