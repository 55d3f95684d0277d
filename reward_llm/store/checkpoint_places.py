"""Where checkpoints are kept: a folder, or a bucket of an object store."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from reward_llm.domain.ports import CheckpointStore
from reward_llm.errors import CheckpointsUnavailable, ConfigurationInvalid

T = TypeVar("T")

_SUFFIX: Final = ".json"
_EXTRA: Final = "Install the extra: pip install 'reward-llm[object-store]', and what its storage needs, such as s3fs."


def open_checkpoints(where: str) -> CheckpointStore:
    """The place that a folder's path or a URL such as s3://bucket/prefix names.

    Raises:
        ConfigurationInvalid: If the URL's storage isn't installed or can't be used.
    """
    return _bucket(where) if "://" in where else FolderCheckpoints(Path(where))


class FolderCheckpoints:
    """Checkpoints as files in a folder, which is made with the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, content: bytes) -> None:
        """Keep a checkpoint, on disk before this returns."""
        await _in_thread(lambda: self._put(name, content))

    async def contents(self) -> dict[str, bytes]:
        """All checkpoints by name."""
        return await _in_thread(lambda: {name: (self._folder / name).read_bytes() for name in self._names()})

    async def latest(self) -> tuple[str, bytes] | None:
        """The checkpoint of the last name."""
        return await _in_thread(
            lambda: next(((n, (self._folder / n).read_bytes()) for n in self._names()[-1:]), None)
        )

    def _names(self) -> list[str]:
        return sorted(p.name for p in self._folder.glob(f"*{_SUFFIX}"))

    def _put(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if (self._folder / name).exists():
            return
        unfinished = self._folder / f".{name}.{secrets.token_hex(4)}"
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / name)


class BucketCheckpoints:
    """Checkpoints as objects under a prefix, through an fsspec file system."""

    def __init__(self, files: Any, prefix: str) -> None:
        self._files = files
        self._prefix = prefix.rstrip("/")

    async def put(self, name: str, content: bytes) -> None:
        """Keep a checkpoint."""
        await _in_thread(lambda: self._put(f"{self._prefix}/{name}", content))

    async def contents(self) -> dict[str, bytes]:
        """All checkpoints by name."""
        return await _in_thread(lambda: {_name(p): bytes(self._files.cat_file(p)) for p in self._paths()})

    async def latest(self) -> tuple[str, bytes] | None:
        """The checkpoint of the last name."""
        return await _in_thread(
            lambda: next(((_name(p), bytes(self._files.cat_file(p))) for p in self._paths()[-1:]), None)
        )

    def _paths(self) -> list[str]:
        self._files.invalidate_cache()
        if not self._files.exists(self._prefix):
            return []
        return sorted(str(p) for p in self._files.ls(self._prefix, detail=False) if str(p).endswith(_SUFFIX))

    def _put(self, path: str, content: bytes) -> None:
        self._files.makedirs(self._prefix, exist_ok=True)
        if not self._files.exists(path):
            self._files.pipe_file(path, content)


def _bucket(url: str) -> BucketCheckpoints:
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra that folders do without

        files, prefix = url_to_fs(url)
    except (ImportError, ValueError) as exc:
        raise ConfigurationInvalid(f"checkpoints can't be kept at {url}: {exc}", hint=_EXTRA) from exc
    return BucketCheckpoints(files, prefix)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except Exception as exc:  # what an object store raises is its client's own choice
        raise CheckpointsUnavailable(f"checkpoints can't be read or written: {exc}") from exc
