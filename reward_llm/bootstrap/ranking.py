"""What ranks, and tries weights out before they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reward_llm.bootstrap.models import let_openmp_wait
from reward_llm.errors import RankerUnavailable
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reward_llm.domain.ports import Reranker
    from reward_llm.domain.preview import Explanation
    from reward_llm.domain.ranker_card import RankerCard
    from reward_llm.domain.scenario import Scenario
    from reward_llm.ranking.engine import Engine

_RANKER_EXTRA: Final = "Install the ranker extra: pip install 'reward-llm[ranker]'."


def build_reranker(settings: Settings) -> Reranker:
    """What ranks with the checkpoint of the settings, which is loaded by the first request."""
    from reward_llm.ranking.room import Room

    return Room(lambda: load_engine(settings), card=lambda: _read_card(settings))


def explain_logged(settings: Settings, scenario: Scenario, weights: Mapping[str, float], request: str) -> Explanation:
    """Why the slate of a logged request is as it is under the weights.

    Raises:
        RankingInvalid: If the log has no such request.
        WeightsInvalid: If the ranker measures none of the utilities that have a weight.
        RankerUnavailable: If the checkpoint or the log can't be read.
    """
    return load_engine(settings).explain(scenario, weights, request)


def load_engine(settings: Settings) -> Engine:
    """The ranker of the settings, in this thread.

    Raises:
        RankerUnavailable: If it can't be loaded.
    """
    let_openmp_wait()
    try:
        from reward_llm.ranking.engine import Engine, EngineConfig
    except ModuleNotFoundError as exc:
        raise RankerUnavailable(f"the ranker needs {exc.name}", hint=_RANKER_EXTRA) from exc
    return Engine.load(EngineConfig(checkpoint=settings.ranker_checkpoint, log=settings.ranker_log))


def _read_card(settings: Settings) -> RankerCard:
    try:
        from reward_llm.ranking.card import card_of
    except ModuleNotFoundError as exc:
        raise RankerUnavailable(f"the ranker needs {exc.name}", hint=_RANKER_EXTRA) from exc
    return card_of(settings.ranker_checkpoint, settings.ranker_log)
