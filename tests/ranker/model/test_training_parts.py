from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.config import EvaluatorConfig, InputConfig
from ranker.errors import ModelInvalid, WeightsInvalid
from ranker.evaluator import Evaluator, Head
from ranker.masks import REFUSED
from ranker.objective import Objective
from ranker.requests import EMPTY, check_slates
from ranker.training.advantage import leave_one_out, policy_loss, returns_to_go, scaled
from ranker.training.calibration import area_under_curve, calibrate, calibration_error
from ranker.training.config import HealthLimits, WeightRanges
from ranker.training.health import Health, Signs, distinct_share
from ranker.training.journal import Journal, TrainingProgress, progress_bar, read_journal
from ranker.training.run import Run
from ranker.training.teacher import improved, marginal_greedy
from ranker.training.weights import corners, draw_weights
from ranker.utilities import default_utilities
from tests.ranker.model.cases import SHAPE, SMALL, random_requests, random_weights, replaced

FORMULAS = Objective(utilities=default_utilities().only(["diversity", "cold_start", "group_order"]))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_drawn_weights_lie_on_the_simplex_and_visit_its_corners() -> None:
    weights_BK = draw_weights(WeightRanges(corner_share=0.3), 2_000, 7, generator())
    torch.testing.assert_close(weights_BK.sum(-1), torch.ones(2_000))
    assert (weights_BK >= 0).all()
    assert (weights_BK.amax(-1) == 1).float().mean().item() == pytest.approx(0.3, abs=0.05)
    torch.testing.assert_close(weights_BK.mean(0), torch.full((7,), 1 / 7), atol=0.03, rtol=0)


def test_weights_keep_to_ranges_of_ones_own() -> None:
    ranges = WeightRanges(corner_share=0, range_share=1, ranges=((0.2, 0.4), (0, 0), (0.6, 0.8)))
    weights_BK = draw_weights(ranges, 500, 3, generator())
    assert not weights_BK[:, 1].any()
    ratio_B = weights_BK[:, 2] / weights_BK[:, 0]
    assert 1.4 < ratio_B.min() < ratio_B.max() < 4.1


def test_a_small_concentration_still_gives_weights() -> None:
    assert draw_weights(WeightRanges(concentration=0.01), 500, 7, generator()).isfinite().all()


