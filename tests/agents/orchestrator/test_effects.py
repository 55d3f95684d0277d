from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from reward_llm.agents.orchestrator.effects import Effects, EffectsConfig, Trials

TOPICS = 3
LOOKS_N = np.array([1.0, 0.6, 0.3], dtype=np.float32)


def effects(users: int, items: int, **changes: float) -> Effects:
    made = Effects(EffectsConfig(**{"start": 0.2, **changes}), topics=TOPICS, facts=2)
    made.grow(users, items, 2)
    return made


def trials(generator: np.random.Generator, topic_IT: np.ndarray, users: int, success=None) -> Trials:
    items = len(topic_IT)
    item_BN = np.stack([generator.permutation(items)[:3] for _ in range(users)])
    return Trials(
        users_B=np.arange(users),
        item_BN=item_BN,
        creator_BN=item_BN % 2,
        topic_BNT=topic_IT[item_BN],
        facts_BNF=generator.random((users, 3, 2), dtype=np.float32),
        examination_BN=np.broadcast_to(LOOKS_N, (users, 3)),
        success_BN=generator.random((users, 3)) < 0.5 if success is None else success(item_BN),
    )


def facts(items: int) -> SimpleNamespace:
    """As much of items as the effects read."""
    return SimpleNamespace(topic_IT=topics(items), creator_I=np.arange(items) % 2)


def topics(items: int) -> np.ndarray:
    return np.eye(TOPICS, dtype=np.float32)[np.arange(items) % TOPICS]


def test_a_step_follows_the_gradient_of_the_likelihood_of_looked_at_clicks() -> None:
    generator = np.random.default_rng(0)
    tight = dict.fromkeys(("fact_precision", "taste_precision", "item_precision", "creator_precision"), 1e6)
    found = effects(4, 6, damping=1.0, **tight)
    found.item_I += generator.normal(size=6).astype(np.float32)
    one = trials(generator, topics(6), 4)
    start = {name: getattr(found, name).copy() for name in ("fact_F", "usual_T", "taste_UT", "item_I", "creator_C")}
    at = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in start.items()}
    topic, facts = torch.tensor(one.topic_BNT).double(), torch.tensor(one.facts_BNF).double()
    logit = (
        (topic * (at["usual_T"] + at["taste_UT"][one.users_B])[:, None]).sum(-1) + facts @ at["fact_F"] + found.bias
    )
    p = torch.tensor(LOOKS_N).double() * torch.sigmoid(
        logit + at["item_I"][torch.tensor(one.item_BN)] + at["creator_C"][torch.tensor(one.creator_BN)]
    )
    torch.where(torch.tensor(one.success_BN), p.log(), (1 - p).log()).sum().backward()
    found.learn(one)
    for name, value in start.items():
        step = (getattr(found, name) - value) * 1e6
        np.testing.assert_allclose(step, at[name].grad, rtol=0.01, atol=0.2)


def test_it_learns_who_likes_what_and_which_items_are_good() -> None:
    generator, users, items = np.random.default_rng(1), 60, 9
    topic_IT, liked_U = topics(items), np.arange(users) % TOPICS
    good_I = np.where(np.arange(items) < 3, 1.0, -1.0)
    found = effects(users, items)

    def clicked(item_BN: np.ndarray) -> np.ndarray:
        logit_BN = 3.0 * (item_BN % TOPICS == liked_U[:, None]) + good_I[item_BN] - 2.0
        return generator.random(item_BN.shape) < LOOKS_N / (1 + np.exp(-logit_BN))

    for _ in range(80):
        found.learn(trials(generator, topic_IT, users, clicked))
    assert (found.taste_UT.argmax(1) == liked_U).mean() > 0.95
    assert found.item_I[:3].min() > found.item_I[3:].max() + 0.5


def test_what_is_not_looked_at_teaches_nothing() -> None:
    found, one = effects(4, 6), trials(np.random.default_rng(2), topics(6), 4)
    unseen = Trials(**{**{name: getattr(one, name) for name in Trials.__slots__}, "examination_BN": np.zeros((4, 3))})
    found.learn(unseen)
    assert not found.item_I.any()
    assert not found.taste_UT.any()


def test_what_was_tried_is_drawn_nearer_to_its_mean_and_a_night_forgets() -> None:
    found, users_B, full_B = effects(4, 6), np.arange(4), np.ones(4, dtype=np.float32)

    def spread() -> float:
        return float(found.drawn(users_B, facts(6), full_B, np.random.default_rng(0)).std())

    before = spread()
    for seed in range(20):
        found.learn(trials(np.random.default_rng(seed), topics(6), 4))
    tried = spread()
    for _ in range(30):
        found.forget()
    assert tried < spread() < before


def test_nothing_is_drawn_for_who_is_protected() -> None:
    scale_B = np.array([0.0, 0.5, 1.0, 0.0], dtype=np.float32)
    drawn_BI = effects(4, 6).drawn(np.arange(4), facts(6), scale_B, np.random.default_rng(0))
    assert not drawn_BI[[0, 3]].any()
    assert drawn_BI[[1, 2]].all()


def test_a_new_item_is_thought_of_as_its_creator_s_others() -> None:
    found = effects(30, 6)
    for seed in range(40):
        generator = np.random.default_rng(seed)
        found.learn(trials(generator, topics(6), 30, lambda item_BN: item_BN % 2 == 0))
    found.grow(30, 8, 2)
    good, bad = found.quality(np.arange(8) % 2)[6:]
    assert good > bad + 0.5


def test_the_logits_of_pages_are_those_of_all_items() -> None:
    found, one = effects(4, 6), trials(np.random.default_rng(3), topics(6), 4)
    found.learn(one)
    everything_BI = found.logits(one.users_B, facts(6), np.zeros((4, 6), dtype=np.float32))
    own_BN = found._own_logits(one) - one.facts_BNF @ found.fact_F
    np.testing.assert_allclose(np.take_along_axis(everything_BI, one.item_BN, axis=1), own_BN, rtol=1e-5)


def test_a_topic_that_tires_a_user_counts_as_one_that_is_of_no_interest() -> None:
    found = effects(2, 6)
    found.taste_UT += 2.0
    none_BI, open_BT = np.zeros((2, 6), dtype=np.float32), np.array([[1, 1, 1], [0, 1, 1]], dtype=np.float32)
    logit_BI = found.logits(np.arange(2), facts(6), none_BI, open_BT)
    assert (logit_BI[0] == logit_BI[0, 0]).all()
    assert (logit_BI[1, [0, 3]] < logit_BI[1, 1] - 1).all()


def test_a_new_user_is_thought_to_like_what_others_like() -> None:
    generator = np.random.default_rng(4)
    found = effects(30, 6)
    for _ in range(40):
        found.learn(trials(generator, topics(6), 30, lambda item_BN: item_BN % TOPICS == 0))
    found.grow(31, 6, 2)
    logit_I = found.logits(np.array([30]), facts(6), np.zeros((1, 6), dtype=np.float32))[0]
    assert logit_I[[0, 3]].min() > logit_I[[1, 2, 4, 5]].max() + 1
