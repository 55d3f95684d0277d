"""The ranker's public face: load once, rank many.

    requests, weights --> actor --> greedy list ---------------.
                            '-----> sampled lists -------------+--> R_w --> best --> improved --> rules --> slate
    evaluator, utilities ---------> greedy, MMR and DPP lists -'               they break: the next best list,
                                                                               then the baseline

What `Scorer.rank` shows is worth at least as much as what the actor alone would show, until a hard rule says
otherwise.
"""

from __future__ import annotations

from ranker.scorer.config import ScorerConfig
from ranker.scorer.scorer import DEFAULT_RULES, Ranked, Scorer

__all__ = ["DEFAULT_RULES", "Ranked", "Scorer", "ScorerConfig"]
