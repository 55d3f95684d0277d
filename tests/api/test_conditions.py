from __future__ import annotations

from typing import Any

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.api.conditions import IfMatch, check_if_match, differences, if_match, required_if_match
from reward_llm.errors import InvalidInput, PreconditionFailed, PreconditionRequired

DOCUMENTS = st.recursive(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(0, 3), max_size=3),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=2), inner | st.integers(0, 3), max_size=3),
    max_leaves=6,
)


def request(*lines: str) -> Request:
    return Request({"type": "http", "headers": [(b"if-match", line.encode("latin-1")) for line in lines]})


@pytest.mark.parametrize("lines", [('"3"',), ('"1", "3"',), ('"1"', '"3"'), (' "3" ',), ("*",), ('W/"9", "3"',)])
def test_a_condition_that_names_the_version_allows_it(lines: tuple[str, ...]) -> None:
    condition = if_match(request(*lines))
    assert condition is not None
    assert condition.allows("3")


@pytest.mark.parametrize("lines", [('"4"',), ('W/"3"',), ('"33"',), ('"3,4"',), ('""',)])
def test_a_condition_that_names_another_version_or_a_weak_one_doesnt(lines: tuple[str, ...]) -> None:
    condition = if_match(request(*lines))
    assert condition is not None
    assert not condition.allows("3")


@pytest.mark.parametrize("line", ["3", '"3', '"3" "4"', ",", "", '*, "3"', "W/3", '"a b"'])
def test_what_isnt_a_list_of_entity_tags_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        if_match(request(line))
    assert refused.value.violations[0].path == "If-Match"


def test_nothing_allows_a_version_that_there_isnt() -> None:
    assert not IfMatch(None).allows(None)
    assert not IfMatch(frozenset({"3"})).allows(None)


def test_a_write_without_a_condition_is_accepted_unless_it_needs_one() -> None:
    assert if_match(request()) is None
    check_if_match(None, "3", {}, {})
    with pytest.raises(PreconditionRequired) as refused:
        required_if_match(request(), hint="GET /v1/activations/1 has it.")
    assert refused.value.hint == "GET /v1/activations/1 has it."


def test_a_write_for_another_version_is_told_the_version_now_field_by_field() -> None:
    current = {"percent": 50, "until": None, "policy": {"id": "b"}}
    with pytest.raises(PreconditionFailed) as refused:
        check_if_match(IfMatch(frozenset({"1"})), "2", {"percent": 10, "until": None, "policy": {"id": "a"}}, current)
    found = [(d.path, d.yours, d.current) for d in refused.value.differences]
    assert found == [("percent", 10, 50), ("policy/id", "a", "b")]
    assert refused.value.current == current


@given(DOCUMENTS)
def test_a_document_doesnt_differ_from_itself(document: dict[str, Any]) -> None:
    assert differences(document, document) == ()


@given(DOCUMENTS, DOCUMENTS)
def test_the_differences_are_the_fields_that_would_change(wanted: dict[str, Any], current: dict[str, Any]) -> None:
    found = differences(wanted, current)
    assert bool(found) == (_merged(current, wanted) != current)
    for difference in found:
        assert difference.yours != difference.current


def _merged(current: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    both = dict(current)
    for name, value in wanted.items():
        now = current.get(name)
        both[name] = _merged(now, value) if isinstance(now, dict) and isinstance(value, dict) else value
    return both
