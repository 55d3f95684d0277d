"""List-wise logs: what was offered, what was shown in which order, and what came of it.

A log is Parquet, one row a request, with nested lists. The request is what is sampled, split and weighted, the order
of a list is the data, and no join is needed to read one; Parquet stores the repeats in dictionaries.

| column | type | |
|---|---|---|
| `request_id`, `user_id` | string | |
| `timestamp` | int64 | when the list was shown, seconds since 1970 in UTC |
| `user.NAME` | number or string | features of the user, as many as there are; null for unknown |
| **of the candidates** | **list of** | **all of one length in a row, at least 1** |
| `item_id` | string | unique in a row |
| `supply_type` | string | `product`, `live`, `video` or `article` |
| `seller`, `category` | string | null for unknown |
| `price` | float | at least 0; null for none, which counts as 0 |
| `published` | int64 | seconds since 1970 in UTC; null for unknown, which counts as old |
| `group` | int64 | priority of the supply group, 0 first |
| `item.NAME` | number or string | features, as many as there are; null where unknown or of another supply type |
| `pinned`, `forbidden` | int64, bool | optional: the slot guaranteed (-1 for none), never to be shown |
| **of what was shown** | **list of** | **all of one length in a row, the slots in their order** |
| `shown` | int64 | index into the candidates, each at most once |
| `click`, `purchase` | bool | |
| `dwell_s` | float | seconds, 0 for none |
| `propensity` | float | optional: probability in (0, 1] that the position is examined |
| `returned` | bool | of the request: the user came back on the next day |

What isn't logged is left out where it is optional, and false or 0 where it isn't: heads trained on it then learn
nothing, and a loader says so.

**Position bias.** Clicks show what was looked at as much as what was liked. Where `propensity` is known (a generated
log, or a log with randomised swaps) it can weigh clicks by its inverse; elsewhere the evaluator has to estimate the
examination of each position from the clicks.

`read_log` and `write_log` are the files, `log_schema` the columns, `split_by_time` the parts for training and tests,
`trivago_log`, `movielens_log` and `generated_log` the sources.
"""

from __future__ import annotations

from ranker.data.generator import GeneratorConfig, generated_log
from ranker.data.log_format import check_log, log_schema, read_log, write_log
from ranker.data.movielens import movielens_log
from ranker.data.splits import split_by_time
from ranker.data.trivago import trivago_log

__all__ = [
    "GeneratorConfig",
    "check_log",
    "generated_log",
    "log_schema",
    "movielens_log",
    "read_log",
    "split_by_time",
    "trivago_log",
    "write_log",
]
