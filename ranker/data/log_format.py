"""Reads, writes and checks logs of the format that `ranker.data` describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ranker.data.ragged import Ragged, lengths
from ranker.errors import LogInvalid
from ranker.requests import SUPPLY_TYPES, UNPINNED

REQUEST_COLUMNS: Final[Mapping[str, pa.DataType]] = {
    "request_id": pa.string(),
    "user_id": pa.string(),
    "timestamp": pa.int64(),
    "returned": pa.bool_(),
}
CANDIDATE_COLUMNS: Final[Mapping[str, pa.DataType]] = {
    "item_id": pa.string(),
    "supply_type": pa.string(),
    "seller": pa.string(),
    "category": pa.string(),
    "price": pa.float32(),
    "published": pa.int64(),
    "group": pa.int64(),
}
OPTIONAL_CANDIDATE_COLUMNS: Final[Mapping[str, pa.DataType]] = {"pinned": pa.int64(), "forbidden": pa.bool_()}
SHOWN_COLUMNS: Final[Mapping[str, pa.DataType]] = {
    "shown": pa.int64(),
    "click": pa.bool_(),
    "purchase": pa.bool_(),
    "dwell_s": pa.float32(),
}
OPTIONAL_SHOWN_COLUMNS: Final[Mapping[str, pa.DataType]] = {"propensity": pa.float32()}
USER_PREFIX: Final = "user."
ITEM_PREFIX: Final = "item."
OUTCOMES: Final = ("returned", *SHOWN_COLUMNS)

Columns = Mapping[str, pa.DataType]

_MAY_BE_NULL: Final = frozenset({"seller", "category", "price", "published"})
_ROW_GROUP: Final = 4096


def log_schema(*, user: Columns, item: Columns, optional: tuple[str, ...] = ()) -> pa.Schema:
    """Give the schema of a log with these features of the user and of candidates, by their names without prefixes.

    Args:
        user: Types of the user's features.
        item: Types of the candidates' features, of one value.
        optional: Names of the optional columns that it has.
    """
    known = {**OPTIONAL_CANDIDATE_COLUMNS, **OPTIONAL_SHOWN_COLUMNS}
    lists = {
        **CANDIDATE_COLUMNS,
        **{f"{ITEM_PREFIX}{name}": kind for name, kind in item.items()},
        **SHOWN_COLUMNS,
        **{name: known[name] for name in optional},
    }
    return pa.schema(
        {
            **REQUEST_COLUMNS,
            **{f"{USER_PREFIX}{name}": kind for name, kind in user.items()},
            **{name: pa.list_(kind) for name, kind in lists.items()},
        }
    )


def write_log(log: pa.Table, path: Path) -> None:
    """Write a log, after a check.

    Raises:
        LogInvalid: If the table isn't a list-wise log.
    """
    pq.write_table(check_log(log), path, compression="zstd", row_group_size=_ROW_GROUP)


def read_log(path: Path) -> pa.Table:
    """Read a log from a Parquet file, or from a folder of them.

    Raises:
        LogInvalid: If there is no such file, it isn't Parquet or isn't a list-wise log.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError as exc:
        raise LogInvalid(f"there is no log at {path}") from exc
    except pa.ArrowInvalid as exc:
        raise LogInvalid(f"{path} can't be read as Parquet: {exc}") from exc
    return check_log(table)


def check_log(log: pa.Table, *, outcomes: bool = True) -> pa.Table:
    """Give the log in the format's types, without columns that the format doesn't know.

    Args:
        log: What is checked.
        outcomes: Whether what was shown and what came of it has to be there; False for requests to rank.

    Raises:
        LogInvalid: If a column is missing or of another type, lists disagree in length, or a value is out of range.
    """
    table = _typed(log, outcomes=outcomes)
    if table.num_rows == 0:
        raise LogInvalid("the log has no rows")
    candidates_B = _check_lengths(table, "item_id", _candidate_columns(table))
    if bool((candidates_B == 0).any()):
        raise LogInvalid(f"row {int(np.argmin(candidates_B))} has no candidates")
    _check_candidates(table)
    if outcomes:
        _check_lengths(table, "shown", [name for name in table.column_names if name in _SHOWN])
        _check_shown(table, candidates_B)
    return table


_SHOWN: Final = {**SHOWN_COLUMNS, **OPTIONAL_SHOWN_COLUMNS}
_CANDIDATES: Final = {**CANDIDATE_COLUMNS, **OPTIONAL_CANDIDATE_COLUMNS}


def _typed(log: pa.Table, *, outcomes: bool) -> pa.Table:
    columns = {}
    for name, kind in _expected(log, outcomes=outcomes).items():
        if name not in log.column_names:
            raise LogInvalid(f"the log has no column {name}", hint="see the format in ranker.data")
        try:
            columns[name] = log.column(name).combine_chunks().cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as exc:
            raise LogInvalid(f"the column {name} isn't {kind}: {exc}") from exc
        _check_nulls(name, columns[name])
    return pa.table(columns)


