"""The ranker at work for scenarios: loaded once, used by one thread."""

# B requests, M candidates, N slate, K utilities of the checkpoint

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from ranker.checkpoint import SAMPLE, shipped_checkpoint
from ranker.explanation import explain
from ranker.requests import EMPTY, Requests
from ranker.rules import Breach
from ranker.scorer import Ranked, Scorer, ScorerConfig
from ranker.whatif import Sample, WhatIfConfig, compare, slates
from reward_llm.domain.preview import Explanation, Preview
from reward_llm.domain.ranking import RankedSlate, RankingRequest, measured
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import RankerUnavailable, RankingInvalid, WeightsInvalid
from reward_llm.ranking.exploring import explored
from reward_llm.ranking.failures import translated
from reward_llm.ranking.logged import LoggedRequests
from reward_llm.ranking.presenting import explanation_of, preview_of
from reward_llm.ranking.rows import RowReader

THREADS: Final = 1
"""Of torch, for each engine: requests are small, and others need the cores."""
EXPLORED: Final = "explored"
"""Who wrote a slate that is shown to learn from."""
_OTHER_FOLDER: Final = (
    "Set REWARD_LLM_RANKER_CHECKPOINT to a folder that `reward-llm ranker train` wrote; a service reads it once."
)
_OTHER_LOG: Final = "Set REWARD_LLM_RANKER_LOG to a list-wise log in Parquet with the checkpoint's features."


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """What an engine is loaded from, and how much a preview tries."""

    checkpoint: Path | None = None
    """A folder that training wrote; None is the one that ships."""
    log: Path | None = None
    """Logged lists that weights are tried on; None is the sample in the checkpoint's folder."""
    what_if: WhatIfConfig = field(default_factory=WhatIfConfig)


