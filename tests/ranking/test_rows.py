"""The fast way from a request to tensors against the slow one by way of a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ranker import config
from ranker import requests as ranker_requests
from ranker.features import FeatureEncoder, FeatureSpec
from ranker.requests import Requests
from reward_llm.domain.ranking import MAX_CANDIDATES, MAX_SLATE, SUPPLY_TYPES
from reward_llm.errors import RankingInvalid
from reward_llm.ranking.rows import RowReader
from tests.ranker.data.logs import NOW, log, row
from tests.ranking.requests import request_of, row_of

SPEC = """
version: 1
user:
  - {name: visits, kind: numeric, transform: log1p}
  - {name: device, kind: categorical, vocabulary: 3}
  - {name: spending, kind: numeric}
item:
  shared:
    - {name: price, kind: numeric, transform: log1p}
    - {name: age_days, kind: numeric}
    - {name: group, kind: numeric}
    - {name: item_id, kind: categorical, vocabulary: 3}
    - {name: seller, kind: categorical, vocabulary: 3}
    - {name: brand, kind: categorical, vocabulary: 3}
  product:
    - {name: rating, kind: numeric}
    - {name: material, kind: categorical, vocabulary: 4}
  live:
    - {name: viewers, kind: numeric, transform: log1p}
  video:
    - {name: rating, kind: numeric, transform: log1p}
"""
TEXTS = st.one_of(st.none(), st.sampled_from(["x", "y", "s1", "phone", "tv", "", "wool"]))
NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32), st.sampled_from([1e300, -1e300, 0.0]))


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """One request of any content."""
    count = draw(st.integers(1, 6))

    def each(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=count, max_size=count))

    return row(
        **{
            "user.visits": draw(NUMBERS),
            "user.device": draw(TEXTS),
            "user.spending": draw(NUMBERS),
            "item_id": [f"i{place}" for place in range(count)],
            "supply_type": each(st.sampled_from(SUPPLY_TYPES)),
            "seller": each(TEXTS),
            "category": each(TEXTS),
            "price": each(st.one_of(st.none(), st.floats(0, 1e9, width=32))),
            "published": each(st.one_of(st.none(), st.integers(0, NOW + 10**6))),
            "group": each(st.integers(0, 9)),
            "item.brand": each(TEXTS),
            "item.material": each(TEXTS),
            "item.rating": each(NUMBERS),
            "item.viewers": each(NUMBERS),
            "pinned": [draw(st.integers(-1, 3)), *[-1] * (count - 1)],
            "forbidden": each(st.booleans()),
        }
    )


SCHEMA = pa.schema(
    [(f"user.{n}", pa.float32()) for n in ("visits", "spending")]
    + [("user.device", pa.string())]
    + [(f"item.{n}", pa.list_(pa.float32())) for n in ("rating", "viewers")]
    + [(f"item.{n}", pa.list_(pa.string())) for n in ("brand", "material")]
)


def table(one: Mapping[str, Any]) -> pa.Table:
    """A log of one row whose nulls have the types of the features."""
    made = log(dict(one))
    for field in SCHEMA:
        column = pa.array([one[field.name]], field.type)
        made = made.set_column(made.column_names.index(field.name), field, column)
    return made


@pytest.fixture(scope="module")
def features() -> FeatureEncoder:
    fitted = row(
        **{"user.spending": 2.0, "item.material": ["wool", "silk", None], "item.rating": [4.0, 1.0, 2.5]},
    )
    other = row(**{"user.visits": 9.0, "user.device": "tv", "user.spending": 7.0, "item.material": ["wool"] * 3})
    return FeatureEncoder.fit(FeatureSpec.parse(SPEC), log(fitted, other))


def assert_same(one: Requests, other: Requests) -> None:
    for name, tensor in one.tensors().items():
        expected = other.tensors()[name]
        assert tensor.dtype == expected.dtype, name
        assert torch.equal(tensor, expected), (name, tensor, expected)


@given(rows())
def test_a_request_becomes_what_a_row_of_a_log_would(features: FeatureEncoder, one: dict[str, Any]) -> None:
    assert_same(RowReader(features).read(request_of(one)).requests, features.requests(table(one)))


def test_rows_of_the_generated_log_are_read_alike(logged: pa.Table, untrained: Any) -> None:
    reader = RowReader(untrained.features)
    for place in range(5):
        read = reader.read(request_of(row_of(logged, place)))
        assert_same(read.requests, untrained.features.requests(logged.slice(place, 1)))
        assert (read.missing, read.unknown) == ((), ())


def test_features_that_nobody_sent_or_nobody_knows_are_named(features: FeatureEncoder) -> None:
    sent = request_of(row(), user={"visits": 1.0, "mood": "good"})
    (first, second, third) = sent.candidates
    first = replace(first, features={"rating": 1.0, "colour": "red"})
    read = RowReader(features).read(replace(sent, candidates=(first, second, third)))
    assert read.unknown == ("user.mood", "item.colour")
    assert read.missing == ("user.device", "user.spending", "item.brand", "item.material", "item.rating")


def test_a_feature_that_only_another_supply_type_has_is_not_missed(features: FeatureEncoder) -> None:
    sent = request_of(row())
    live = replace(sent, candidates=tuple(c for c in sent.candidates if c.supply_type == "live"))
    assert RowReader(features).read(live).missing == ("user.spending",)


def test_text_for_a_number_and_a_number_for_text_are_told_with_their_place(features: FeatureEncoder) -> None:
    sent = request_of(row(), user={"visits": "many"})
    (first, second, third) = sent.candidates
    second = replace(second, features={"brand": 3.0, "viewers": "few", "rating": "unused here"})
    with pytest.raises(RankingInvalid) as refused:
        RowReader(features).read(replace(sent, candidates=(first, second, third)))
    assert [v.path for v in refused.value.violations] == [
        "user/visits",
        "candidates/1/features/brand",
        "candidates/1/features/viewers",
    ]


def test_the_limits_are_those_of_the_networks() -> None:
    assert (MAX_CANDIDATES, MAX_SLATE) == (config.MAX_CANDIDATES, config.MAX_SLATE)
    assert SUPPLY_TYPES == ranker_requests.SUPPLY_TYPES
