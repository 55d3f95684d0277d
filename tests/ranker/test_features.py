from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ranker.errors import FeatureSpecInvalid
from ranker.features import FeatureEncoder, FeatureSpec, shipped_spec
from ranker.features.facts import UNKNOWN_AGE_DAYS, stable_ids
from tests.ranker.data.logs import NOW, log, row

SPEC = """
version: 1
user:
  - {name: visits, kind: numeric}
  - {name: device, kind: categorical, vocabulary: 3}
item:
  shared:
    - {name: price, kind: numeric, transform: log1p}
    - {name: brand, kind: categorical, vocabulary: 3}
  product:
    - {name: rating, kind: numeric}
  live:
    - {name: viewers, kind: numeric, transform: log1p}
"""


def _encoder(*rows: dict[str, Any]) -> FeatureEncoder:
    return FeatureEncoder.fit(FeatureSpec.parse(SPEC), log(*rows))


def test_facts_of_candidates_come_from_the_log() -> None:
    requests = _encoder().requests(log(row(forbidden=[False, True, False], pinned=[1, -1, -1])))
    requests.check(size=2)
    assert requests.price_BM.tolist() == [[10, 0, 0]]
    assert requests.age_days_BM.tolist() == [[1, 30, UNKNOWN_AGE_DAYS]]
    assert requests.is_new_BM.tolist() == [[True, False, False]]
    assert requests.supply_type_BM.tolist() == [[0, 1, 2]]
    assert requests.group_BM.tolist() == [[0, 1, 2]]
    assert requests.pinned_BM.tolist() == [[1, -1, -1]]
    assert requests.forbidden_BM.tolist() == [[False, True, False]]
    seller = requests.seller_BM[0].tolist()
    assert seller[0] == seller[2] > 0
    assert seller[1] == 0


def test_lists_are_padded_to_the_longest() -> None:
    short = row(
        request_id="r2",
        timestamp=NOW + 5,
        shown=[0],
        click=[False],
        purchase=[False],
        dwell_s=[0.0],
        returned=False,
        **{name: value[:2] for name, value in row().items() if isinstance(value, list) and len(value) == 3},
    )
    lists = _encoder().lists(log(row(), short))
    lists.check()
    assert lists.shown_BN.tolist() == [[2, 0], [0, -1]]
    assert lists.click_BN.tolist() == [[True, False], [False, False]]
    assert lists.requests.valid_BM.tolist() == [[True, True, True], [True, True, False]]
    assert lists.requests.item_BMF[1, 2].tolist() == [0, 0, 0]
    assert lists.requests.item_id_BMC[1, 2].tolist() == [0]
    assert lists.returned_B.tolist() == [True, False]
    assert lists.timestamp_B.tolist() == [NOW, NOW + 5]
    assert lists.propensity_BN is None


def test_numbers_are_standardised_over_their_own_supply_type_and_zero_elsewhere() -> None:
    rows = [row(**{"item.rating": [rating, None, 9.0]}) for rating in (1.0, 3.0)]
    encoder = _encoder(*rows)
    rating_BM = encoder.requests(log(*rows)).item_BMF[..., 1]
    assert rating_BM.tolist() == [[-1, 0, 0], [1, 0, 0]]


def test_unknown_and_outlandish_numbers_stay_harmless() -> None:
    rows = [row(**{"item.rating": [rating, None, None]}) for rating in (1.0, 3.0)]
    encoder = _encoder(*rows)
    strange = [row(**{"item.rating": [rating, None, None]}) for rating in (1e30, None, float("nan"), float("-inf"))]
    assert encoder.requests(log(*strange)).item_BMF[:, 0, 1].tolist() == [10, 0, 0, 0]


def test_frequent_values_get_ids_and_rare_and_unknown_ones_none() -> None:
    encoder = _encoder(row(**{"item.brand": ["y", "x", "z"]}), row(**{"item.brand": ["y", "x", "y"]}))
    assert encoder.vocabularies == (3,)
    ids_BMC = encoder.requests(log(row(**{"item.brand": ["y", "z", None]}), row(**{"item.brand": ["x", "new", ""]})))
    assert ids_BMC.item_id_BMC[..., 0].tolist() == [[1, 0, 0], [2, 0, 0]]


