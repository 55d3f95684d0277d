from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Direction
from reward_llm.domain.scenario import Scope
from reward_llm.domain.solving import Basis, Demand, Demands
from reward_llm.loop.solving.demands import demands_of
from reward_llm.loop.solving.phrases import Meaning, meaning_of
from reward_llm.reading.numbers import find_quantities
from reward_llm.reading.rules import RuleReader
from tests.strategies import HOME_FEED

METRICS = ("ctr", "gmv", "next_day_retention", "interest_diversity", "cold_start_success")
READER = RuleReader(HOME_FEED)


def goal(text: str, **targets: float) -> Goal:
    at = datetime(2026, 6, 18, tzinfo=UTC)
    return Goal(id="goal_x", scope=Scope("home_feed"), text=text, submitted_at=at, targets=targets)


def demanded(text: str, **targets: float) -> Demands:
    return demands_of(goal(text, **targets), READER.read(text), HOME_FEED, METRICS)


def shown(demand: Demand) -> tuple[str, str, float, str]:
    return demand.metric, demand.basis.value, demand.value, demand.origin


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("留存不低于65%", Meaning.LEVEL),
        ("留存提升到65%", Meaning.LEVEL),
        ("次日留存做到59%以上", Meaning.LEVEL),
        ("点击率提升至少5%", Meaning.CHANGE),
        ("GMV提高了10%", Meaning.CHANGE),
        ("GMV涨幅要到5%以上", Meaning.CHANGE),
        ("GMV跌幅不超过5%", Meaning.FALL),
        ("GMV降幅控制在5%以内", Meaning.FALL),
        ("raise GMV by at least 10%", Meaning.CHANGE),
        ("raise CTR to 8%", Meaning.LEVEL),
        ("keep retention above 60%", Meaning.LEVEL),
        ("retention at 60% or more", Meaning.LEVEL),
        ("CTR up 3%", Meaning.CHANGE),
        ("CTR +3%", Meaning.CHANGE),
        ("GMV may drop by no more than 10%", Meaning.FALL),
        ("GMV must not fall by more than 5%", Meaning.FALL),
    ],
)
def test_words_say_how_a_share_is_meant(text: str, meaning: Meaning) -> None:
    (quantity,) = find_quantities(text)
    assert {meaning_of(quantity, d, text) for d in (Direction.RAISE, Direction.HOLD)} == {meaning}


def test_without_words_what_is_held_is_a_level_and_what_moves_a_change() -> None:
    text = "留存 65%"
    (quantity,) = find_quantities(text)
    assert meaning_of(quantity, Direction.HOLD, text) is Meaning.LEVEL
    assert meaning_of(quantity, Direction.RAISE, text) is Meaning.CHANGE


def test_words_belong_to_the_number_behind_them() -> None:
    found = demanded("将冷启动成功率从40%提高到55%，多样性提升12%")
    assert [shown(d) for d in found.demands] == [
        ("cold_start_success", "absolute", 0.55, "text"),
        ("interest_diversity", "relative", 1.12, "text"),
    ]


def test_a_goal_demands_what_its_text_says() -> None:
    found = demanded("GMV提升10%，次日留存不低于65%，点击率不能掉")
    assert {shown(d) for d in found.demands} == {
        ("gmv", "relative", 1.1, "text"),
        ("next_day_retention", "absolute", 0.65, "text"),
        ("ctr", "relative", 0.98, "guardrail"),
    }
    assert found.objectives == {"gmv": 0.6}


def test_points_and_multiples_are_changes() -> None:
    assert shown(demanded("留存提升2个百分点").demands[0]) == ("next_day_retention", "difference", 0.02, "text")
    assert shown(demanded("GMV翻倍").demands[0])[:3] == ("gmv", "relative", 2.0)


def test_money_of_the_platform_cant_be_compared() -> None:
    found = demanded("618大促，GMV目标1亿，次日留存不低于65%")
    assert [(i.utility, i.code) for i in found.incomparable] == [("gmv", "unit")]
    assert [d.metric for d in found.demands] == ["next_day_retention"]
    assert found.objectives == {"gmv": 0.6}


def test_a_target_beside_the_text_has_precedence_over_its_number() -> None:
    found = demanded("次日留存不低于65%", retention=0.7, satisfaction=0.5, click=3.0)
    assert [shown(d) for d in found.demands] == [("next_day_retention", "absolute", 0.7, "targets")]
    assert {(i.utility, i.code) for i in found.incomparable} == {
        ("satisfaction", "not_measured"),
        ("click", "range"),
    }


def test_a_fall_that_is_put_up_with_isnt_asked_for() -> None:
    found = demanded("成交额降幅控制在5%以内，多样性提升10%")
    assert {shown(d) for d in found.demands} == {
        ("gmv", "relative", 0.95, "text"),
        ("interest_diversity", "relative", 1.1, "text"),
    }
    assert found.objectives == {"interest_diversity": 0.6}


def test_what_is_to_fall_may_be_at_most_so_much() -> None:
    (demand,) = demanded("Lower cold start success by 10%").demands
    assert (demand.at_most, demand.basis, demand.value) == (True, Basis.RELATIVE, 0.9)


def test_a_surface_of_utilities_is_asked_by_their_names() -> None:
    text = "GMV提升10%，点击率不低于8%"
    found = demands_of(goal(text), READER.read(text), HOME_FEED, ("gmv", "click"))
    assert [(d.metric, d.basis.value) for d in found.demands] == [("gmv", "relative")]
    assert [(i.utility, i.code) for i in found.incomparable] == [("click", "unit")]
