from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from ranker.data import check_log, log_schema, read_log, split_by_time, write_log
from ranker.errors import LogInvalid
from tests.ranker.data.logs import NOW, log, row


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    table = check_log(log(row(), row(request_id="r2", item_id=["d", "b", "c"], shown=[1, 2])))
    write_log(table, tmp_path / "log.parquet")
    assert read_log(tmp_path / "log.parquet").equals(table)
    write_log(table, tmp_path / "more.parquet")
    assert read_log(tmp_path).num_rows == 4


def test_other_columns_and_wider_types_are_brought_to_the_format() -> None:
    wide = log().append_column("comment", pa.array(["hello"]))
    wide = wide.set_column(wide.column_names.index("price"), "price", pa.array([[10, 0, None]], pa.list_(pa.int64())))
    table = check_log(wide)
    assert "comment" not in table.column_names
    assert table.schema.field("price").type == pa.list_(pa.float32())


def test_a_schema_made_for_some_features_is_that_of_a_log_with_them() -> None:
    schema = log_schema(
        user={"visits": pa.float32(), "device": pa.string()},
        item={"rating": pa.float32(), "viewers": pa.float32(), "brand": pa.string()},
        optional=("pinned", "propensity"),
    )
    table = pa.Table.from_pylist([row(pinned=[-1, 0, -1], propensity=[1.0, 0.5])], schema=schema)
    assert {field.name: field.type for field in check_log(table).schema} == {f.name: f.type for f in schema}
    assert check_log(table).num_columns == len(schema)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"price": [1.0, 2.0]}, "price and item_id have lists of different length in row 1"),
        ({"price": [1.0, -2.0, 0.0]}, "price is -2.0 in row 1"),
        ({"price": [1.0, float("nan"), 0.0]}, "price is nan in row 1"),
        ({"supply_type": ["product", "podcast", "video"]}, "supply_type is 'podcast' in row 1"),
        ({"item_id": ["a", "b", "a"]}, "row 1 has two candidates with one item_id"),
        ({"item_id": ["a", "b", None]}, "the lists of item_id have nulls"),
        ({"group": [0, -1, 0]}, "group is -1"),
        ({"shown": [2, 3]}, "shown is 3 in row 1"),
        ({"shown": [2, 2]}, "row 1 has an item that is shown twice"),
        ({"click": [True]}, "click and shown"),
        ({"dwell_s": [-1.0, 0.0]}, "dwell_s is -1.0"),
        ({"timestamp": None}, "the column timestamp has nulls"),
        ({"pinned": [-2, 0, 0]}, "pinned"),
        (
            {name: [] for name in row() if name.startswith("item") or isinstance(row()[name], list)},
            "row 1 has no candidates",
        ),
    ],
)
def test_damaged_logs_are_refused(changes: dict[str, Any], message: str) -> None:
    first = row(pinned=[-1, -1, -1]) if "pinned" in changes else row()
    with pytest.raises(LogInvalid, match=message):
        check_log(log(first, row(**changes)))


def test_missing_columns_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(LogInvalid, match="no column seller"):
        check_log(log().drop_columns(["seller"]))
    with pytest.raises(LogInvalid, match="no column click"):
        check_log(log().drop_columns(["click"]))
    assert "click" not in check_log(log().drop_columns(["click"]), outcomes=False).column_names
    with pytest.raises(LogInvalid, match="there is no log"):
        read_log(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("not Parquet")
    with pytest.raises(LogInvalid, match="can't be read as Parquet"):
        read_log(tmp_path / "text.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(LogInvalid, match="no column"):
        read_log(tmp_path / "other.parquet")


def test_propensities_outside_their_range_are_refused() -> None:
    assert "propensity" in check_log(log(row(propensity=[1.0, 0.8]))).column_names
    with pytest.raises(LogInvalid, match="propensity is 0"):
        check_log(log(row(propensity=[1.0, 0.0])))


@given(times=st.lists(st.integers(0, 50), min_size=10, max_size=60), gap_s=st.integers(0, 3))
def test_no_part_of_a_split_has_a_list_from_before_the_end_of_the_one_before(times: list[int], gap_s: int) -> None:
    table = log(*(row(request_id=str(place), timestamp=NOW + time) for place, time in enumerate(times)))
    try:
        parts = split_by_time(table, (0.6, 0.2, 0.2), gap_s=gap_s)
    except LogInvalid:
        reject()
    stamps = [part.column("timestamp").to_pylist() for part in parts]
    assert all(max(before) + gap_s < min(after) for before, after in pairwise(stamps))
    names = [name for part in parts for name in part.column("request_id").to_pylist()]
    assert len(set(names)) == len(names)
    assert gap_s or len(names) == len(times)


@pytest.mark.parametrize("shares", [(0.5, 0.4), (1.2, -0.2), ()])
def test_shares_that_are_none_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(LogInvalid, match="shares"):
        split_by_time(log(), shares)
