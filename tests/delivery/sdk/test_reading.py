from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.delivery.sdk.errors import SnapshotInvalid
from reward_llm.delivery.sdk.reading import parse
from tests.delivery.sdk.documents import activation, document, encoded, item, read

NOW = datetime(2026, 6, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def whole() -> dict[str, Any]:
    return document(
        item(activations=[activation(2, start=NOW, end=NOW + HOUR, percent=50), activation(1, start=NOW - HOUR)]),
        item(segment="new_user", frozen=True),
        revision=7,
        as_of=NOW,
    )


def test_a_snapshot_is_read_whole() -> None:
    snapshot = read(whole())
    assert (snapshot.revision, snapshot.as_of, snapshot.stale, snapshot.age_s) == (7, NOW, False, 0.0)
    first, second = snapshot.items.values()
    assert [a.sequence for a in first.activations] == [2, 1]
    assert (first.activations[0].percent, first.activations[0].end) == (50.0, NOW + HOUR)
    assert (second.key, second.frozen) == (("home_feed", "new_user"), True)


def test_fields_that_a_later_service_adds_do_not_matter() -> None:
    later = whole() | {"region": "eu"}
    later["items"][0]["colour"] = {"deep": [1]}
    assert read(later).items == read(whole()).items


def test_the_order_of_fields_and_activations_does_not_matter() -> None:
    turned = dict(reversed(whole().items()))
    turned["items"][0]["activations"].reverse()
    assert read(turned) == read(whole())


def test_white_space_does_not_matter() -> None:
    assert parse(json.dumps(whole(), indent=3).encode() + b"\n") == read(whole())


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(snapshot: dict[str, Any]) -> None:
        *outer, last = path
        inner: Any = snapshot
        for step in outer:
            inner = inner[step]
        inner[last] = value

    return change


def drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(snapshot: dict[str, Any]) -> None:
        *outer, last = path
        inner: Any = snapshot
        for step in outer:
            inner = inner[step]
        del inner[last]

    return change


FIRST = ("items", 0)
ACTIVE = (*FIRST, "activations", 0)
WRONG = {
    "no revision": drop("revision"),
    "a revision that is text": put("revision", value="7"),
    "a revision that is true": put("revision", value=True),
    "a negative revision": put("revision", value=-1),
    "a revision without end": put("revision", value=2**63),
    "no items": drop("items"),
    "items that are an object": put("items", value={}),
    "an item that is a number": put(*FIRST, value=3),
    "an as_of without an offset": put("as_of", value="2026-06-18T12:00:00"),
    "an as_of that is no moment": put("as_of", value="noon"),
    "an as_of before all time": put("as_of", value="0001-01-01T00:00:00+14:00"),
    "stale that is a number": put("stale", value=0),
    "a negative age": put("age_s", value=-0.1),
    "an age without end": put("age_s", value=10**400),
    "no scenario": drop(*FIRST, "scenario"),
    "an empty scenario": put(*FIRST, "scenario", value=""),
    "an empty segment": put("items", 1, "segment", value=""),
    "a segment without its scenario": drop(*FIRST),
    "a scope twice": put("items", 1, value=item()),
    "no utilities": put(*FIRST, "utilities", value=[]),
    "a utility twice": put(*FIRST, "utilities", value=["click", "click"]),
    "a utility that is a list": put(*FIRST, "utilities", value=["click", ["gmv"]]),
    "frozen that is text": put(*FIRST, "frozen", value="false"),
    "no default": put(*FIRST, "default", value=None),
    "weights of other utilities": put(*FIRST, "default", "weights", value={"click": 1.0}),
    "weights that are text": put(*FIRST, "default", "weights", value={"click": "0.5", "gmv": 0.5}),
    "weights that are true": put(*FIRST, "default", "weights", value={"click": True, "gmv": 0}),
    "negative weights": put(*FIRST, "default", "weights", value={"click": -0.5, "gmv": 1.5}),
    "weights that are 2 together": put(*FIRST, "default", "weights", value={"click": 1, "gmv": 1}),
    "a version that is a fraction": put(*FIRST, "default", "version", value=1.0),
    "no activations": drop(*FIRST, "activations"),
    "an activation of nobody": put(*ACTIVE, "percent", value=0),
    "an activation of more than everybody": put(*ACTIVE, "percent", value=100.5),
    "an activation without a start": put(*ACTIVE, "start", value=None),
    "an activation without weights": drop(*ACTIVE, "weights"),
    "an activation without an end field": drop(*ACTIVE, "end"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_a_snapshot_is_refused_whole(what: str) -> None:
    snapshot = whole()
    WRONG[what](snapshot)
    with pytest.raises(SnapshotInvalid):
        read(snapshot)


NAN = encoded(whole()).replace(b'"click":0.0,', b'"click":NaN,')
HUGE = encoded(whole()).replace(b'"click":0.0,', b'"click":1e999,')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>502 Bad Gateway</html>",
        b"\xff\xfe",
        b'{"revision": 1',
        b'{"revision": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"items": ' + b"[" * 100_000,
        encoded(whole())[:-1],
        encoded(whole()) + b"{}",
        encoded(whole())[:-1] + b',"revision":8}',
        encoded(whole()).replace(b"},{", b"}{"),
        NAN,
        HUGE,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    assert NAN != encoded(whole()) != HUGE
    with pytest.raises(SnapshotInvalid):
        parse(body)


@given(cut=st.integers(0, len(encoded(whole())) - 1))
def test_a_truncated_snapshot_is_refused(cut: int) -> None:
    with pytest.raises(SnapshotInvalid):
        parse(encoded(whole())[:cut])


@given(at=st.integers(0, len(encoded(whole())) - 1), byte=st.binary(min_size=1, max_size=1))
def test_a_damaged_snapshot_is_refused_or_still_one(at: int, byte: bytes) -> None:
    body = encoded(whole())
    damaged = body[:at] + byte + body[at + 1 :]
    try:
        snapshot = parse(damaged)
    except SnapshotInvalid:
        return
    for found in snapshot.items.values():
        for policy in (found.default, *(a.policy for a in found.activations)):
            assert set(policy.weights) == set(found.utilities)
            assert abs(sum(policy.weights.values()) - 1) < 1e-5


SEGMENTS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def over(segments: list[str], version: int) -> dict[str, Any]:
    return document(item(default=version), *(item(segment=s, default=ord(s)) for s in segments), as_of=NOW)


@given(before=SEGMENTS, after=SEGMENTS, same=st.booleans())
def test_reading_with_what_was_known_gives_the_same(before: list[str], after: list[str], same: bool) -> None:
    known = read(over(before, 1))
    body = encoded(over(after, 1 if same else 2))
    assert parse(body, known.items) == parse(body)
    assert list(parse(body, known.items).items) == list(parse(body).items)


def test_items_that_have_not_changed_are_not_parsed_again() -> None:
    known = read(over(list("abcd"), 1))
    changed = over(list("abcd"), 1)
    changed["items"][2] = item(segment="b", default=3)
    again = parse(encoded(changed), known.items)
    kept = [k for k in again.items if again.items[k] is known.items[k]]
    assert kept == [("home_feed", s) for s in (None, "a", "c", "d")]


def test_others_have_their_turn_while_much_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(time, "sleep", rests.append)
    read(document(item(), *(item(segment=f"s{i}") for i in range(2_000))))
    assert rests


def test_a_copy_of_a_snapshot_equals_it() -> None:
    assert read(copy.deepcopy(whole())) == read(whole())
