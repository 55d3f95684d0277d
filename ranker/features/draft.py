"""A first feature spec for a log, to be looked over by who knows what its columns mean."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from ranker.data.log_format import ITEM_PREFIX, USER_PREFIX, check_log
from ranker.data.ragged import Ragged
from ranker.features.spec import LARGEST_USER_VOCABULARY, FeatureSpec
from ranker.requests import SUPPLY_TYPES

LARGEST_DRAFTED: Final = 1_000
"""Ids of one categorical feature: rarer values count as unknown."""

_HEADER: Final = "# Drafted from a log. Numbers of very different sizes want `transform: log1p`.\n"


def drafted_spec(log: pa.Table) -> str:
    """Give a spec in YAML that uses every feature of a log that has any value, and tells supply types apart.

    Raises:
        LogInvalid: If it isn't a list-wise log.
        FeatureSpecInvalid: If it has more features than a spec may have.
    """
    table = check_log(log, outcomes=False)
    types_I = Ragged.of(table.column("supply_type")).values
    user = [
        _feature(name.removeprefix(USER_PREFIX), table.column(name).combine_chunks(), LARGEST_USER_VOCABULARY)
        for name in table.column_names
        if name.startswith(USER_PREFIX) and _known(table.column(name))
    ]
    item = {kind: features for kind, features in _of_items(table, types_I).items() if features}
    text = _HEADER + yaml.safe_dump({"version": 1, "user": user, "item": item}, sort_keys=False)
    FeatureSpec.parse(text)
    return text


def _of_items(table: pa.Table, types_I: pa.Array) -> dict[str, list[dict[str, Any]]]:
    features: dict[str, list[dict[str, Any]]] = {kind: [] for kind in ("shared", *SUPPLY_TYPES)}
    features["shared"] = [{"name": "age_days", "kind": "numeric", "transform": "log1p"}]
    if pc.any(pc.greater(Ragged.of(table.column("price")).values, 0)).as_py():
        features["shared"].append({"name": "price", "kind": "numeric", "transform": "log1p"})
    for name in ("category", "seller"):
        values = Ragged.of(table.column(name)).values
        if _known(values):
            features["shared"].append(_feature(name, values, LARGEST_DRAFTED))
    for name in table.column_names:
        if not name.startswith(ITEM_PREFIX):
            continue
        values = Ragged.of(table.column(name)).values
        kinds = pc.unique(types_I.filter(values.is_valid())).to_pylist()
        if kinds:
            of = kinds[0] if len(kinds) == 1 and len(pc.unique(types_I)) > 1 else "shared"
            features[of].append(_feature(name.removeprefix(ITEM_PREFIX), values, LARGEST_DRAFTED))
    return features


def _feature(name: str, values: pa.Array, largest: int) -> dict[str, Any]:
    if not pa.types.is_string(values.type):
        return {"name": name, "kind": "numeric"}
    distinct = pc.count_distinct(values, mode="only_valid").as_py()
    return {"name": name, "kind": "categorical", "vocabulary": max(2, min(largest, distinct + 1))}


def _known(values: pa.Array | pa.ChunkedArray) -> bool:
    return bool(values.null_count < len(values))
