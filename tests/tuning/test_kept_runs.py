import dataclasses
import json

import pytest

from reward_llm.domain.weights import Weights
from reward_llm.errors import InvalidInput
from reward_llm.tuning.evaluation import check_comparable, compare, compare_runs, dump_run, parse_run
from tests.readings import intent, line, moved, read, refused, run_of
from tests.strategies import HOME_FEED

MORE_GMV = moved(gmv=0.1, click=-0.1)
ONE = line({"raise": ["gmv"], "top": "gmv"}, id="one", goal="多卖货", lang="zh", targets=[3])
TWO = line({"hold": ["click"]}, id="two")
LUNCH = line({"outcome": "no_change"}, id="lunch", kind="hostile_format")
RUN = run_of(
    read(
        ONE,
        MORE_GMV,
        intents=(intent("raise", "gmv", (1, 3), confidence=0.75),),
        numbers=(3.0,),
        latency_ms=2.5,
        reason="the model was silent",
    ),
    read(TWO, MORE_GMV),
    refused(LUNCH),
)


def document():
    return json.loads(dump_run(RUN))


def test_a_kept_run_comes_back_as_it_was():
    assert parse_run(dump_run(RUN), "run.json") == RUN


def test_verdicts_are_those_of_then():
    kept = document()
    kept["backends"]["rules"][0]["raised"] = [False]
    report = parse_run(json.dumps(kept), "run.json").reports["rules"]
    assert [v.reading.line.id for v in report.failures] == ["one", "two"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(kind="evaluation_run/9"), "kind"),
        (lambda d: d.pop("lines"), "lines"),
        (lambda d: d["backends"]["rules"].pop(), "rules must have each of its lines once: lunch"),
        (lambda d: d["lines"].pop(), "rules must have each of its lines once: lunch"),
        (lambda d: d["backends"]["rules"].append(d["backends"]["rules"][0]), "one is repeated"),
        (lambda d: d["backends"]["rules"][0].update(raised=[]), "rules doesn't judge what one asserts"),
        (lambda d: d["backends"]["rules"][0]["weights"].update(gmv=5), "add up"),
        (lambda d: d["backends"]["rules"][0]["weights"].pop("gmv"), "add up"),
        (lambda d: d["defaults"].update(gmv=-1), "gmv"),
    ],
)
def test_a_file_that_is_no_whole_run_is_refused_with_what_is_wrong(change, says):
    kept = document()
    change(kept)
    with pytest.raises(InvalidInput, match=r"^run\.json isn't a kept run") as caught:
        parse_run(json.dumps(kept), "run.json")
    assert says in caught.value.message
    assert "--save" in caught.value.hint


def test_lines_that_were_fixed_and_lines_that_broke_are_told_apart():
    wrong, right = HOME_FEED.defaults, MORE_GMV
    lines = [line({"raise": ["gmv"]}, id=i) for i in ("fixed", "broken", "still wrong", "still right")]
    then = run_of(*(read(one, w) for one, w in zip(lines, (wrong, right, wrong, right), strict=True)))
    now = run_of(*(read(one, w) for one, w in zip(lines[::-1], (right, wrong, wrong, right), strict=True)))
    found = compare(then.reports["rules"], now.reports["rules"])
    assert [c.current.reading.line.id for c in found.fixed] == ["fixed"]
    assert [c.current.reading.line.id for c in found.broken] == ["broken"]
    assert found.current.directional.change_from(found.baseline.directional) == 0


def test_only_backends_that_both_runs_have_are_compared():
    more = dataclasses.replace(RUN, reports={**RUN.reports, "defaults": RUN.reports["rules"]})
    assert list(compare_runs(RUN, more)) == list(compare_runs(more, RUN)) == ["rules"]


def check(*, lines=(ONE, TWO, LUNCH), scenario=HOME_FEED, backends=("rules",)):
    check_comparable(RUN, lines, scenario, backends, "run.json")


def test_a_run_on_the_same_goals_can_be_compared_with_in_any_order():
    check(lines=(LUNCH, ONE, TWO), backends=("defaults", "rules"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"lines": (ONE, TWO)}, "it has besides lunch"),
        ({"lines": (ONE, TWO, LUNCH, line({}, id="new"))}, "it lacks new"),
        ({"lines": (ONE, LUNCH, line({"hold": ["gmv"]}, id="two"))}, "it has otherwise two"),
        ({"scenario": dataclasses.replace(HOME_FEED, name="other")}, "scenario 'home_feed', not 'other'"),
        ({"backends": ("embedded",)}, "has no run of embedded"),
    ],
)
def test_a_run_that_measured_something_else_is_refused(given, says):
    with pytest.raises(InvalidInput, match=r"^run\.json ") as caught:
        check(**given)
    assert says in caught.value.message


def test_a_run_measured_against_other_defaults_is_refused():
    other = dataclasses.replace(RUN, defaults=Weights({u: float(u == "gmv") for u in HOME_FEED.utility_names}))
    with pytest.raises(InvalidInput, match="other default weights"):
        check_comparable(other, (ONE, TWO, LUNCH), HOME_FEED, ["rules"], "run.json")
