from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.delivery.steps import KEPT_STEPS, Steps
from reward_llm.domain.serving import EncodedSnapshot

SCOPES = 5
PLENTY = 10_000
ITEMS = st.lists(st.integers(0, 3), min_size=SCOPES, max_size=SCOPES)
"""What each scope holds; few values, so that snapshots come again."""


def snapshot(items: list[int], revision: int = 0) -> EncodedSnapshot:
    parts = tuple(f'{{"scope":{place},"holds":{held}}}'.encode() for place, held in enumerate(items))
    return EncodedSnapshot(etag=hashlib.sha256(b"".join(parts)).hexdigest(), revision=revision, parts=parts)


def put_into(before: EncodedSnapshot, items: bytes) -> tuple[bytes, ...]:
    """What a client makes of it: each item takes the place of its scope's own."""
    parts = {part.partition(b",")[0]: part for part in before.parts}
    for item in items.replace(b"},{", b"}\n{").splitlines():
        scope = item.partition(b",")[0]
        assert scope in parts
        parts[scope] = item
    return tuple(parts.values())


@given(states=st.lists(ITEMS, min_size=1, max_size=KEPT_STEPS))
def test_a_change_since_any_snapshot_makes_the_newest_of_it(states: list[list[int]]) -> None:
    steps, made = Steps(PLENTY), [snapshot(items) for items in states]
    for one in made:
        steps.append(one)
    for before in made[:-1]:
        change = steps.since(before.etag)
        if before.etag == made[-1].etag and change is None:
            continue
        assert change is not None
        assert change.since == before.etag
        assert put_into(before, change.items) == made[-1].parts


@given(states=st.lists(ITEMS, min_size=2, max_size=8), most=st.integers(0, 120))
def test_no_change_is_longer_than_it_may_be(states: list[list[int]], most: int) -> None:
    steps = Steps(most)
    for items in states:
        steps.append(snapshot(items))
        for before in states:
            change = steps.since(snapshot(before).etag)
            assert change is None or len(change.items) <= most


def test_what_was_too_large_is_passed_by_once_it_is_over() -> None:
    small, other = [snapshot([n, 0, 0, 0, 0]) for n in (0, 1)]
    large, larger = snapshot([2, 2, 2, 2, 2]), snapshot([2, 2, 2, 2, 3])
    steps = Steps(40)
    for one in (small, other):
        steps.append(one)
    assert steps.since(small.etag) is not None
    for one in (large, larger):
        steps.append(one)
    assert (steps.since(small.etag), steps.since(other.etag)) == (None, None)
    assert steps.since(large.etag) is not None


def test_who_is_too_far_behind_is_told_nothing() -> None:
    steps, made = Steps(PLENTY), [snapshot([n, 0, 0, 0, 0]) for n in range(KEPT_STEPS + 2)]
    for one in made:
        steps.append(one)
    assert steps.since(made[0].etag) is None
    assert steps.since(made[1].etag) is not None


def test_a_snapshot_of_other_scopes_continues_nothing() -> None:
    steps = Steps(PLENTY)
    steps.append(snapshot([0]))
    steps.append(snapshot([0, 1]))
    assert steps.since(snapshot([0]).etag) is None


def test_what_nobody_was_told_is_continued_by_nothing() -> None:
    steps = Steps(PLENTY)
    assert steps.since("") is None
    steps.append(snapshot([0]))
    assert steps.since(snapshot([1]).etag) is None
