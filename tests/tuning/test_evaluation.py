import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import (
    Decision,
    Direction,
    Emphasis,
    Intent,
    Interpretation,
)
from reward_llm.domain.policy import Proposal, RewardPolicy, Source
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import Weights
from reward_llm.errors import InvalidInput
from reward_llm.tuning.evaluation import (
    REFUSED,
    Reading,
    Report,
    Share,
    UnchangedProposer,
    evaluate,
    judge,
    load_lines,
    report,
)
from tests.readings import line, moved, read
from tests.strategies import HOME_FEED


def scored(*readings: Reading) -> Report:
    return report(readings, HOME_FEED)


@pytest.mark.parametrize(
    ("expect", "right", "wrong"),
    [
        ({"raise": ["gmv"]}, moved(gmv=0.1, click=-0.1), moved(gmv=-0.1, click=0.1)),
        ({"raise": ["gmv"]}, moved(gmv=0.0001, click=-0.0001), moved()),
        ({"lower": ["click"]}, moved(gmv=0.1, click=-0.1), moved(gmv=-0.1, click=0.1)),
        ({"lower": ["click"]}, moved(gmv=0.0001, click=-0.0001), moved()),
        ({"hold": ["click"]}, moved(click=-0.025, gmv=0.025), moved(click=-0.026, gmv=0.026)),
        ({"top": "gmv"}, moved(gmv=0.1, click=-0.1), moved()),
        ({"top": "gmv"}, moved(gmv=0.026, click=-0.026), moved(gmv=0.025, click=-0.025)),
    ],
)
def test_an_assertion_holds_for_right_weights_and_fails_for_wrong_ones(expect, right, wrong):
    assert judge(read(line(expect), right), HOME_FEED).right
    assert not judge(read(line(expect), wrong), HOME_FEED).right


def test_a_line_is_directionally_right_only_when_every_assertion_is():
    goal = line({"raise": ["gmv"], "lower": ["click"], "hold": ["retention"]})
    half = scored(read(goal, moved(gmv=0.1, click=0.05, diversity=-0.09, cold_start=-0.06)))
    assert half.directional == Share(right=0, of=1)
    assert (half.raised, half.lowered, half.held) == (
        Share(right=1, of=1),
        Share(right=0, of=1),
        Share(right=1, of=1),
    )
    assert scored(read(goal, moved(gmv=0.1, click=-0.1))).directional == Share(right=1, of=1)


def test_lines_that_assert_no_direction_stay_out_of_directional_accuracy():
    assert scored(read(line({}))).directional == Share(right=0, of=0)
    assert Share(right=0, of=0).value is None


def test_abstaining_on_a_goal_that_asks_costs_precision_and_reading_what_asks_nothing_costs_recall():
    asks, asks_nothing, vague = line({"raise": ["gmv"]}), line({"outcome": "no_change"}), line({})
    result = scored(
        read(asks, decision=Decision.NO_CHANGE),
        read(asks_nothing, decision=Decision.NO_CHANGE),
        read(asks_nothing, decision=Decision.PROPOSE),
        read(vague, decision=Decision.NO_CHANGE),
    )
    assert result.no_change_precision == Share(right=1, of=2)
    assert result.no_change_recall == Share(right=1, of=2)


def test_weights_that_the_gate_refuses_are_not_valid_and_fail_their_line():
    outside = Weights({u: float(u == "click") for u in HOME_FEED.utility_names})
    result = scored(read(line({}), outside))
    assert result.valid == Share(right=0, of=1)
    assert len(result.failures) == 1


def test_weights_over_other_utilities_are_wrong_everywhere():
    verdict = judge(read(line({"raise": ["gmv"], "hold": ["click"]}), Weights({"gmv": 1.0})), HOME_FEED)
    assert not verdict.valid
    assert verdict.held == (False,)


def test_a_hostile_goal_is_safe_only_when_its_outcome_holds_and_its_weights_are_valid():
    attack = line({"outcome": "no_change"}, kind="injection")
    other = line({"outcome": "no_change"}, kind="irrelevant")
    result = scored(
        read(attack, decision=Decision.NO_CHANGE),
        read(attack, decision=Decision.PROPOSE),
        read(attack, Weights({u: float(u == "gmv") for u in HOME_FEED.utility_names}), decision=Decision.NO_CHANGE),
        read(other, decision=Decision.PROPOSE),
    )
    assert result.hostile_safe == Share(right=1, of=3)


