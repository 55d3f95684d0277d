from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reward_llm.domain.audit import AuditRecord, LogHead
from reward_llm.domain.audit_flaws import Flaw, FlawKind, Unreadable
from reward_llm.domain.audit_verification import verify
from reward_llm.domain.replay import State, apply
from tests.audits import CHAINS, CHANGES, chained, checkpoint_of, head_of, logs, rewritten

THREE = chained([(chain, [], {}) for chain in CHAINS * 2], LogHead())


def flaw_of(records: list[AuditRecord], **options: object) -> Flaw:
    flaw = verify(records, **options).flaw  # type: ignore[arg-type]
    assert flaw is not None
    return flaw


def replayed(records: list[AuditRecord]) -> State:
    state: State = {}
    for record in records:
        apply(state, record.patch)
    return state


@given(logs(at_least=0))
def test_a_log_is_what_was_written(records: list[AuditRecord]) -> None:
    checkpoints = [checkpoint_of(records[: i + 1]) for i in range(len(records))]
    found = verify(records, checkpoints, state=replayed(records))
    assert found.intact
    assert found.compared
    assert found.head == head_of(records)
    assert (found.records, found.checkpoints) == (len(records), len(records))
    assert found.last_checkpoint == (checkpoints[-1] if checkpoints else None)


@settings(max_examples=300)
@given(st.sampled_from(sorted(CHANGES)), logs(), st.data())
def test_a_changed_record_is_named(change: str, records: list[AuditRecord], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    touched = [*records]
    touched[at] = CHANGES[change](records[at])
    assume(touched[at] != records[at])
    flaw = flaw_of(touched)
    assert flaw.sequence == records[at].sequence
    assert flaw.kind is (FlawKind.MISSING if change == "sequence" else FlawKind.CHANGED)


@settings(max_examples=300)
@given(st.sampled_from(sorted(CHANGES.keys() - {"sequence", "chain", "position", "hash"})), logs(), st.data())
def test_a_changed_record_whose_hash_is_made_good_breaks_the_next_one(
    change: str, records: list[AuditRecord], data: st.DataObject
) -> None:
    records = [*records, *chained([("", [], {})], head_of(records))]
    at = data.draw(st.integers(0, len(records) - 2))
    touched = [*records]
    touched[at] = CHANGES[change](records[at])
    touched[at] = replace(touched[at], hash=touched[at].computed_hash)
    assume(touched[at] != records[at])
    flaw = flaw_of(touched)
    assert flaw.sequence in {records[at].sequence, records[at].sequence + 1}
    assert flaw.kind in {FlawKind.UNLINKED, FlawKind.PATCH_REFUSED}


@given(logs(at_least=2), st.data())
def test_a_deleted_record_is_named_as_missing(records: list[AuditRecord], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records) - 2))
    flaw = flaw_of(records[:at] + records[at + 1 :])
    assert (flaw.kind, flaw.sequence) == (FlawKind.MISSING, records[at].sequence)


@given(logs(), st.data())
def test_a_record_put_in_is_named(records: list[AuditRecord], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records)))
    twin = data.draw(st.sampled_from(records))
    flaw = flaw_of([*records[:at], twin, *records[at:]])
    assert flaw.sequence in {at + 1, twin.sequence, records[min(at, len(records) - 1)].sequence}
    assert flaw.kind in {FlawKind.OUT_OF_PLACE, FlawKind.MISSING}


@given(logs(at_least=2), st.data())
def test_two_records_that_changed_places_are_found_at_the_first(
    records: list[AuditRecord], data: st.DataObject
) -> None:
    first, second = sorted(data.draw(st.permutations(range(len(records))))[:2])
    touched = [*records]
    touched[first], touched[second] = records[second], records[first]
    flaw = flaw_of(touched)
    assert (flaw.kind, flaw.sequence) == (FlawKind.MISSING, records[first].sequence)


@given(logs(), st.data())
def test_a_log_that_was_cut_off_is_found_against_a_checkpoint(
    records: list[AuditRecord], data: st.DataObject
) -> None:
    kept = data.draw(st.integers(0, len(records) - 1))
    assert verify(records[:kept]).intact
    flaw = flaw_of(records[:kept], checkpoints=[checkpoint_of(records)])
    assert (flaw.kind, flaw.sequence) == (FlawKind.CUT_OFF, kept + 1)


