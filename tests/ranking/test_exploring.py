"""Exploring: propensities against enumeration of all that may be shown."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from ranker.requests import Requests
from ranker.rules import MaxRun, Rules
from ranker.scorer import DEFAULT_RULES
from reward_llm.domain.ranking import RankingRequest
from reward_llm.ranking.engine import Engine, EngineConfig
from reward_llm.ranking.exploring import ORDERS, explored, exploring_slates, propensities
from tests.ranking.requests import request_of, row_of
from tests.strategies import HOME_FEED

SHARE = 0.4
NO_TWO = Rules((MaxRun(of="seller", most=1),))


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    return Engine.load(EngineConfig(checkpoint=folder), generator=random.Random(1))


@pytest.fixture
def sent(logged: pa.Table) -> RankingRequest:
    return request_of(row_of(logged, 0))


def few(engine: Engine, sent: RankingRequest, sellers: str, pinned: dict[int, int], banned: int | None) -> Requests:
    """The first candidates alone, one for each letter, which names its seller."""
    kept = tuple(
        dataclasses.replace(c, seller=s, forbidden=n == banned)
        for n, (c, s) in enumerate(zip(sent.candidates, sellers, strict=False))
    )
    pins = {kept[item].item_id: slot for item, slot in pinned.items()}
    return engine._rows.read(dataclasses.replace(sent, candidates=kept, pinned=pins, size=3)).requests


@pytest.mark.parametrize("rules", [Rules(), NO_TWO])
@pytest.mark.parametrize(("pinned", "banned"), [({}, None), ({2: 1}, None), ({0: 2, 4: 0}, 1), ({}, 3)])
def test_propensities_are_those_of_all_slates_that_may_be_shown(
    engine: Engine, sent: RankingRequest, rules: Rules, pinned: dict[int, int], banned: int | None
) -> None:
    requests = few(engine, sent, "aabbcdd", pinned, banned)
    best = [next((i for i, slot in pinned.items() if slot == n), 5 if n == 2 else 6 - n) for n in range(3)]
    others = exploring_slates(requests, 3, rules).tolist()
    assert others
    chances = Counter({tuple(best): 1 - SHARE})
    for slate in others:
        assert len(set(slate)) == 3
        assert banned not in slate
        assert all(slate[slot] == item for item, slot in pinned.items())
        chances[tuple(slate)] += SHARE / len(others)
    assert sum(chances.values()) == pytest.approx(1)
    for slate in chances:
        shown = torch.tensor(slate)
        found = propensities(shown, torch.tensor(best), torch.tensor(others), SHARE).tolist()
        for slot, item in enumerate(slate):
            there = sum(p for other, p in chances.items() if other[slot] == item)
            assert found[slot] == pytest.approx(there)
    if rules is NO_TWO:
        sellers = "aabbcdd"
        assert all(sellers[a] != sellers[b] for slate in others for a, b in pairwise(slate))


def test_without_rules_and_pins_every_item_comes_to_every_slot_equally_often(
    engine: Engine, sent: RankingRequest
) -> None:
    requests = few(engine, sent, "abcdefg", {}, None)
    slate_LN = exploring_slates(requests, 3, Rules())
    assert len(slate_LN) == ORDERS * 7
    for slot in range(3):
        assert set(Counter(slate_LN[:, slot].tolist()).values()) == {ORDERS}


def test_what_is_drawn_is_drawn_as_often_as_is_said(engine: Engine, sent: RankingRequest) -> None:
    requests, best = few(engine, sent, "aabbcdd", {2: 1}, None), torch.tensor([6, 2, 5])
    draws, generator = 4_000, random.Random(5)
    counted: Counter[tuple[int, int]] = Counter()
    said: dict[tuple[int, int], float] = {}
    for _ in range(draws):
        found = explored(best, requests, DEFAULT_RULES, SHARE, generator)
        for place in enumerate(found.slate_N.tolist()):
            counted[place] += 1
            said[place] = float(found.propensity_N[place[0]])
    for place, chance in said.items():
        error = (chance * (1 - chance) / draws) ** 0.5
        assert abs(counted[place] / draws - chance) <= 4 * error + 1e-9, place


def test_where_nothing_else_may_be_shown_the_best_is_certain(engine: Engine, sent: RankingRequest) -> None:
    best, generator = torch.tensor([0, 1, 2]), random.Random(0)
    for requests, rules in (
        (few(engine, sent, "aaaaa", {}, None), NO_TWO),
        (few(engine, sent, "abcde", {0: 0, 1: 1, 2: 2}, None), Rules()),
    ):
        found = explored(best, requests, rules, 1.0, generator)
        assert found.is_best
        assert found.slate_N.tolist() == [0, 1, 2]
        assert found.propensity_N.tolist() == [1, 1, 1]


def test_an_explored_slate_says_what_it_is_worth(engine: Engine, sent: RankingRequest) -> None:
    best = engine.rerank(HOME_FEED, HOME_FEED.defaults, sent)
    assert best.propensities is None
    always = engine.rerank(HOME_FEED, HOME_FEED.defaults, dataclasses.replace(sent, explore=1.0))
    assert always.chosen == "explored"
    assert always.items != best.items
    assert always.score <= best.score
    weighed = sum(HOME_FEED.defaults[name] * value for name, value in always.utilities.items())
    assert always.score == pytest.approx(weighed, abs=1e-5)
    assert always.propensities is not None
    assert len(always.propensities) == len(always.items)
    rarely = engine.rerank(HOME_FEED, HOME_FEED.defaults, dataclasses.replace(sent, explore=1e-9))
    assert (rarely.items, rarely.chosen) == (best.items, best.chosen)
    assert rarely.propensities == pytest.approx([1.0] * 6)
