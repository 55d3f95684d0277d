from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reward_llm.domain.audit import AuditRecord, LogHead
from reward_llm.domain.audit_flaws import FlawKind, Unreadable
from reward_llm.domain.audit_verification import verify
from reward_llm.validation.audit_export import line_of, read_export
from tests.audits import chained, checkpoint_of, logs

THREE = chained([("home_feed", [], {"n": n, "x": 0.5}) for n in range(3)], LogHead())
LINES = [line_of(r) for r in THREE]


@given(logs(at_least=0))
def test_an_export_reads_as_what_was_exported(records: list[AuditRecord]) -> None:
    lines = b"".join(line_of(r) for r in records).splitlines(keepends=True)
    assert len(lines) == len(records)
    assert [line_of(r) for r in read_export(lines) if isinstance(r, AuditRecord)] == lines
    found = verify(read_export(lines), [checkpoint_of(records)] if records else [])
    assert found.intact
    assert found.records == len(records)


@settings(max_examples=300)
@given(st.data())
def test_a_byte_that_was_changed_is_found_in_its_line(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(LINES) - 1))
    at = data.draw(st.integers(0, len(LINES[number]) - 1))
    byte = data.draw(st.binary(max_size=2))
    changed = LINES[number][:at] + byte + LINES[number][at + 1 :]
    assume(changed != LINES[number])
    touched = b"".join([*LINES[:number], changed, *LINES[number + 1 :]]).splitlines(keepends=True)
    found = verify(read_export(touched))
    assert found.flaw is not None
    assert found.flaw.sequence == number + 1


@given(st.permutations(range(3)), st.integers(0, 3))
def test_lines_moved_or_taken_away_are_found(order: list[int], kept: int) -> None:
    order = order[:kept]
    assume(order != [0, 1, 2])
    found = verify(read_export([LINES[i] for i in order]), [checkpoint_of(THREE)])
    assert found.flaw is not None
    assert found.flaw.sequence == next(i for i in range(4) if i >= len(order) or order[i] != i) + 1


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[1]\n",
        b"not json\n",
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        LINES[0][:-1],
        LINES[0].replace(b'"n":0', b'"n":0.0'),
        LINES[0].replace(b'"n":0', b'"n": 0'),
        LINES[0].replace(b'"n":0', b'"n":NaN'),
        LINES[0].replace(b'"n":0', b'"n":1,"n":0'),
        LINES[0].replace(b'"sequence":1', b'"sequence":"1"'),
        LINES[0].replace(b'"sequence":1', b'"sequence":true'),
        LINES[0].replace(b'"patch":[]', b'"patch":{}'),
        LINES[0].replace(b"audit_record/1", b"audit_record/2"),
        LINES[0].replace(b".000001Z", b".000001+00:00"),
        LINES[0].replace(b".000001Z", b".000001"),
        LINES[0].replace(b'"actor":"ann1",', b""),
        json.dumps({**json.loads(LINES[0]), "more": 1}).encode() + b"\n",
    ],
)
def test_a_line_of_another_form_is_unreadable(line: bytes) -> None:
    assert line not in LINES
    (read,) = read_export([line])
    assert isinstance(read, Unreadable)
    assert read.problem.startswith("line 1: ")
    found = verify(read_export([line, *LINES[1:]]))
    assert found.flaw is not None
    assert (found.flaw.kind, found.flaw.sequence) == (FlawKind.UNREADABLE, 1)
