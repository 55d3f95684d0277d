"""Searches for the best slate: what the actor is measured against, and lists that it competes with.

All look for the slate of one request that an objective values most. An objective values S slates at once and takes
prefixes (-1 at the end), so that any reward can be searched, the evaluator's too:

>>> import torch
>>> clicks_M = torch.tensor([0.1, 0.4, 0.2])
>>> objective = lambda slate_SN: torch.where(slate_SN >= 0, clicks_M[slate_SN.clamp_min(0)], 0.0).mean(-1)
>>> beam_search(objective, SlateSpace.free(candidates=3, size=2), width=4).slate
(1, 2)

| search | finds | cost in slates valued |
|---|---|---|
| `brute_force` | the best | m! / (m - n)! |
| `cp_sat` | the best, of a `SeparableCase`, with a bound | — |
| `beam_search` | mostly near the best | n m width |
| `swap_search` | the best within one swap or exchange | (n² / 2 + n m) a round |
| `greedy` | the best next item, n times | n m |
| `mmr`, `dpp` | the best of a family of relevance against variety | one a setting |
| `sort_by` | the order of a score | 1 |
"""

from __future__ import annotations

from ranker.references.case import SeparableCase, random_case
from ranker.references.constructive import beam_search, brute_force, greedy, sort_by
from ranker.references.cp_sat import cp_sat
from ranker.references.dpp import dpp
from ranker.references.mmr import mmr
from ranker.references.similarity import group_similarity
from ranker.references.space import Found, Objective, SlateSpace, best_of, request_objective
from ranker.references.swap import swap_search

__all__ = [
    "Found",
    "Objective",
    "SeparableCase",
    "SlateSpace",
    "beam_search",
    "best_of",
    "brute_force",
    "cp_sat",
    "dpp",
    "greedy",
    "group_similarity",
    "mmr",
    "random_case",
    "request_objective",
    "sort_by",
    "swap_search",
]
