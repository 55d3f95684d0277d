from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reward_llm.domain.audit import LogHead
from reward_llm.store import SqlStore, upgrade
from reward_llm.validation.audit_checkpoints import name_of, signed
from reward_llm.validation.audit_export import line_of
from reward_llm.validation.signatures import load_private_key
from tests.audits import CHAINS, chained, checkpoint_of, rewritten
from tests.cli.conftest import Program
from tests.contracts.store import ANN, CLICKS, EVEN, FEED
from tests.service import service

RECORDS = chained([(chain, [], {"n": n}) for n, chain in enumerate(CHAINS * 2)], LogHead())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An exported log of six records."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(map(line_of, RECORDS)))
    return path


@pytest.fixture
def vouched(tmp_path: Path, program: Program) -> list[str]:
    """The options that name checkpoints of that log, after three records and at its end."""
    assert program("audit", "keygen", str(tmp_path)).code == 0
    key = load_private_key(tmp_path / "audit-private.pem")
    for end in (3, 6):
        checkpoint = checkpoint_of(RECORDS[:end])
        folder = tmp_path / "checkpoints"
        folder.mkdir(exist_ok=True)
        (folder / name_of(checkpoint)).write_bytes(signed(checkpoint, key))
    return ["--checkpoints", str(folder), "--key", str(tmp_path / "audit-public.pem")]


def submitted(client: Program) -> dict[str, Any]:
    goal: dict[str, Any] = json.loads(client("submit", "Raise GMV this weekend", "--json").out)
    return goal


def test_records_are_listed_and_shown(client: Program) -> None:
    goal = submitted(client)
    listed = json.loads(client("audit", "--subject", goal["id"], "--json").out)["items"]
    assert [r["action"] for r in listed] == ["goal.proposed", "goal.received"]
    assert "goal.received" in client("audit", "list", "--subject", goal["id"], "--action", "goal.rec").out
    shown = client("audit", "show", str(listed[0]["sequence"])).out
    assert f"/goals/{goal['id']}/state" in shown
    assert "received" in shown
    assert listed[0]["hash"] in shown
    assert json.loads(client("audit", "show", str(listed[0]["sequence"]), "--json").out) == listed[0]
    unknown = client("audit", "show", "999999")
    assert (unknown.code, unknown.out) == (1, "")


def test_the_service_verifies_its_own_log(client: Program) -> None:
    submitted(client)
    found = json.loads(client("audit", "verify", "--json").out)
    assert (found["intact"], found["compared"]) == (True, True)
    shown = client("audit", "verify")
    assert shown.code == 0
    assert "intact" in shown.out
    assert "what the store holds" in shown.out
    assert client("audit", "verify", "--to", "3").code == 2


def test_an_export_is_a_file_that_verifies(client: Program, tmp_path: Path) -> None:
    submitted(client)
    path = tmp_path / "log.jsonl"
    assert client("audit", "export", str(path)).code == 0
    verified = json.loads(client("audit", "verify", str(path), "--json").out)
    assert (verified["intact"], verified["compared"]) == (True, False)
    assert verified["records"] == len(path.read_bytes().splitlines()) > 1
    assert client("audit", "export", str(tmp_path / "log.csv"), "--format", "csv").code == 0
    assert "sequence" in (tmp_path / "log.csv").read_text("utf-8-sig").splitlines()[0]
    part = tmp_path / "part.jsonl"
    assert client("audit", "export", str(part), "--from", "2", "--to", "2").code == 0
    assert client("audit", "verify", str(part), "--from", "2", "--to", "2").code == 0
    assert client("audit", "verify", str(part)).code == 1