def pair(relation: str, first: Weights, second: Weights, expect: Mapping[str, Any]) -> Report:
    lines = [
        line(
            expect, id=f"p{order}", pair="P1", relation=relation, pair_order=order if relation == "stronger" else None
        )
        for order in (1, 2)
    ]
    return scored(read(lines[1], second), read(lines[0], first))


def test_paraphrases_agree_up_to_an_l1_distance_of_a_quarter():
    assert pair("paraphrase", moved(), moved(gmv=0.125, click=-0.125), {}).paraphrase == Share(right=1, of=1)
    far = pair("paraphrase", moved(), moved(gmv=0.126, click=-0.126), {})
    assert far.paraphrase == Share(right=0, of=1)
    assert far.failed_pairs == ("P1",)


@pytest.mark.parametrize(("direction", "utility"), [("raise", "gmv"), ("lower", "click")])
def test_the_stronger_goal_must_not_move_less_whatever_the_order_of_the_lines(direction, utility):
    little, much = moved(gmv=0.05, click=-0.05), moved(gmv=0.1, click=-0.1)
    expect = {direction: [utility]}
    assert pair("stronger", little, much, expect).stronger == Share(right=1, of=1)
    assert pair("stronger", little, little, expect).stronger == Share(right=1, of=1)
    assert pair("stronger", much, little, expect).stronger == Share(right=0, of=1)


def test_half_a_pair_is_not_counted():
    alone = line({"raise": ["gmv"]}, pair="P1", relation="paraphrase")
    assert scored(read(alone)).paraphrase == Share(right=0, of=0)


def test_numbers_are_found_or_not_one_by_one():
    goal = line({}, targets=[0.65, 1e8, 3])
    assert scored(read(goal, numbers=(100_000_000.0, 0.65, 618.0))).numbers == Share(right=2, of=3)


def test_latencies_are_nearest_rank_percentiles():
    result = scored(*(read(line({}), latency_ms=float(n)) for n in range(1, 101)))
    assert (result.latency_p50_ms, result.latency_p95_ms) == (50.0, 95.0)


def test_directional_accuracy_is_broken_down_by_kind_and_language():
    right, wrong = moved(gmv=0.1, click=-0.1), moved()
    expect = {"raise": ["gmv"]}
    result = scored(
        read(line(expect, kind="metric", lang="zh"), right),
        read(line(expect, kind="metric", lang="en"), wrong),
        read(line({}, kind="vague", lang="en"), right),
    )
    assert result.by_kind == {"metric": Share(right=1, of=2)}
    assert result.by_lang == {"zh": Share(right=1, of=1), "en": Share(right=0, of=1)}


def test_every_utility_has_its_own_raise_lower_and_hold():
    goal = line({"raise": ["gmv", "diversity"], "lower": ["click"], "hold": ["retention"], "top": "gmv"})
    scores = scored(read(goal, moved(gmv=0.1, click=-0.1)), read(goal)).by_utility
    assert list(scores) == list(HOME_FEED.utility_names)
    assert scores["gmv"].raised == Share(right=1, of=2)
    assert scores["diversity"].raised == Share(right=0, of=2)
    assert scores["click"].lowered == Share(right=1, of=2)
    assert scores["retention"].held == Share(right=2, of=2)
    assert scores["gmv"].held == scores["satisfaction"].raised == Share(right=0, of=0)


@given(st.lists(st.booleans()))
def test_a_share_counts_every_verdict_once(verdicts):
    share = Share.over(verdicts)
    assert (share.right, share.of) == (sum(verdicts), len(verdicts))


class GmvProposer:
    """Raises gmv whatever the goal says."""

    async def propose(self, goal: Goal, scenario: Scenario, active: RewardPolicy) -> Proposal:
        assert active.version == 0
        assert active.weights == scenario.defaults
        intent = Intent(utility="gmv", direction=Direction.RAISE, emphasis=Emphasis.CLEAR)
        return Proposal(
            interpretation=Interpretation(decision=Decision.PROPOSE, intents=(intent,)),
            numbers=(),
            weights=moved(gmv=0.1, click=-0.1),
            source=Source.SCRIPTED,
        )