class Engine:
    """Ranks requests, and tries weights on logged ones.

    Args:
        scorer: What ranks.
        log: The Parquet file of the logged lists.
        what_if: How much a preview tries.
        generator: Draws what is explored.
    """

    def __init__(
        self, scorer: Scorer, log: Path, what_if: WhatIfConfig, generator: random.Random | None = None
    ) -> None:
        self._scorer = scorer
        self._generator = generator or random.Random()  # noqa: S311 - explores, keeps no secret
        self._rows = RowReader(scorer.features)
        self._log = log
        self._what_if = what_if
        self._logged: LoggedRequests | None = None
        self._sample: Sample | None = None

    @classmethod
    def load(
        cls, config: EngineConfig, scorer: ScorerConfig | None = None, generator: random.Random | None = None
    ) -> Engine:
        """Load what the config names; the thread that does gets one thread of torch.

        Raises:
            RankerUnavailable: If the checkpoint can't be loaded.
        """
        folder = config.checkpoint or shipped_checkpoint()
        keep_to_threads(THREADS)
        with translated(_OTHER_FOLDER):
            loaded = Scorer.load(folder, scorer or ScorerConfig())
        return cls(loaded, config.log or folder / SAMPLE, config.what_if, generator)

    @property
    def utilities(self) -> tuple[str, ...]:
        """What the checkpoint calls the utilities that it measures."""
        return self._scorer.utilities

    def rerank(self, scenario: Scenario, weights: Mapping[str, float], request: RankingRequest) -> RankedSlate:
        """The slate with the highest score that the scorer finds, or another one as far as the request explores.

        Raises:
            RankingInvalid: If the request can't be ranked.
            WeightsInvalid: If none of the utilities that have a weight is measured.
        """
        problems = tuple(request.problems())
        if problems:
            message = "the request can't be ranked: " + "; ".join(map(str, problems))
            raise RankingInvalid(message, violations=problems)
        places, weights_K = measured(scenario, self.utilities), self._vector(scenario, weights)
        read = self._rows.read(request)
        with translated():
            ranked = self._scorer.rank(read.requests, weights_K.unsqueeze(0), request.size)
        propensities = None
        if request.explore:
            ranked, propensities = self._explored(ranked, read.requests, weights_K, request.explore)
        value_K = ranked.utility_BK[0].tolist()
        return RankedSlate(
            items=tuple(request.candidates[i].item_id for i in ranked.slate_BN[0].tolist() if i != EMPTY),
            utilities={name: value_K[place] for name, place in places.items()},
            score=float(ranked.reward_B[0]),
            chosen=ranked.chosen[0],
            breaches=_rules(ranked.breaches),
            unmet=_rules(ranked.unmet),
            propensities=propensities,
            ignored=self._ignored(scenario, weights),
            missing=read.missing,
            unknown=read.unknown,
        )

    def preview(self, scenario: Scenario, now: Mapping[str, float], then: Mapping[str, float]) -> Preview:
        """What other weights would change on the logged requests.

        Raises:
            WeightsInvalid: If none of the utilities that have a weight is measured.
            RankerUnavailable: If the log can't be read.
        """
        weights_2K = torch.stack([self._vector(scenario, now), self._vector(scenario, then)])
        logged = self._requests()
        with translated():
            if self._sample is None:
                self._sample = Sample.of(logged.lists, self._scorer.objective, self._what_if)
            compared = compare(self._sample, self._scorer.objective, self._rank, weights_2K, self._what_if)
        ignored = tuple(dict.fromkeys([*self._ignored(scenario, now), *self._ignored(scenario, then)]))
        places = measured(scenario, self.utilities)
        return preview_of(compared, places, logged, confidence=self._what_if.confidence, ignored=ignored)

    def values(
        self, scenario: Scenario, weights: Mapping[str, float], *, requests: int, seed: int
    ) -> dict[str, tuple[float, ...]]:
        """The measured utilities of the slates that logged requests get under weights, a value for each request.

        Args:
            scenario: Whose utilities.
            weights: By its utilities.
            requests: How many are drawn, of those that have a candidate for every slot.
            seed: Which are.

        Raises:
            WeightsInvalid: If none of the utilities that have a weight is measured.
            RankerUnavailable: If the log can't be read, or has no such request.
        """
        weights_K, lists = self._vector(scenario, weights), self._requests().lists
        rows = (lists.requests.allowed_BM.sum(1) >= lists.N).nonzero()[:, 0]
        if not len(rows):
            raise RankerUnavailable("no logged request has a candidate for every slot", hint=_OTHER_LOG)
        drawn = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:requests]]
        with translated():
            some = lists.select(drawn.sort().values.tolist())
            slate_BN = slates(self._rank, some.requests, weights_K, some.N)
            value_BK = self._scorer.objective.values(some.requests, slate_BN.unsqueeze(1))[:, 0]
        places = measured(scenario, self.utilities)
        return {name: tuple(value_BK[:, place].tolist()) for name, place in places.items()}

    def explain(self, scenario: Scenario, weights: Mapping[str, float], request: str) -> Explanation:
        """Why a logged request's slate is as it is; the request is named by its id, or its number in the log.

        Raises:
            RankingInvalid: If the log has no such request.
            WeightsInvalid: If none of the utilities that have a weight is measured.
            RankerUnavailable: If the log can't be read.
        """
        weights_K = self._vector(scenario, weights)
        logged = self._requests()
        with translated():
            row = logged.row_of(request)
            one = logged.lists.select([row])
            shown_BN = one.shown_BN[:, : int(one.filled_BN.sum())]
            explained = explain(
                one.requests,
                shown_BN,
                self._scorer.objective,
                self._rank,
                weights_K,
                nearby=self._what_if.nearby,
                generator=torch.Generator().manual_seed(self._what_if.seed),
            )
        places = measured(scenario, self.utilities)
        return explanation_of(explained, places, logged, row, ignored=self._ignored(scenario, weights))

    def _explored(
        self, ranked: Ranked, requests: Requests, weights_K: Tensor, share: float
    ) -> tuple[Ranked, tuple[float, ...]]:
        """What is shown when some of the slates are drawn, and the propensities of its items."""
        found = explored(ranked.slate_BN[0], requests, self._scorer.rules, share, self._generator)
        propensities = tuple(found.propensity_N.tolist())
        if found.is_best:
            return ranked, propensities
        value_BK = self._scorer.objective.values(requests, found.slate_N[None, None])[:, 0]
        shown = Ranked(
            slate_BN=found.slate_N[None],
            reward_B=value_BK @ (weights_K / weights_K.sum()),
            utility_BK=value_BK,
            chosen=(EXPLORED,),
            breaches=(),
            unmet=(),
        )
        return shown, propensities

    def _rank(self, requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
        return self._scorer.rank(requests, weights_BK, size).slate_BN

    def _requests(self) -> LoggedRequests:
        if self._logged is None:
            with translated(_OTHER_LOG):
                self._logged = LoggedRequests.read(self._log, self._scorer.features)
        return self._logged

    def _vector(self, scenario: Scenario, weights: Mapping[str, float]) -> Tensor:
        """The weights in the order of the checkpoint's utilities."""
        weights_K = torch.zeros(len(self.utilities))
        for name, place in measured(scenario, self.utilities).items():
            weights_K[place] = weights.get(name, 0.0)
        if not bool((weights_K > 0).any()):
            raise WeightsInvalid(
                "the ranker measures none of the utilities that have a weight",
                hint=f"It measures {', '.join(self.utilities)}, by concept or by name.",
            )
        return weights_K

    def _ignored(self, scenario: Scenario, weights: Mapping[str, float]) -> tuple[str, ...]:
        known = measured(scenario, self.utilities)
        return tuple(name for name, weight in weights.items() if weight > 0 and name not in known)


def _rules(breaches: tuple[Breach, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(breach.rule for breach in breaches))


def keep_to_threads(count: int) -> None:
    """Have torch use so many threads in this thread, and as many as before in those that begin later."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    others = threading.Thread(target=torch.set_num_threads, args=(before,))
    others.start()
    others.join()