def test_an_export_that_fails_leaves_no_file(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert program("audit", "export", str(path), REWARD_LLM_URL="http://127.0.0.1:9").code == 3
    assert [*tmp_path.iterdir()] == []
    missing = program("audit", "export", str(tmp_path / "missing" / "log.jsonl"))
    assert missing.code == 2


def test_a_whole_file_is_intact_and_says_what_nobody_can_tell(program: Program, file: Path) -> None:
    result = program("audit", "verify", str(file))
    assert result.code == 0
    assert "6 records" in result.out
    assert "cut off" in result.out


def test_a_file_is_verified_against_checkpoints(program: Program, file: Path, vouched: list[str]) -> None:
    result = program("audit", "verify", str(file), *vouched)
    assert result.code == 0
    assert "2 signed checkpoints agree" in result.out


@pytest.mark.parametrize("kept", range(6))
def test_a_file_that_was_cut_off_is_found(program: Program, file: Path, vouched: list[str], kept: int) -> None:
    file.write_bytes(b"".join(map(line_of, RECORDS[:kept])))
    assert program("audit", "verify", str(file)).code == 0
    result = program("audit", "verify", str(file), *vouched)
    assert result.code == 1
    assert f"record {kept + 1} is missing" in result.out


@pytest.mark.parametrize("at", range(6))
def test_a_changed_line_is_named(program: Program, file: Path, at: int) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    lines[at] = lines[at].replace(b"policy.edited", b"policy.deleted")
    file.write_bytes(b"".join(lines))
    result = program("audit", "verify", str(file))
    assert result.code == 1
    assert f"record {at + 1} was changed" in result.out
    found = json.loads(program("audit", "verify", str(file), "--json").out)
    assert (found["flaw"]["sequence"], found["records"]) == (at + 1, at)


def test_a_rewritten_file_is_found(program: Program, file: Path, vouched: list[str]) -> None:
    file.write_bytes(b"".join(map(line_of, rewritten([*RECORDS[:4], RECORDS[5], RECORDS[4]]))))
    assert program("audit", "verify", str(file)).code == 0
    result = program("audit", "verify", str(file), *vouched)
    assert result.code == 1
    assert "record 6 isn't the one" in result.out
    assert "after record 3" in result.out


def test_what_the_checkpoints_need_is_asked_for(program: Program, file: Path, vouched: list[str]) -> None:
    assert program("audit", "verify", str(file), *vouched[:2]).code == 2
    assert program("audit", "verify", str(file), *vouched[2:]).code == 2
    assert program("audit", "verify", str(file), "--checkpoints", "nowhere", *vouched[2:]).code == 2
    assert program("audit", "verify", str(file.parent / "missing.jsonl")).code == 2


def test_checkpoints_of_another_key_are_refused(
    program: Program, file: Path, vouched: list[str], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    program("audit", "keygen", str(other))
    result = program("audit", "verify", str(file), *vouched[:3], str(other / "audit-public.pem"))
    assert result.code == 1
    assert "isn't signed with this key" in result.err


def test_keys_are_made_once(program: Program, tmp_path: Path) -> None:
    made = json.loads(program("audit", "keygen", str(tmp_path), "--json").out)
    assert Path(made["private"]).exists()
    assert Path(made["public"]).exists()
    assert program("audit", "keygen", str(tmp_path)).code == 2
    assert program("audit", "keygen", str(tmp_path / "missing")).code == 2


def test_the_end_of_the_log_is_signed_on_demand(program: Program, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"

    async def write() -> None:
        await upgrade(url)
        store = SqlStore.open(url)
        for weights in (EVEN, CLICKS):
            await store.record_edit(FEED, weights, ANN)
        await store.aclose()

    asyncio.run(write())
    program("audit", "keygen", str(tmp_path))
    settings = {
        "REWARD_LLM_DATABASE_URL": url,
        "REWARD_LLM_AUDIT_KEY": str(tmp_path / "audit-private.pem"),
        "REWARD_LLM_AUDIT_CHECKPOINTS": str(tmp_path / "checkpoints"),
    }
    assert program("audit", "checkpoint", REWARD_LLM_DATABASE_URL=url).code == 2
    first = json.loads(program("audit", "checkpoint", "--json", **settings).out)
    assert first["sequence"] == 2
    assert "signed already" in program("audit", "checkpoint", **settings).out
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["000000000000002.json"]


def test_a_service_signs_its_log_when_it_ends(
    program: Program, tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    program("audit", "keygen", str(tmp_path))
    where, key = str(tmp_path / "checkpoints"), str(tmp_path / "audit-private.pem")
    path = tmp_path / "audit.jsonl"
    port = unused_tcp_port_factory()
    with service(tmp_path, port, backend="rules", audit_key=key, audit_checkpoints=where) as running:
        running.http.post("/v1/goals", json={"scenario": "home_feed", "text": "Raise GMV"}).raise_for_status()
        path.write_bytes(running.http.get("/v1/audit/export").content)
    vouched = ["--checkpoints", where, "--key", str(tmp_path / "audit-public.pem")]
    found = json.loads(program("audit", "verify", str(path), *vouched, "--json").out)
    assert (found["intact"], found["checkpoints"]) == (True, 1)