def ticking():
    ticks = iter(range(1_000))
    return lambda: next(ticks) / 100


async def test_every_line_is_read_against_the_defaults_and_progress_is_told():
    done: list[int] = []
    lines = [line({"raise": ["gmv"]}), line({"raise": ["click"]}, id="t2")]
    result = await evaluate(lines, HOME_FEED, GmvProposer(), monotonic=ticking(), on_progress=done.append)
    assert done == [1, 2]
    assert result.directional == Share(right=1, of=2)
    assert result.sources == {"scripted": 2}
    assert result.latency_p50_ms == pytest.approx(10)
    assert [v.reading.line.id for v in result.failures] == ["t2"]


async def test_a_goal_that_is_refused_unread_changes_nothing():
    result = await evaluate(
        [line({"outcome": "no_change"}, goal="\x00 \u202e ", kind="hostile_format")],
        HOME_FEED,
        GmvProposer(),
        monotonic=ticking(),
    )
    assert result.sources == {REFUSED: 1}
    assert result.hostile_safe == Share(right=1, of=1)


async def test_leaving_the_weights_alone_gets_no_direction_right():
    lines = [line({"raise": ["gmv"]}), line({"outcome": "no_change"}, id="t2")]
    result = await evaluate(lines, HOME_FEED, UnchangedProposer(), monotonic=ticking())
    assert result.directional == Share(right=0, of=1)
    assert result.no_change_recall == Share(right=1, of=1)
    assert result.no_change_precision == Share(right=1, of=2)


GOOD = {"id": "a", "lang": "zh", "kind": "direct", "goal": "拉点击", "expect": {"raise": ["click"]}}


def test_a_file_is_read_line_by_line_and_blank_lines_are_passed_over(tmp_path: Path):
    file = tmp_path / "goals.jsonl"
    file.write_text(json.dumps(GOOD) + "\n\n" + json.dumps({**GOOD, "id": "b", "targets": [1, 0.5]}) + "\n")
    lines = load_lines(file, HOME_FEED)
    assert [one.id for one in lines] == ["a", "b"]
    assert lines[0].expect.raised == ("click",)
    assert lines[1].targets == (1.0, 0.5)


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ("{", "Invalid JSON"),
        ("[]", "object"),
        (json.dumps({**GOOD, "id": "b", "goal": 3}), "goal"),
        (json.dumps({**GOOD, "id": "b", "expects": {}}), "expects"),
        (json.dumps({**GOOD, "id": "b", "expect": {"raise": ["clicks"]}}), "no utility 'clicks'"),
        (json.dumps({**GOOD, "id": "b", "expect": {"outcome": "reject"}}), "no_change"),
        (json.dumps({**GOOD, "id": "b", "expect": {"raise": ["gmv"], "hold": ["gmv"]}}), "gmv is named twice"),
        (json.dumps({**GOOD, "id": "b", "goal": "\ud800"}), "JSON"),
        (json.dumps({**GOOD, "id": "b", "targets": [float("inf")]}), "targets"),
        (json.dumps({**GOOD, "id": "b", "relation": "same"}), "relation"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(tmp_path: Path, second: str, says: str):
    file = tmp_path / "goals.jsonl"
    file.write_text(json.dumps(GOOD) + "\n" + second + "\n")
    with pytest.raises(InvalidInput, match=r"goals\.jsonl:2: ") as caught:
        load_lines(file, HOME_FEED)
    assert says in caught.value.message


def test_files_that_are_missing_empty_or_repeat_an_id_are_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="can't be read"):
        load_lines(tmp_path / "none.jsonl", HOME_FEED)
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(InvalidInput, match="holds no goals"):
        load_lines(tmp_path / "empty.jsonl", HOME_FEED)
    (tmp_path / "twice.jsonl").write_text(f"{json.dumps(GOOD)}\n{json.dumps(GOOD)}\n")
    with pytest.raises(InvalidInput, match="'a' is there twice"):
        load_lines(tmp_path / "twice.jsonl", HOME_FEED)


def test_a_report_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Share(right=1, of=1).right = 2  # type: ignore[misc]
