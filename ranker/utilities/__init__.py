"""The utilities U_k that a slate is worth, and the reward R_w = sum_k w_k U_k that weighs them.

The seven, in the order of every weight vector: `UTILITY_NAMES`. Each gives values in [0, 1], doesn't see padding and
doesn't depend on the order in which the candidates came. All are means over what a slate shows, not over its slots:
the prefix of a slate is on the same scale as the whole. An empty slate is worth 0.

A utility of one's own takes a class of a name and a value:

>>> import torch
>>> class Freshness:
...     name = "freshness"
...     def value(self, slate_BSN, requests, predictions):
...         age_BSN = of_items(requests.age_days_BM, slate_BSN)
...         return mean_of_shown(1 / (1 + age_BSN), slate_BSN)
>>> default_utilities().adding(Freshness()).names[-1]
'freshness'
"""

from __future__ import annotations

from ranker.utilities.cold_start import ColdStart
from ranker.utilities.diversity import Diversity
from ranker.utilities.flow_control import FlowControl
from ranker.utilities.group_order import GroupOrder
from ranker.utilities.laws import check_utility
from ranker.utilities.port import Utility
from ranker.utilities.predicted import Click, Gmv, Retention, Satisfaction
from ranker.utilities.registry import UTILITY_NAMES, UtilityRegistry, default_utilities
from ranker.utilities.rescaled import Rescaled, stretched
from ranker.utilities.reward import normalised, reward
from ranker.utilities.shown import mean_of_shown, of_items

__all__ = [
    "UTILITY_NAMES",
    "Click",
    "ColdStart",
    "Diversity",
    "FlowControl",
    "Gmv",
    "GroupOrder",
    "Rescaled",
    "Retention",
    "Satisfaction",
    "Utility",
    "UtilityRegistry",
    "check_utility",
    "default_utilities",
    "mean_of_shown",
    "normalised",
    "of_items",
    "reward",
    "stretched",
]
