from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ranker.errors import ModelInvalid
from ranker.training.journal import read_journal
from reward_llm.agents.learning.checkpoint import TEAM, Checkpoint
from reward_llm.agents.learning.config import MADDPGConfig, PPOConfig
from reward_llm.agents.learning.course import Course, CourseConfig
from reward_llm.agents.learning.journal import LOG
from reward_llm.agents.learning.minds import KINDS
from reward_llm.agents.learning.recording import RecordingMinds
from reward_llm.agents.learning.rewards import RewardConfig, content_reward, page_reward
from reward_llm.agents.learning.student import sampled_weights
from reward_llm.agents.learning.team import TeamShape, new_actors
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.play import play
from reward_llm.agents.orchestrator.config import AllotmentConfig, OrchestratorConfig
from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace, MarketplaceConfig
from reward_llm.errors import CheckpointInvalid
from tests.agents.learning.cases import generator
from tests.agents.markets import USUAL, opened
from tests.agents.users.cases import outcome

SMALL = CourseConfig(market=MarketConfig.small(), rounds=2, algorithm=PPOConfig(epochs=1))
SMALL_MADDPG = replace(SMALL, algorithm=MADDPGConfig(updates=3, batch=32))


class BrokenOff(Exception):
    """The process ended."""


def parameters(checkpoint: Checkpoint) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for kind in KINDS for p in checkpoint.actors[kind].parameters()])


@pytest.mark.parametrize("config", [SMALL, SMALL_MADDPG])
def test_a_course_broken_off_ends_where_it_would_have(config: CourseConfig, tmp_path: Path) -> None:
    whole = Course(config).go(tmp_path / "whole")

    def stop(progress: object) -> None:
        raise BrokenOff

    with pytest.raises(BrokenOff):
        Course(config).go(tmp_path / "parts", stop)
    resumed = Course(config).go(tmp_path / "parts")
    assert torch.equal(parameters(whole), parameters(resumed))
    first, second = (read_journal(tmp_path / name / LOG) for name in ("whole", "parts"))
    assert first == second
    assert len(first) == 2


def test_another_seed_is_another_course_and_another_config_has_its_own_folder(tmp_path: Path) -> None:
    one = replace(SMALL, rounds=1)
    first = Course(one).go(tmp_path / "first")
    other = Course(replace(one, seed=1)).go(tmp_path / "other")
    assert not torch.equal(parameters(first), parameters(other))
    with pytest.raises(ModelInvalid, match="another config"):
        Course(replace(one, seed=1)).go(tmp_path / "first")


def test_a_team_read_back_decides_the_same(tmp_path: Path) -> None:
    shape = TeamShape(marketplace=MarketplaceConfig(), topics=10)
    saved = Checkpoint(shape=shape, actors=new_actors(shape, seed=4))
    saved.save(tmp_path)
    found = Checkpoint.load(tmp_path, MarketplaceConfig())
    runs = [play(opened(), LearnedMarketplace(minds=one.minds), np.random.default_rng(0)) for one in (saved, found)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("content", [b"", b"no team", None])
def test_what_is_no_team_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / TEAM).write_bytes(content)
    with pytest.raises(CheckpointInvalid, match="holds no team") as caught:
        Checkpoint.load(tmp_path, MarketplaceConfig())
    assert caught.value.hint


def test_a_team_for_another_marketplace_is_refused(tmp_path: Path) -> None:
    shape = TeamShape(marketplace=MarketplaceConfig(), topics=10)
    Checkpoint(shape=shape, actors=new_actors(shape, seed=0)).save(tmp_path)
    other = MarketplaceConfig(orchestrator=OrchestratorConfig(allotment=AllotmentConfig(cap=0.1)))
    with pytest.raises(CheckpointInvalid, match="another marketplace"):
        Checkpoint.load(tmp_path, other)


def test_drawn_weights_lie_on_the_simplex_around_the_usual_ones() -> None:
    assert sampled_weights(USUAL, 0.0, generator()) == pytest.approx(USUAL)
    drawn = [sampled_weights(USUAL, 0.6, generator(seed)) for seed in range(200)]
    assert all(sum(one.values()) == pytest.approx(1) for one in drawn)
    assert np.std([one["gmv"] for one in drawn]) > 0.05


def test_a_page_is_paid_by_the_weights_and_a_content_by_more_than_clicks() -> None:
    page = outcome(
        [[1, 1], [0, 0]],
        [[1, 0], [0, 0]],
        left_B=np.array([True, False]),
        value_BN=np.array([[3, 0], [0, 0]], dtype=np.float32),
        cost_BN=np.array([[0.01, 0.01], [0, 0]], dtype=np.float32),
    )
    facts, config = (np.array([0, 1]), np.array([True, False])), RewardConfig()
    for utility, expected in {
        "click": [2 / 0.5, 0],
        "gmv": [3, 0],
        "satisfaction": [(1 - 0.3) / 0.2, 0],
        "retention": [0, 0.5],
        "diversity": [2 / 0.5, 0],
        "cold_start": [1 / 0.05, 0],
        "group_order": [0, 0],
    }.items():
        assert page_reward(page, *facts, {utility: 1.0}, config).tolist() == pytest.approx(expected), utility
    assert content_reward(page, 0.01, 2, config).tolist() == pytest.approx([1 - 0.02, -0.02])


def test_what_is_recorded_is_each_agent_s_own_and_only_some_users_are() -> None:
    shape = TeamShape(marketplace=MarketplaceConfig(), topics=10)
    minds = RecordingMinds(new_actors(shape, seed=0), generator(), every=3)
    play(opened(), LearnedMarketplace(minds=minds), np.random.default_rng(0))
    recorded = sorted(set(minds._tapes["user"].agent_R))
    assert len(recorded) > 3
    assert all(user % 3 == 0 for user in recorded)
    minds.reward("user", np.array([recorded[0], recorded[0] + 1]), np.array([5.0, 7.0], dtype=np.float32))
    users = minds.rollout("user")
    assert users is not None
    assert users.reward_TN.sum().item() == pytest.approx(5.0)
    last = users.present_TN.sum(0) - 1
    assert (users.present_TN[:-1] >= users.present_TN[1:]).all()
    assert users.reward_TN[last, torch.arange(len(last))].sum().item() == pytest.approx(5.0)
    orchestrator = minds.rollout("orchestrator")
    assert orchestrator is not None
    assert orchestrator.present_TN.shape[1] == 1


def test_a_visit_on_the_next_day_pays_the_last_page_of_the_day() -> None:
    shape = TeamShape(marketplace=MarketplaceConfig(), topics=10)
    minds = RecordingMinds(new_actors(shape, seed=0), generator())
    tape = minds._tapes["user"]
    tape.agent_R, tape.day_R, tape.reward_R = [1, 2, 1, 1, 2, 1], [0, 0, 0, 1, 2, 4], [0.0] * 6
    minds.reward_return(3.0)
    assert tape.reward_R == [0, 0, 3.0, 0, 0, 0]
