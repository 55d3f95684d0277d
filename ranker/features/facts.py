"""The facts of candidates that utilities and rules read, flat over a log."""

# B requests, I candidates of all requests together

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.ragged import Ragged
from ranker.requests import SUPPLY_TYPES, UNPINNED

UNKNOWN_AGE_DAYS: Final = 365.0
"""What an item of unknown age counts as: nobody should profit from leaving the date out."""

_DAY_S: Final = 86_400
_LARGEST_ID: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFacts:
    """One value for every candidate of every request; `layout` says where each belongs."""

    layout: Ragged
    price_I: np.ndarray
    age_days_I: np.ndarray
    is_new_I: np.ndarray
    seller_I: np.ndarray
    category_I: np.ndarray
    group_I: np.ndarray
    supply_type_I: np.ndarray
    pinned_I: np.ndarray
    forbidden_I: np.ndarray

    @classmethod
    def of(cls, log: pa.Table, *, cold_start_age_days: float) -> CandidateFacts:
        """Take the facts from a checked log."""
        layout = Ragged.of(log.column("item_id"))
        age_days_I, known_I = _age(log)
        return cls(
            layout=layout,
            price_I=Ragged.of(log.column("price")).numbers(missing=0.0).astype(np.float32),
            age_days_I=age_days_I.astype(np.float32),
            is_new_I=known_I & (age_days_I < cold_start_age_days),
            seller_I=stable_ids(Ragged.of(log.column("seller")).values),
            category_I=stable_ids(Ragged.of(log.column("category")).values),
            group_I=Ragged.of(log.column("group")).numbers(missing=0).astype(np.int64),
            supply_type_I=_supply_types(Ragged.of(log.column("supply_type")).values),
            pinned_I=_optional(log, "pinned", UNPINNED, np.int64, len(layout.row)),
            forbidden_I=_optional(log, "forbidden", False, np.bool_, len(layout.row)),
        )

    def number(self, name: str) -> np.ndarray:
        """Give the fact that a spec calls by this name."""
        values: np.ndarray = getattr(self, f"{name}_I")
        return values


def stable_ids(values: pa.Array) -> np.ndarray:
    """Give an id for every string that is the same in every log and process; 0 for null and the empty string.

    Ids are hashes in 1 to 2^31 - 1: two of the few hundred names of one request share one with a probability of less
    than one in ten thousand.
    """
    encoded = values.dictionary_encode()
    known = np.array([_hashed(text) for text in encoded.dictionary.to_pylist()] or [0], dtype=np.int64)
    index_I = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    ids_I: np.ndarray = np.where(index_I < 0, 0, known[np.maximum(index_I, 0)])
    return ids_I


def _hashed(text: str) -> int:
    if not text:
        return 0
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return 1 + int.from_bytes(digest, "big") % _LARGEST_ID


def _age(log: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    published = Ragged.of(log.column("published"))
    known_I = published.values.is_valid().to_numpy(zero_copy_only=False)
    now_I = log.column("timestamp").to_numpy()[published.row]
    age_days_I = (now_I - published.numbers(missing=0)) / _DAY_S
    return np.where(known_I, np.maximum(age_days_I, 0), UNKNOWN_AGE_DAYS), known_I


def _supply_types(values: pa.Array) -> np.ndarray:
    index_I: np.ndarray = pc.index_in(values, value_set=pa.array(SUPPLY_TYPES)).to_numpy(zero_copy_only=False)
    return index_I.astype(np.int64)


def _optional(log: pa.Table, name: str, fill: Any, dtype: Any, count: int) -> np.ndarray:
    if name not in log.column_names:
        return np.full(count, fill, dtype=dtype)
    values: np.ndarray = Ragged.of(log.column(name)).values.to_numpy(zero_copy_only=False).astype(dtype)
    return values
