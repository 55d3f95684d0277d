from __future__ import annotations

import pytest

from ranker.errors import LogInvalid
from ranker.features import FeatureEncoder, FeatureSpec, drafted_spec
from tests.ranker.data.logs import log, row
from tests.ranker.training.logs import small_log


def test_a_drafted_spec_names_what_the_log_has_with_its_kind_and_supply_type() -> None:
    spec = FeatureSpec.parse(drafted_spec(log(row(), row(request_id="r2", **{"item.viewers": [None, 5.0, None]}))))
    assert {(feature.name, feature.kind) for feature in spec.user} == {
        ("visits", "numeric"),
        ("device", "categorical"),
    }
    named = {(supply_type, feature.name): feature for supply_type, feature in spec.item.by_type()}
    assert set(named) == {
        (None, "age_days"), (None, "price"), (None, "category"), (None, "seller"),
        ("product", "rating"), ("live", "viewers"), (None, "brand"),
    }  # fmt: skip
    assert (named[None, "brand"].kind, named[None, "brand"].vocabulary) == ("categorical", 3)


def test_columns_without_any_value_are_left_out() -> None:
    unknown = {"seller": [None] * 3, "price": [None] * 3, "item.rating": [None] * 3, "user.visits": None}
    spec = FeatureSpec.parse(drafted_spec(log(row(**unknown))))
    assert [feature.name for feature in spec.user] == ["device"]
    assert not {"seller", "price", "rating"} & {feature.name for _, feature in spec.item.by_type()}


def test_a_log_is_read_by_its_drafted_spec() -> None:
    table = small_log()
    encoder = FeatureEncoder.fit(FeatureSpec.parse(drafted_spec(table)), table)
    encoder.lists(table).check()
    assert {"product", "live", "video", "article"} <= {fitted.supply_type for fitted in encoder.item}


def test_what_is_no_log_is_refused() -> None:
    with pytest.raises(LogInvalid):
        drafted_spec(log().drop_columns(["item_id"]))
