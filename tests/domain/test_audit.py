from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.act import Act
from reward_llm.domain.audit import AuditRecord, Change, Link, LogHead, changes_of, next_record
from reward_llm.domain.canonical import canonical
from tests.audits import NOON, chained

RECORD = chained([("home_feed", [], {"code": "x"})], LogHead())[0]


def test_the_hash_is_what_anybody_can_compute() -> None:
    text = json.dumps(RECORD.document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == RECORD.hash


def test_the_hash_covers_everything_else() -> None:
    assert RECORD.document.keys() == {f.name for f in fields(AuditRecord)} - {"hash"} | {"kind"}


def test_the_first_record_of_a_chain_names_its_chain_and_zeros() -> None:
    other = next_record(LogHead(), Act(actor="ann", at=NOON), "a", "s", chain="video_feed", patch=[], details={})
    assert (other.position, other.previous_hash, other.preceding_hash) == (1, "0" * 64, "0" * 64)
    assert replace(other, chain="home_feed").computed_hash != other.hash


def test_a_record_names_the_hash_before_it_in_the_log_and_in_its_chain() -> None:
    head = LogHead(sequence=7, hash="a" * 64, chains={"home_feed": Link(3, "b" * 64), "": Link(4, "a" * 64)})
    record = chained([("home_feed", [], {})], head)[0]
    assert (record.sequence, record.position) == (8, 4)
    assert (record.preceding_hash, record.previous_hash) == ("a" * 64, "b" * 64)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-12, 14))
def test_the_hash_does_not_depend_on_the_offset_of_a_moment(naive: datetime, hours: int) -> None:
    moment = naive.replace(tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    assert replace(RECORD, at=moment).computed_hash == replace(RECORD, at=elsewhere).computed_hash


def test_changes_say_the_value_before_and_after() -> None:
    patch = [
        {"op": "add", "path": "/goals/1", "value": {"state": "received"}},
        {"op": "test", "path": "/goals/2/state", "value": "received"},
        {"op": "replace", "path": "/goals/2/state", "value": "proposed"},
        {"op": "test", "path": "/goals/2/note", "value": "x"},
        {"op": "remove", "path": "/goals/2/note"},
    ]
    assert changes_of(patch) == (
        Change(path="/goals/1", after={"state": "received"}),
        Change(path="/goals/2/state", before="received", after="proposed"),
        Change(path="/goals/2/note", before="x"),
    )


def test_what_no_canonical_form_has_is_written_out() -> None:
    assert canonical({"b": float("inf"), "a": 2**60, "c": "\ud83d"}) == (
        b'{"a":"1152921504606846976","b":"Infinity","c":"\\\\ud83d"}'
    )