def test_user_categories_become_one_number_a_value() -> None:
    encoder = _encoder(row(), row(**{"user.device": "tv", "user.visits": 5.0}))
    assert encoder.user_width == 4
    user_BF = encoder.requests(log(row(), row(**{"user.device": "watch", "user.visits": None}))).user_BF
    assert user_BF.tolist() == [[-1, 0, 1, 0], [0, 1, 0, 0]]


def test_an_encoder_survives_its_json() -> None:
    encoder = _encoder()
    again = FeatureEncoder.parse(encoder.dump())
    assert again == encoder
    for name, value in encoder.requests(log()).tensors().items():
        assert torch.equal(value, again.requests(log()).tensors()[name])
    with pytest.raises(FeatureSpecInvalid, match="can't be read"):
        FeatureEncoder.parse('{"user": []}')


def test_requests_are_encoded_without_outcomes() -> None:
    bare = log().drop_columns(["shown", "click", "purchase", "dwell_s", "returned"])
    assert torch.equal(_encoder().requests(bare).price_BM, _encoder().requests(log()).price_BM)


def test_a_column_that_the_log_lacks_is_named() -> None:
    with pytest.raises(FeatureSpecInvalid, match=r"no column item\.viewers"):
        FeatureEncoder.fit(FeatureSpec.parse(SPEC), log().drop_columns(["item.viewers"]))
    with pytest.raises(FeatureSpecInvalid, match=r"no column user\.visits"):
        _encoder().requests(log().drop_columns(["user.visits"]))


def test_a_number_that_is_text_in_the_log_is_refused() -> None:
    with pytest.raises(FeatureSpecInvalid, match="rating is numeric"):
        _encoder(row(**{"item.rating": ["good", None, None]}))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("version: 2\nitem: {shared: [{name: price, kind: numeric}]}", "version"),
        ("version: 1\nitem: {}", "at least one feature"),
        ("version: 1\nitem: {shared: [{name: a, kind: categorical}]}", "needs a vocabulary"),
        ("version: 1\nitem: {shared: [{name: a, kind: numeric, vocabulary: 5}]}", "has no vocabulary"),
        (
            "version: 1\nitem: {shared: [{name: a, kind: numeric}], live: [{name: a, kind: numeric}]}",
            "named twice: a",
        ),
        ("version: 1\nitem: {shared: [{name: seller, kind: numeric}]}", "seller is categorical"),
        ("version: 1\nitem: {shared: [{name: price, kind: categorical, vocabulary: 4}]}", "price is a number"),
        ("version: 1\nitem: {podcast: [{name: a, kind: numeric}]}", "podcast"),
        ("version: 1\nitem: {shared: [{name: A b, kind: numeric}]}", "item.shared.0.name"),
        (
            "version: 1\nuser: [{name: a, kind: categorical, vocabulary: 999}]\n"
            "item: {shared: [{name: b, kind: numeric}]}",
            "is over 256",
        ),
        ("version: 1\ncold_start_age_days: .inf\nitem: {shared: [{name: b, kind: numeric}]}", "cold_start_age_days"),
        ("[", "isn't YAML"),
        ("just text", "feature spec is wrong"),
    ],
)
def test_specs_that_contradict_themselves_are_refused(spec: str, message: str) -> None:
    with pytest.raises(FeatureSpecInvalid, match=message):
        FeatureSpec.parse(spec)


def test_a_spec_is_loaded_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    assert FeatureSpec.load(path) == FeatureSpec.parse(SPEC)
    with pytest.raises(FeatureSpecInvalid, match="no feature spec"):
        FeatureSpec.load(tmp_path / "none.yaml")
    assert shipped_spec().item.live


@given(names=st.lists(st.text(max_size=5), min_size=1, max_size=20))
def test_ids_of_names_are_equal_where_the_names_are(names: list[str]) -> None:
    ids = stable_ids(pa.array(names, pa.string())).tolist()
    assert [bool(one) for one in ids] == [bool(name) for name in names]
    assert len(set(ids)) == len(set(names))


def test_ids_of_names_are_the_same_in_another_process() -> None:
    code = "import pyarrow; from ranker.features.facts import stable_ids; print(stable_ids(pyarrow.array(['s1']))[0])"
    here = stable_ids(log().column("request_id").combine_chunks().cast("string"))
    there = subprocess.run(
        [sys.executable, "-c", code.replace("s1", "r1")], capture_output=True, text=True, check=True, timeout=120
    )
    assert int(there.stdout) == here[0]