@pytest.mark.parametrize("ranges", [((0, 1),), ((0.5, 0.2), (0, 1)), ((0, 0), (0, 0))])
def test_ranges_without_weights_are_refused(ranges: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(WeightsInvalid):
        draw_weights(WeightRanges(ranges=ranges, range_share=1), 4, 2, generator())


def exact_gradient(actor: Actor, all_SN: Tensor, reward_S: Tensor) -> Tensor:
    log_prob_S = actor.log_prob(random_requests(1, 3), random_weights(1), all_SN[None]).log_prob_BSN[0].sum(-1)
    return torch.autograd.grad((log_prob_S.exp() * reward_S).sum(), actor.hypernet.base_P)[0]


@pytest.mark.parametrize("to_go", [False, True])
def test_reinforce_follows_the_gradient_of_the_expected_reward(to_go: bool) -> None:
    torch.manual_seed(0)
    actor, requests, weights_BK = Actor(SHAPE, SMALL), random_requests(1, 3), random_weights(1)
    all_SN = torch.tensor(list(itertools.permutations(range(3), 2)))
    gain_MN = torch.rand(3, 2, generator=generator(1))
    slots_N = torch.arange(2)
    exact_P = exact_gradient(actor, all_SN, gain_MN[all_SN, slots_N].sum(-1))
    drawn = actor.sample(requests, weights_BK, 2, generator=generator(2), samples=60_000)
    prefix_BSN = gain_MN[drawn.slate_BSN, slots_N].cumsum(-1)
    return_BSN = returns_to_go(prefix_BSN) if to_go else prefix_BSN[..., -1:].expand_as(prefix_BSN)
    loss = policy_loss(drawn.log_prob_BSN, leave_one_out(return_BSN))
    estimate_P = -torch.autograd.grad(loss, actor.hypernet.base_P)[0]
    assert torch.cosine_similarity(estimate_P, exact_P, dim=0) > 0.99
    assert (estimate_P.norm() / exact_P.norm()).item() == pytest.approx(1, abs=0.05)


def test_advantages_of_a_request_sum_to_zero_and_scale_to_one() -> None:
    return_BSN = torch.rand(3, 4, 2, generator=generator())
    advantage_BSN = leave_one_out(return_BSN)
    torch.testing.assert_close(advantage_BSN.sum(1), torch.zeros(3, 2), atol=1e-6, rtol=0)
    assert scaled(advantage_BSN, "batch").square().mean().item() == pytest.approx(1, abs=1e-5)
    assert not scaled(torch.zeros(2, 2, 2), "batch").any()


def signs(share: float = 0.2, entropy: float = 0.5, distinct: float = 0.8, reward: float = 0.6) -> Signs:
    return Signs(share=share, entropy=entropy, distinct=distinct, reward=reward)


@pytest.mark.parametrize(
    ("bad", "said"),
    [(signs(entropy=0.0), "entropy"), (signs(distinct=0.125), "distinct"), (signs(reward=0.3), "reward")],
)
def test_a_sign_that_stays_bad_is_a_collapse_and_says_which(bad: Signs, said: str) -> None:
    health = Health(limits=HealthLimits(patience=2))
    assert health.look(signs()) is None
    assert health.look(bad) is None
    assert health.look(signs()) is None
    assert health.look(bad) is None
    verdict = health.look(bad)
    assert verdict is not None
    assert said in verdict


def test_a_sure_actor_late_in_the_run_is_well() -> None:
    health = Health(limits=HealthLimits(patience=1))
    assert health.look(signs(share=0.9, entropy=0.0)) is None


def test_one_slate_for_all_weights_has_the_least_distinct_share() -> None:
    same_BVN = torch.tensor([[[0, 1], [0, 1], [0, 1], [0, 1]]])
    assert distinct_share(same_BVN) == 0.25
    assert distinct_share(torch.arange(8).view(1, 4, 2)) == 1


def test_a_run_goes_on_from_its_state_and_refuses_that_of_another_config(tmp_path: Path) -> None:
    layer, chance = torch.nn.Linear(2, 2), generator(5)
    run = Run(folder=tmp_path, config="a")
    assert run.load({"layer": layer}, chance) == {}
    run.save({"layer": layer}, chance, {"step": 3})
    expected, kept = torch.rand(2, generator=chance), layer.weight.detach().clone()
    other = torch.nn.Linear(2, 2)
    assert run.load({"layer": other}, chance) == {"step": 3}
    assert torch.equal(torch.rand(2, generator=chance), expected)
    assert torch.equal(other.weight, kept)
    with pytest.raises(ModelInvalid):
        Run(folder=tmp_path, config="b").load({"layer": layer}, chance)


def test_a_journal_drops_the_lines_that_will_be_written_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log.csv", after_step=0)
    for step in (10, 20, 30):
        journal.write(step, {"loss": step / 7})
    Journal(tmp_path / "log.csv", after_step=20).write(30, {"loss": 0.5})
    lines = read_journal(tmp_path / "log.csv")
    assert [line["step"] for line in lines] == ["10", "20", "30"]
    assert float(lines[2]["loss"]) == 0.5


def test_the_bar_shows_the_last_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as show:
        show(TrainingProgress(name="actor", step=1, steps=2, figures={"reward": 0.625}))
        show(TrainingProgress(name="actor", step=2, steps=2, figures={}))
    shown = capsys.readouterr().err
    assert "actor" in shown
    assert "0.625" in shown


def test_calibration_undoes_a_scale_and_a_shift_under_examination() -> None:
    evaluator = Evaluator(SHAPE, EvaluatorConfig(input=InputConfig(hidden=8), channel=8, slate=6)).frozen()
    true, log_examined = torch.randn(20_000, generator=generator()), torch.rand(20_000, generator=generator(1)).log()
    outcome = (torch.rand(20_000, generator=generator(2)) < log_examined.exp() * true.sigmoid()).float()
    wrong = 3 * true - 2
    calibrate(evaluator, Head.ATTRACTION, wrong, log_examined, outcome)
    torch.testing.assert_close(evaluator.calibrated(wrong, Head.ATTRACTION), true, atol=0.35, rtol=0)
    fitted = log_examined.exp() * evaluator.calibrated(wrong, Head.ATTRACTION).sigmoid()
    assert calibration_error(fitted, outcome, 10) < 0.01 < calibration_error(wrong.sigmoid(), outcome, 10)


def test_outcomes_that_are_all_alike_calibrate_nothing() -> None:
    evaluator = Evaluator(SHAPE, EvaluatorConfig(input=InputConfig(hidden=8), channel=8, slate=6)).frozen()
    calibrate(evaluator, Head.RETENTION, torch.randn(5), torch.zeros(5), torch.zeros(5))
    assert evaluator.scale_H[Head.RETENTION] == 1


def test_the_area_under_the_curve_is_that_of_all_pairs() -> None:
    probability = torch.randint(6, (60,), generator=generator()) / 6
    outcome = torch.randint(2, (60,), generator=generator(1)).float()
    pairs = [
        (p > n) + 0.5 * (p == n)
        for p in probability[outcome == 1].tolist()
        for n in probability[outcome == 0].tolist()
    ]
    assert area_under_curve(probability, outcome) == pytest.approx(sum(pairs) / len(pairs), abs=1e-9)


def best_first(objective: Objective, seed: int, size: int) -> list[int]:
    """Marginal-gain greedy in plain loops."""
    requests, weights_BK = random_requests(1, 7, seed), random_weights(1, seed)[:, :3]
    slate: list[int] = []
    while len(slate) < size:
        left = [item for item in range(7) if item not in slate]
        worth = [objective.reward(requests, weights_BK, torch.tensor([[[*slate, item]]])).item() for item in left]
        slate.append(left[worth.index(max(worth))])
    return slate


@pytest.mark.parametrize("seed", range(4))
def test_the_teacher_takes_the_largest_gain_slot_by_slot(seed: int) -> None:
    requests, weights_BK = random_requests(1, 7, seed), random_weights(1, seed)[:, :3]
    assert marginal_greedy(FORMULAS, requests, weights_BK, 4)[0].tolist() == best_first(FORMULAS, seed, 4)


def test_improved_slates_are_worth_more_and_keep_the_rules() -> None:
    pinned_BM = torch.full((6, 9), -1)
    pinned_BM[:, 4] = 2
    requests, weights_BK = replaced(random_requests(6, 9), pinned_BM=pinned_BM), random_weights(6)[:, :3]
    greedy_BN = marginal_greedy(FORMULAS, requests, weights_BK, 4)
    better_BN = improved(FORMULAS, requests, weights_BK, greedy_BN, rounds=4)
    check_slates(better_BN[:, None], requests)
    assert (better_BN[:, 2] == 4).all()
    assert not (better_BN == EMPTY).any()
    reward_B2 = FORMULAS.reward(requests, weights_BK, torch.stack([greedy_BN, better_BN], dim=1))
    assert (reward_B2[:, 1] >= reward_B2[:, 0]).all()
    assert reward_B2[:, 1].sum() > reward_B2[:, 0].sum()


def test_corners_are_all_the_weight_on_one_utility_and_the_middle() -> None:
    assert corners(2).tolist() == [[1, 0], [0, 1], [0.5, 0.5]]


def test_what_is_refused_has_no_probability() -> None:
    assert torch.tensor([0.0, REFUSED]).softmax(-1).tolist() == [1, 0]
