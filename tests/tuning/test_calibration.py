from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent, Interpretation
from reward_llm.tuning.calibration import (
    JudgedGoal,
    Part,
    Point,
    calibrate,
    find_threshold,
    fit_scaling,
    judge,
    load_judged_goals,
    quality,
    read_goals,
    reliability,
)
from reward_llm.tuning.corpus import CorpusInvalid
from tests.strategies import HOME_FEED

POINTS = st.lists(st.builds(Point, st.floats(0, 1), st.booleans()), min_size=1, max_size=60)
GMV, CLICK, HELD = "gmv", "click", "retention"


def mapped(points: list[Point]) -> list[Point]:
    scaling = fit_scaling(points)
    return [Point(scaling(p.probability), p.right) for p in points]


def reading(*intents: tuple[str, str], confidence: float = 0.9, completeness: float | None = 0.8) -> Interpretation:
    return Interpretation(
        decision=Decision.PROPOSE if intents else Decision.NO_CHANGE,
        intents=tuple(
            Intent(utility=u, direction=Direction(d), emphasis=Emphasis.CLEAR, confidence=confidence)
            for u, d in intents
        ),
        completeness=completeness,
    )


def asking(exhaustive: bool = True, **asked: str) -> JudgedGoal:
    return JudgedGoal(text="a goal", asked={u: Direction(d) for u, d in asked.items()}, exhaustive=exhaustive)


@given(POINTS)
def test_a_fitted_map_is_monotone_and_never_certain(points):
    scaling = fit_scaling(points)
    steps = [scaling(n / 20) for n in range(21)]
    assert steps == sorted(steps)
    assert 0 <= steps[0] <= steps[-1] <= 1
    assert all(0 < p.probability < 1 for p in mapped(points))


@given(POINTS)
def test_calibrating_what_is_calibrated_changes_nothing(points):
    once = mapped(points)
    twice = mapped(once)
    assert [p.probability for p in twice] == pytest.approx([p.probability for p in once], abs=1e-6)
    assert quality(twice).ece == pytest.approx(quality(once).ece, abs=1e-6)


@given(POINTS)
def test_a_fitted_map_gives_the_share_that_came_true_on_the_whole(points):
    wins, losses = sum(p.right for p in points), sum(not p.right for p in points)
    smoothed = wins * (wins + 1) / (wins + 2) + losses / (losses + 2)
    assert sum(p.probability for p in mapped(points)) == pytest.approx(smoothed, abs=1e-4)


def test_a_model_that_is_too_sure_is_taken_down():
    generator = random.Random(0)
    sure = [generator.uniform(0.9, 0.999) for _ in range(600)]
    points = [Point(p, generator.random() < 0.5 + 4 * (p - 0.9)) for p in sure]
    before, after = quality(points), quality(mapped(points))
    assert before.ece > 0.2
    assert after.ece < 0.05
    assert after.brier < before.brier


def test_bins_say_how_many_how_sure_and_how_often_right():
    points = [Point(0.62, True), Point(0.68, False), Point(1.0, True)]
    first, last = reliability(points)
    assert (first.low, first.high, first.count, first.right) == (0.6, 0.7, 2, 0.5)
    assert first.confidence == pytest.approx(0.65)
    assert (last.count, last.right) == (1, 1.0)
    assert quality(points).ece == pytest.approx(2 / 3 * 0.15)


@given(POINTS, st.floats(0.5, 1))
def test_above_the_threshold_enough_is_right_and_below_no_other_would_do(points, target):
    threshold = find_threshold(points, target)
    above = [p.right for p in points if p.probability >= threshold]
    assert sum(above) >= target * len(above) or threshold == 1.0
    for lower in {p.probability for p in points if p.probability < threshold}:
        wider = [p.right for p in points if p.probability >= lower]
        assert sum(wider) < target * len(wider)


