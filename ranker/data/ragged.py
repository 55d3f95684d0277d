"""Columns of lists, flat and padded."""

# B rows, M longest list, I values of all lists together

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Ragged:
    """A column of lists, flattened."""

    values: pa.Array
    row: np.ndarray
    """int64, the row of every value."""
    place: np.ndarray
    """int64, the value's place in its list."""
    rows: int

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Ragged:
        """Flatten a column of lists."""
        length_B = lengths(column)
        start_B = np.cumsum(length_B) - length_B
        row_I = np.repeat(np.arange(len(length_B)), length_B)
        values = column.combine_chunks().flatten()
        return cls(values=values, row=row_I, place=np.arange(len(row_I)) - start_B[row_I], rows=len(length_B))

    def numbers(self, *, missing: float) -> np.ndarray:
        """Give the values as numbers, `missing` for null."""
        filled = pc.fill_null(self.values, pa.scalar(missing).cast(self.values.type))
        array: np.ndarray = filled.to_numpy(zero_copy_only=False)
        return array

    def padded(self, flat_I: np.ndarray, width: int, *, fill: Any = 0) -> np.ndarray:
        """Give flat values as (B, width), filled up at the end of each row."""
        padded_BM = np.full((self.rows, width), fill, dtype=flat_I.dtype)
        padded_BM[self.row, self.place] = flat_I
        return padded_BM


def lengths(column: pa.ChunkedArray) -> np.ndarray:
    """Give the length of every list, int64 of (B,)."""
    counted = pc.fill_null(pc.list_value_length(column), 0)
    array: np.ndarray = counted.to_numpy().astype(np.int64)
    return array