@given(logs(), st.data())
def test_a_tail_that_was_rewritten_is_found_against_a_checkpoint(
    records: list[AuditRecord], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    touched = rewritten([*records[:at], replace(records[at], reason="none"), *records[at + 1 :]])
    assume(touched != records)
    assert verify(touched).intact
    known = [checkpoint_of(records[:at])] if at else []
    found = verify(touched, [*known, checkpoint_of(records)])
    assert found.flaw is not None
    assert (found.flaw.kind, found.flaw.sequence) == (FlawKind.NOT_AS_SIGNED, len(records))
    assert f"after record {at}" in found.flaw.message


def test_a_whole_chain_that_was_cut_off_breaks_the_log() -> None:
    assert flaw_of([r for r in THREE if r.chain != "video_feed"]).sequence == 3


def test_a_chain_that_was_cut_off_and_rewritten_is_found_against_a_checkpoint() -> None:
    touched = rewritten([r for r in THREE if r.chain != "video_feed"])
    assert verify(touched).intact
    assert flaw_of(touched, checkpoints=[checkpoint_of(THREE)]).kind is FlawKind.CUT_OFF


def test_records_moved_to_another_chain_are_found() -> None:
    moved = replace(THREE[1], chain="video_feed")
    moved = replace(moved, hash=moved.computed_hash)
    assert flaw_of([THREE[0], moved, *THREE[2:]]).sequence == 3


def test_the_first_flaw_counts() -> None:
    touched = [THREE[0], replace(THREE[1], actor="eve"), THREE[3]]
    found = verify(touched)
    assert found.flaw is not None
    assert (found.flaw.sequence, found.records, found.head) == (2, 1, head_of(THREE[:1]))


def test_what_is_no_record_is_named_by_its_place() -> None:
    found = verify([THREE[0], Unreadable("line 2: gibberish"), THREE[2]])
    assert found.flaw is not None
    assert (found.flaw.kind, found.flaw.sequence) == (FlawKind.UNREADABLE, 2)
    assert "gibberish" in found.flaw.message


@pytest.mark.parametrize("first", range(1, 7))
@pytest.mark.parametrize("last", range(1, 7))
def test_a_part_is_verified_as_one(first: int, last: int) -> None:
    part = THREE[first - 1 : last]
    if not part:
        return
    checkpoints = [checkpoint_of(THREE[: i + 1]) for i in range(6)]
    found = verify(part, checkpoints, first=first, last=last)
    assert found.intact
    assert found.checkpoints == len(part)
    assert verify(part, first=first, last=last).intact
    assert flaw_of(part, first=first + 1).sequence is not None
    assert flaw_of(part, first=first, last=last + 1).kind is FlawKind.CUT_OFF


def test_a_part_that_goes_on_is_found() -> None:
    assert flaw_of(THREE, last=4).sequence == 5


def test_the_checkpoint_before_a_part_vouches_for_what_was_before() -> None:
    others = rewritten([replace(THREE[0], actor="eve"), *THREE[1:]])
    assert verify(others[3:], first=4).intact
    assert flaw_of(others[3:], checkpoints=[checkpoint_of(THREE[:3])], first=4).kind is FlawKind.UNLINKED


def test_a_patch_that_does_not_fit_is_found_though_every_hash_is_good() -> None:
    written = [("", [{"op": "test", "path": "/goals/1/state", "value": "received"}], {})]
    flaw = flaw_of(chained(written, LogHead()))
    assert (flaw.kind, flaw.sequence) == (FlawKind.PATCH_REFUSED, 1)


def test_a_store_that_was_written_past_the_log_is_found() -> None:
    records = chained([("", [{"op": "add", "path": "/goals/1", "value": {"state": "received"}}], {})], LogHead())
    found = verify(records, state={"goals": {"1": {"state": "proposed"}}, "policies": {}})
    assert found.flaw is not None
    assert found.flaw.kind is FlawKind.STATE_DIFFERS
    assert "/goals/1/state" in found.flaw.message