@pytest.mark.parametrize(
    ("goal", "read", "intents", "complete"),
    [
        (asking(gmv="raise", retention="hold"), reading((GMV, "raise"), (HELD, "hold")), (True, True), True),
        (asking(gmv="raise", retention="hold"), reading((GMV, "raise")), (True,), False),
        (asking(gmv="raise"), reading((GMV, "lower")), (False,), True),
        (asking(gmv="raise"), reading((GMV, "raise"), (CLICK, "raise")), (True, False), True),
        (asking(exhaustive=False, gmv="raise"), reading((GMV, "raise"), (CLICK, "raise")), (True, None), True),
        (asking(exhaustive=False), reading((CLICK, "raise")), (None,), None),
        (asking(), reading(), (), True),
        (asking(gmv="raise"), reading(), (), False),
        (asking(), reading((GMV, "raise")), (False,), True),
    ],
)
def test_a_reading_is_judged_by_what_its_goal_says(goal, read, intents, complete):
    judged = judge(goal, read)
    assert (judged.intents, judged.complete) == (intents, complete)
    known = [v for v in (*intents, complete) if v is not None]
    assert judged.right is (all(known) if known else None)


def test_parts_without_a_probability_or_a_verdict_are_no_points():
    judged = judge(asking(gmv="raise"), reading((GMV, "raise"), completeness=None))
    assert list(judged.points()) == [(Part.INTENT, Point(0.9, True))]
    assert [part for part, _ in judge(asking(), reading()).points()] == [Part.NO_CHANGE]
    assert list(judge(asking(exhaustive=False), reading((GMV, "raise"))).points()) == []


def test_both_formats_are_read_and_evaluation_lines_assert_only_what_they_say(tmp_path):
    file = tmp_path / "goals.jsonl"
    intent = {"utility": "gmv", "direction": "raise", "emphasis": "clear"}
    lines = [
        {"goal": "More sales", "lang": "en", "trade": "t", "decision": "propose", "intents": [intent]},
        {"id": "1", "lang": "en", "kind": "k", "goal": "x", "expect": {"top": "gmv", "hold": ["retention"]}},
        {"id": "2", "lang": "en", "kind": "k", "goal": "y", "expect": {"outcome": "no_change"}},
    ]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    assert load_judged_goals(file, HOME_FEED) == (
        JudgedGoal(text="More sales", asked={GMV: Direction.RAISE}, exhaustive=True),
        JudgedGoal(text="x", asked={GMV: Direction.RAISE, HELD: Direction.HOLD}, exhaustive=False),
        JudgedGoal(text="y", asked={}, exhaustive=True),
    )


@pytest.mark.parametrize(
    "line",
    [
        "", "[1]", "{", '{"goal": "x"}',
        '{"id": "1", "lang": "en", "kind": "k", "goal": "x", "expect": {"raise": ["speed"]}}',
    ],
)  # fmt: skip
def test_a_file_of_anything_else_is_refused(tmp_path, line):
    file = tmp_path / "goals.jsonl"
    file.write_text(line, "utf-8")
    with pytest.raises(CorpusInvalid, match=r"goals\.jsonl"):
        load_judged_goals(file, HOME_FEED)


def test_goals_that_the_model_did_not_read_are_left_out():
    answers = {"a": reading((GMV, "raise")), "b": None}
    goals = [JudgedGoal(text=t, asked={GMV: Direction.RAISE}, exhaustive=True) for t in "ab" * 20]
    done: list[int] = []
    judged = read_goals(goals, lambda texts: [answers[t] for t in texts], done.append)
    assert len(judged) == 20
    assert done[-1] == 40


def test_the_threshold_is_found_on_the_second_set_by_the_maps_of_the_first():
    def readings(generator: random.Random, number: int) -> list:
        made = []
        for _ in range(number):
            sure = generator.uniform(0.5, 1)
            direction = "raise" if generator.random() < sure else "lower"
            made.append(judge(asking(gmv="raise"), reading((GMV, direction), confidence=sure**0.2, completeness=1.0)))
        return made

    generator = random.Random(1)
    calibration, report = calibrate(readings(generator, 400), readings(generator, 300), 0.9)
    assert (report.fitted_on, report.measured_on) == (400, 300)
    assert report.threshold == calibration.threshold
    assert report.right_above >= 0.9 > report.right
    assert 0 < report.coverage < 1
    assert report.after["reading"].ece < report.before["reading"].ece
    assert report.before["no_change"].ece is None
    assert sum(b.count for b in report.bins) == 300