def _expected(log: pa.Table, *, outcomes: bool) -> dict[str, pa.DataType]:
    expected = {name: kind for name, kind in REQUEST_COLUMNS.items() if outcomes or name not in OUTCOMES}
    expected |= {name: pa.list_(kind) for name, kind in CANDIDATE_COLUMNS.items()}
    if outcomes:
        expected |= {name: pa.list_(kind) for name, kind in SHOWN_COLUMNS.items()}
    optional = {**OPTIONAL_CANDIDATE_COLUMNS, **(OPTIONAL_SHOWN_COLUMNS if outcomes else {})}
    for field in log.schema:
        if field.name in optional:
            expected[field.name] = pa.list_(optional[field.name])
        if field.name.startswith(USER_PREFIX):
            expected[field.name] = _feature_type(field.name, field.type)
        if field.name.startswith(ITEM_PREFIX):
            if not _is_list(field.type):
                raise LogInvalid(f"the column {field.name} isn't a list of values")
            expected[field.name] = pa.list_(_feature_type(field.name, field.type.value_type))
    return expected


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _feature_type(name: str, kind: pa.DataType) -> pa.DataType:
    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_null(kind):
        return pa.float32()
    if types.is_string(kind) or types.is_large_string(kind) or types.is_dictionary(kind):
        return pa.string()
    raise LogInvalid(f"the column {name} holds {kind}", hint="features are numbers or strings")


def _check_nulls(name: str, column: pa.Array) -> None:
    if name.startswith(USER_PREFIX):
        return
    if column.null_count:
        raise LogInvalid(f"the column {name} has nulls", hint="only features and unknown facts in a list may be null")
    inner_may_be_null = name in _MAY_BE_NULL or name.startswith(ITEM_PREFIX)
    if _is_list(column.type) and not inner_may_be_null and column.flatten().null_count:
        raise LogInvalid(f"the lists of {name} have nulls")


def _candidate_columns(table: pa.Table) -> list[str]:
    return [name for name in table.column_names if name in _CANDIDATES or name.startswith(ITEM_PREFIX)]


def _check_lengths(table: pa.Table, first: str, names: list[str]) -> np.ndarray:
    length_B = lengths(table.column(first))
    for name in names:
        differs_B = lengths(table.column(name)) != length_B
        if bool(differs_B.any()):
            raise LogInvalid(f"{name} and {first} have lists of different length in row {int(np.argmax(differs_B))}")
    return length_B


def _check_candidates(table: pa.Table) -> None:
    item_id = Ragged.of(table.column("item_id"))
    codes = item_id.values.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    _refuse_repeats(item_id.row, codes, "two candidates with one item_id")
    types = Ragged.of(table.column("supply_type"))
    _refuse(types, ~pc.is_in(types.values, pa.array(SUPPLY_TYPES)).to_numpy(zero_copy_only=False), "supply_type")
    price = Ragged.of(table.column("price"))
    price_I = price.numbers(missing=0.0)
    _refuse(price, ~(np.isfinite(price_I) & (price_I >= 0)), "price")
    group = Ragged.of(table.column("group"))
    _refuse(group, group.numbers(missing=0) < 0, "group")
    if "pinned" in table.column_names:
        pinned = Ragged.of(table.column("pinned"))
        _refuse(pinned, pinned.numbers(missing=0) < UNPINNED, "pinned")


def _check_shown(table: pa.Table, candidates_B: np.ndarray) -> None:
    shown = Ragged.of(table.column("shown"))
    index_I = shown.numbers(missing=0).astype(np.int64)
    _refuse(shown, (index_I < 0) | (index_I >= candidates_B[shown.row]), "shown")
    _refuse_repeats(shown.row, index_I, "an item that is shown twice")
    dwell = Ragged.of(table.column("dwell_s"))
    dwell_I = dwell.numbers(missing=0.0)
    _refuse(dwell, ~(np.isfinite(dwell_I) & (dwell_I >= 0)), "dwell_s")
    if "propensity" in table.column_names:
        propensity = Ragged.of(table.column("propensity"))
        propensity_I = propensity.numbers(missing=1.0)
        _refuse(propensity, ~((propensity_I > 0) & (propensity_I <= 1)), "propensity")


def _refuse(column: Ragged, wrong_I: np.ndarray, name: str) -> None:
    if bool(wrong_I.any()):
        place = int(np.argmax(wrong_I))
        raise LogInvalid(f"{name} is {column.values[place].as_py()!r} in row {int(column.row[place])}")


def _refuse_repeats(row_I: np.ndarray, code_I: np.ndarray, what: str) -> None:
    order = np.lexsort((code_I, row_I))
    repeated = (np.diff(row_I[order]) == 0) & (np.diff(code_I[order]) == 0)
    if bool(repeated.any()):
        raise LogInvalid(f"row {int(row_I[order][1:][repeated][0])} has {what}")
