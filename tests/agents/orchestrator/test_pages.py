from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.agents.orchestrator.config import PageConfig
from reward_llm.agents.orchestrator.pages import Rivals, filled, with_boosts


def plain(worth_I: np.ndarray, category_I: np.ndarray, size: int, config: PageConfig) -> list[int]:
    """One page, item by item, over all items."""
    left = {item: worth for item, worth in enumerate(worth_I.tolist()) if worth > -np.inf}
    page: list[int] = []
    while len(page) < size:
        last = [category_I[item] for item in page[-2:]]
        topics = [category_I[item] for item in page]
        open_ = [
            i
            for i in left
            if topics.count(category_I[i]) < config.most
            and (len(last) < 2 or not category_I[i] == last[0] == last[1])
        ] or list(left)
        best = max(open_, key=lambda i: left[i])
        page.append(best)
        del left[best]
        left = {i: w * (1 - config.variety) if category_I[i] == category_I[best] else w for i, w in left.items()}
    return page


@given(seed=st.integers(0, 10_000), size=st.integers(1, 6))
def test_pages_are_those_of_the_plain_rule(seed: int, size: int) -> None:
    generator = np.random.default_rng(seed)
    worth_BI, category_I = generator.random((4, 15)), generator.integers(0, 3, 15)
    config = PageConfig(shortlist=15, variety=0.3)
    page_BN = filled(worth_BI, category_I, size, config)
    assert page_BN.tolist() == [plain(worth_I, category_I, size, config) for worth_I in worth_BI]


@given(seed=st.integers(0, 10_000), barred=st.floats(0, 1), scale=st.sampled_from([1.0, -1.0]))
def test_no_item_stands_twice_and_barred_ones_come_last(seed: int, barred: float, scale: float) -> None:
    generator = np.random.default_rng(seed)
    worth_BI = scale * generator.random((3, 12))
    worth_BI[generator.random((3, 12)) < barred] = -np.inf
    page_BN = filled(worth_BI, generator.integers(0, 4, 12), 5, PageConfig(shortlist=7))
    for worth_I, page_N in zip(worth_BI, page_BN, strict=True):
        assert len(set(page_N.tolist())) == 5
        assert np.isfinite(worth_I[page_N]).sum() == min(5, np.isfinite(worth_I).sum())


@pytest.mark.parametrize("variety", [0.0, 0.3])
def test_three_of_a_topic_never_stand_in_a_row(variety: float) -> None:
    worth_BI = np.array([np.linspace(2, 1, 12)])
    category_I = np.array([0] * 6 + [1, 2] * 3)
    topics = category_I[filled(worth_BI, category_I, 8, PageConfig(variety=variety))[0]].tolist()
    assert all(len(set(topics[i : i + 3])) > 1 for i in range(6))


def test_a_page_has_no_more_of_a_topic_than_it_may_while_there_is_other() -> None:
    worth_BI = np.array([np.linspace(2, 1, 12)])
    category_I = np.array([0] * 6 + [1, 2] * 3)
    topics = category_I[filled(worth_BI, category_I, 8, PageConfig(variety=0.0, most=3))[0]].tolist()
    assert max(topics.count(topic) for topic in range(3)) == 3


def test_what_is_sold_gives_way_beside_its_rival() -> None:
    worth_BI, category_I = np.array([[1.0, 0.9, 0.8, 0.1]]), np.array([0, 0, 1, 1])
    is_sold_I, config = np.array([True, True, False, False]), PageConfig(variety=0.0)
    assert filled(worth_BI, category_I, 2, config)[0].tolist() == [0, 1]
    assert filled(worth_BI, category_I, 2, config, Rivals(is_sold_I, 0.5))[0].tolist() == [0, 2]
    assert filled(worth_BI, category_I, 2, config, Rivals(~is_sold_I, 0.5))[0].tolist() == [0, 1]


@given(seed=st.integers(0, 10_000), pull=st.floats(0, 5))
def test_order_changes_where_items_stand_and_not_which_do(seed: int, pull: float) -> None:
    generator = np.random.default_rng(seed)
    worth_BI, category_I = generator.random((4, 20)), generator.integers(0, 4, 20)
    group_I = generator.integers(0, 3, 20)
    plainly_BN = filled(worth_BI, category_I, 8, PageConfig())
    ordered_BN = filled(worth_BI, category_I, 8, PageConfig(), behind_I=pull * group_I)
    assert (np.sort(plainly_BN, axis=1) == np.sort(ordered_BN, axis=1)).all()


def test_a_strong_pull_puts_the_groups_in_their_order() -> None:
    worth_BI, category_I, group_I = np.linspace(1, 2, 8)[None], np.arange(8), np.arange(8) % 3
    ordered_N = filled(worth_BI, category_I, 8, PageConfig(variety=0.0), behind_I=10.0 * group_I)[0]
    assert group_I[ordered_N].tolist() == sorted(group_I.tolist())


@given(
    seed=st.integers(0, 10_000),
    place=st.floats(0, 1),
    has=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_boosted_items_are_let_in_and_the_others_keep_their_order(seed: int, place: float, has: list[bool]) -> None:
    generator = np.random.default_rng(seed)
    page_BN = np.stack([generator.permutation(20)[:6] for _ in range(3)])
    boosted_BP = np.stack([generator.permutation(20)[:2] for _ in range(3)])
    boosted_BP[:, 1] = np.where(has, boosted_BP[:, 1], -1)
    made_BN, is_boosted_BN = with_boosts(page_BN, boosted_BP, place)
    for before, after, marks, boosted in zip(page_BN, made_BN, is_boosted_BN, boosted_BP, strict=True):
        wanted = boosted[boosted >= 0].tolist()
        assert sorted(after[marks].tolist()) == sorted(wanted)
        assert len(set(after.tolist())) == 6
        rest = [item for item in before.tolist() if item not in wanted]
        assert after[~marks].tolist() == rest[: 6 - len(wanted)]


def test_the_place_is_where_the_boost_stands() -> None:
    page_BN, boost_BP = np.arange(11)[None], np.array([[50]])
    for place, slot in ((0.0, 0), (0.5, 5), (1.0, 10)):
        assert with_boosts(page_BN, boost_BP, place)[0][0].tolist().index(50) == slot
