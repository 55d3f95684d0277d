"""The compiled path against the eager one, and the rivals against what they are defined by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ranker.config import ActorConfig, EvaluatorConfig, InputConfig
from ranker.hypernet import on_simplex
from ranker.objective import Objective
from ranker.references import SlateSpace, greedy, mmr, request_objective
from ranker.references.similarity import group_similarity
from ranker.requests import Requests
from ranker.scorer import Scorer, ScorerConfig
from ranker.scorer.eager import EagerEngine
from ranker.scorer.lists import Engine, Lists
from ranker.scorer.rivals import alone, greedy_slates, improved_slates, mmr_slates
from ranker.utilities import ColdStart, Diversity, Gmv, Rescaled, default_utilities
from tests.ranker.scorer.cases import SEEDS, mixed_weights, networks, ragged_requests

CHOICES = settings(max_examples=25, deadline=None)


def lists_of(scorer: Scorer, requests: Requests, weights_BK: Tensor, size: int) -> Lists:
    engine: Engine = scorer._engine
    conditions = scorer._conditions.of(weights_BK)
    parameters = [one.parameters for one in conditions]
    with torch.inference_mode():
        return engine.lists(requests, torch.cat([one.simplex_1K for one in conditions]), parameters, size)


def assert_agreement(one: Scorer, other: Scorer, requests: Requests, weights_BK: Tensor, size: int) -> None:
    assert torch.equal(one.greedy(requests, weights_BK, size), other.greedy(requests, weights_BK, size))
    first, second = (lists_of(scorer, requests, weights_BK, size) for scorer in (one, other))
    torch.testing.assert_close(first.slate_BLN, second.slate_BLN, rtol=0, atol=0)
    torch.testing.assert_close(first.utility_BLK, second.utility_BLK, rtol=0, atol=1e-5)
    torch.testing.assert_close(first.reward_BL, second.reward_BL, rtol=0, atol=1e-5)


@CHOICES
@given(seed=SEEDS, size=st.integers(1, 8), more=st.integers(0, 10))
def test_both_paths_give_the_same_lists_of_the_same_worth(
    compiled: Scorer, eager: Scorer, seed: int, size: int, more: int
) -> None:
    requests = ragged_requests(3, size + more, size, seed)
    assert_agreement(compiled, eager, requests, mixed_weights(3, seed), size)


@pytest.mark.parametrize(
    ("hidden", "attention", "channel", "heads"), [(32, 32, 32, 4), (20, 40, 64, 4), (64, 64, 24, 2)]
)
def test_both_paths_agree_at_other_widths(
    kernels: Path, hidden: int, attention: int, channel: int, heads: int
) -> None:
    reading = InputConfig(id_width=5, hidden=hidden + 3)
    parts = networks(
        ActorConfig(input=reading, hidden=hidden, attention=attention),
        EvaluatorConfig(input=reading, channel=channel, heads=heads, flat=5, averaged_position=heads == 2),
    )
    config = ScorerConfig(cache=kernels, samples=1)
    one, other = (Scorer(*parts, config=replace(config, compiled=path)) for path in (True, False))
    assert one.path == "compiled", one.eager_reason
    assert_agreement(one, other, ragged_requests(2, 30, 12, seed=4), mixed_weights(2, 4), 12)


def test_both_paths_agree_on_utilities_that_are_set_otherwise(kernels: Path) -> None:
    actor, objective = networks()
    utilities = default_utilities().replacing(Rescaled(utility=Gmv(price_cap=30.0), low=0.05, high=0.3))
    utilities = utilities.replacing(Diversity(attributes=("category",))).replacing(ColdStart(target=0.5))
    objective = replace(objective, utilities=utilities)
    one, other = (
        Scorer(actor, objective, config=ScorerConfig(cache=kernels, compiled=path)) for path in (True, False)
    )
    assert one.path == "compiled", one.eager_reason
    assert_agreement(one, other, ragged_requests(3, 14, 6, seed=8), mixed_weights(3, 8), 6)


def test_a_batch_divided_among_threads_is_ranked_as_by_one(kernels: Path, compiled: Scorer) -> None:
    several = Scorer(*networks(), config=replace(compiled.config, threads=3))
    requests, weights_BK = ragged_requests(7, 15, 6, seed=2), mixed_weights(7, 2)
    assert_agreement(several, compiled, requests, weights_BK, 6)


@CHOICES
@given(seed=SEEDS)
def test_the_greedy_list_is_the_reference_search_where_nothing_bounds_it(eager: Scorer, seed: int) -> None:
    requests, weights_BK, objective = _case(eager, seed)
    alone_BM = alone(objective, requests, weights_BK)
    slate_BN = greedy_slates(objective, requests, weights_BK, alone_BM, 4, positions=10_000)
    for row in range(requests.B):
        space = SlateSpace.of_request(requests, row, 4)
        found = greedy(_of_row(objective, requests, row, weights_BK), space)
        reward_BS = objective.reward(requests, weights_BK, slate_BN[:, None])
        assert reward_BS[row, 0].item() == pytest.approx(found.reward, abs=1e-6)


@CHOICES
@given(seed=SEEDS)
def test_the_mmr_list_is_the_reference_one(eager: Scorer, seed: int) -> None:
    requests, weights_BK, objective = _case(eager, seed)
    alone_BM = alone(objective, requests, weights_BK)
    slate_BN = mmr_slates(requests, alone_BM, 4, 0.6)
    for row in range(requests.B):
        found = mmr(
            _of_row(objective, requests, row, weights_BK),
            SlateSpace.of_request(requests, row, 4),
            alone_BM[row],
            group_similarity(requests, row),
            trade_offs=(0.6,),
        )
        assert found.slate == tuple(slate_BN[row].tolist())


@CHOICES
@given(seed=SEEDS)
def test_improvement_never_loses_and_ends_where_no_change_it_tries_gains(eager: Scorer, seed: int) -> None:
    requests, weights_BK, objective = _case(eager, seed)
    alone_BM = alone(objective, requests, weights_BK)
    start_BN = greedy_slates(objective, requests, weights_BK, alone_BM, 4, positions=0)
    config = ScorerConfig(sweeps=20, neighbours=20, sweep_positions=100_000)
    once_BN = improved_slates(objective, requests, weights_BK, start_BN, alone_BM, config)
    twice_BN = improved_slates(objective, requests, weights_BK, once_BN, alone_BM, config)
    assert torch.equal(once_BN, twice_BN)
    reward_BS = objective.reward(requests, weights_BK, torch.stack([start_BN, once_BN], dim=1))
    assert (reward_BS[:, 1] >= reward_BS[:, 0]).all()


def test_samples_are_drawn_as_often_as_the_actor_says(eager: Scorer) -> None:
    actor, objective = networks()
    config = ScorerConfig(samples=1_500, greedy=False, trade_offs=(), temperatures=(), sweeps=0)
    engine = EagerEngine(actor, objective, config)
    requests, weights_BK = ragged_requests(1, 3, 2, seed=5), mixed_weights(1, 1)
    with torch.no_grad():
        slate_1SN = engine.lists(requests, weights_BK, [actor.condition(weights_BK)], 2).slate_BLN[:, 1:]
        first_S, counts_S = slate_1SN[0].unique(dim=0, return_counts=True)
        likely_1S = actor.log_prob(requests, weights_BK, first_S[None]).log_prob_BSN.sum(-1).exp()
    torch.testing.assert_close(counts_S / 1_500, likely_1S[0], atol=0.05, rtol=0)


def _case(scorer: Scorer, seed: int) -> tuple[Requests, Tensor, Objective]:
    return ragged_requests(2, 9, 4, seed), on_simplex(mixed_weights(2, seed)), scorer.objective


def _of_row(objective: Objective, requests: Requests, row: int, weights_BK: Tensor):  # type: ignore[no-untyped-def]
    assert objective.evaluator is not None
    return request_objective(requests, row, objective.utilities, weights_BK[row], objective.evaluator.predict)
