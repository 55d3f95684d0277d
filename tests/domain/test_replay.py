from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.replay import PatchRefused, State, apply, difference, first_difference
from tests.audits import json_values

names = st.text(st.sampled_from("ab/~0"), min_size=1, max_size=3)
rows = st.dictionaries(names, json_values, max_size=3)
states = st.dictionaries(names, st.dictionaries(names, rows, max_size=3), max_size=3)


def without_empty_tables(state: State) -> State:
    return {table: held for table, held in state.items() if held}


@given(states, states)
def test_a_difference_takes_one_state_to_the_other(before: State, after: State) -> None:
    patch = list(difference(before, after))
    state = copy.deepcopy(before)
    apply(state, patch)
    assert without_empty_tables(state) == without_empty_tables(after)
    assert first_difference(state, after) is None


@given(states, states)
def test_a_standard_library_replays_the_same(before: State, after: State) -> None:
    tables: State = {name: {} for name in (*before, *after)}
    made: dict[str, Any] = jsonpatch.apply_patch({**tables, **before}, list(difference(before, after)))
    assert without_empty_tables(made) == without_empty_tables(after)


@given(states, states)
def test_a_difference_does_not_fit_another_state(before: State, after: State) -> None:
    patch = list(difference(before, after))
    state = copy.deepcopy(after)
    if patch:
        with pytest.raises(PatchRefused):
            apply(state, patch)


@pytest.mark.parametrize(
    "patch",
    [
        None,
        {"op": "add"},
        ["add"],
        [{"op": "add", "path": "/goals/2"}],
        [{"op": "add", "path": "/goals/2", "value": "a row"}],
        [{"op": "replace", "path": "/goals/1", "value": 1}],
        [{"op": "add", "path": "/goals/1", "value": {}}],
        [{"op": "add", "path": "/goals", "value": {}}],
        [{"op": "add", "path": "goals/2", "value": {}}],
        [{"op": "add", "path": "/goals/1/state/x", "value": {}}],
        [{"op": "add", "path": "/goals/9/state", "value": 1}],
        [{"op": "test", "path": "/goals/1/state", "value": "proposed"}],
        [{"op": "replace", "path": "/goals/1/unknown", "value": 1}],
        [{"op": "remove", "path": "/goals/9"}],
        [{"op": "move", "path": "/goals/1", "from": "/goals/2", "value": {}}],
    ],
)
def test_what_does_not_fit_is_refused(patch: object) -> None:
    with pytest.raises(PatchRefused):
        apply({"goals": {"1": {"state": "received"}}}, patch)
