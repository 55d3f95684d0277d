from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import fsspec
import pytest

from reward_llm.errors import CheckpointsUnavailable, ConfigurationInvalid
from reward_llm.store.checkpoint_places import FolderCheckpoints, open_checkpoints


@pytest.fixture(params=["folder", "file://", "memory://"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder, and object stores as fsspec knows them."""
    fsspec.filesystem("memory").store.clear()
    return str(tmp_path / "kept") if request.param == "folder" else f"{request.param}{tmp_path}/bucket/prefix"


async def test_checkpoints_are_kept_as_they_were_first_written(where: str) -> None:
    place = open_checkpoints(where)
    assert await place.contents() == {}
    assert await place.latest() is None
    for name, content in (("2.json", b"b"), ("1.json", b"a"), ("2.json", b"c")):
        await place.put(name, content)
    assert list((await place.contents()).items()) == [("1.json", b"a"), ("2.json", b"b")]
    assert await place.latest() == ("2.json", b"b")


async def test_another_process_finds_what_was_put(where: str) -> None:
    first, second = open_checkpoints(where), open_checkpoints(where)
    assert await second.latest() is None
    await first.put("1.json", b"a")
    assert await second.latest() == ("1.json", b"a")


async def test_what_else_is_in_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("not a checkpoint")
    assert await FolderCheckpoints(tmp_path).contents() == {}


async def test_half_a_checkpoint_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError("disk full")

    place = FolderCheckpoints(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(CheckpointsUnavailable, match="disk full"):
            await place.put("1.json", b"a")
    assert await place.latest() is None
    await place.put("1.json", b"a")
    assert await place.contents() == {"1.json": b"a"}


def test_a_storage_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigurationInvalid, match="nowhere://"):
        open_checkpoints("nowhere://bucket/prefix")


def test_without_the_extra_a_bucket_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [m for m in sys.modules if m.split(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(ConfigurationInvalid) as caught:
        open_checkpoints("s3://bucket/prefix")
    assert "object-store" in (caught.value.hint or "")
    asyncio.run(open_checkpoints("folder").contents())
