"""Which columns of a log become the networks' input, and how.

A feature spec is YAML (`home_feed.yaml` beside this file is the one that ships, for generated logs):

    version: 1
    cold_start_age_days: 7
    user:
      - {name: days_seen, kind: numeric, transform: log1p}
      - {name: device, kind: categorical, vocabulary: 8}
    item:
      shared:
        - {name: price, kind: numeric, transform: log1p}
        - {name: seller, kind: categorical, vocabulary: 1000}
      live:
        - {name: viewers, kind: numeric, transform: log1p}

`shared` features describe every candidate, those below `product`, `live`, `video` and `article` only candidates of
that supply type: the same place in the input means the same thing everywhere, and is 0 for the other types.

- A `numeric` feature is transformed (`none`, or `log1p` of the amount with the sign kept), then standardised by
  mean and standard deviation of the training log, and clipped to ±10 deviations. Unknown becomes 0, the mean.
- A `categorical` feature of a candidate gets an id: 1 for the most frequent value of the training log, 2 for the
  next, up to `vocabulary` - 1; 0 stands for unknown, rare and padding. `vocabulary` so is the number of embeddings.
- A `categorical` feature of the user becomes `vocabulary` numbers of which one is 1, the first for unknown.

A name means the column `user.NAME` or `item.NAME`; `price`, `age_days`, `group` (numeric) and `item_id`, `seller`,
`category` (categorical) of candidates are the log's own columns.

`FeatureSpec` is the file, `FeatureEncoder` what training on a log makes of it: it gives `Requests` and `LoggedLists`,
and is kept beside the networks, since they are of no use without it. `drafted_spec` writes a first spec for a log.
"""

from __future__ import annotations

from ranker.features.draft import drafted_spec
from ranker.features.encoder import FeatureEncoder
from ranker.features.spec import Feature, FeatureSpec, shipped_spec

__all__ = ["Feature", "FeatureEncoder", "FeatureSpec", "drafted_spec", "shipped_spec"]
