"""Parts of a log, earlier ones for training and later ones for tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ranker.errors import LogInvalid


def split_by_time(log: pa.Table, shares: Sequence[float] = (0.8, 0.1, 0.1), *, gap_s: int = 0) -> list[pa.Table]:
    """Give the parts of a log in the order of time: none has a list from before the end of the one before it.

    Lists of one second stay together. `gap_s` seconds after each cut are dropped: what came of the last lists (such
    as a return on the next day: 86,400) isn't known before then, so that a model trained at the cut couldn't have
    learned it.

    Raises:
        LogInvalid: If the shares aren't positive or don't sum to 1, or a part is left empty.
    """
    if not shares or min(shares) <= 0 or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise LogInvalid(f"shares are positive and sum to 1, unlike {tuple(shares)}")
    ordered = log.sort_by("timestamp")
    time_B = ordered.column("timestamp").to_numpy()
    cut_times = [time_B[min(round(end * len(time_B)), len(time_B) - 1)] for end in np.cumsum(shares)[:-1]]
    starts = [0, *(int(np.searchsorted(time_B, time + gap_s)) for time in cut_times)]
    ends = [*(int(np.searchsorted(time_B, time)) for time in cut_times), len(time_B)]
    parts = [ordered.slice(start, max(end - start, 0)) for start, end in zip(starts, ends, strict=True)]
    if any(part.num_rows == 0 for part in parts):
        counts = ", ".join(str(part.num_rows) for part in parts)
        raise LogInvalid(f"the split leaves parts of {counts} lists", hint="use fewer parts, or a smaller gap")
    return parts
