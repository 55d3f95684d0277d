import pytest

from reward_llm.domain.interpretation import Decision
from reward_llm.tuning.evaluation import Expected, Read, report
from tests.readings import intent, line, read, refused
from tests.strategies import HOME_FEED

UTILITIES = len(HOME_FEED.utility_names)


def counts(*readings):
    matrix = report(readings, HOME_FEED).confusion
    return {(e, r): n for e, row in matrix.items() for r, n in row.items() if n}


def test_every_line_counts_once_for_every_utility():
    goal = line({"raise": ["gmv"], "lower": ["click"], "hold": ["retention"]})
    reading = read(goal, intents=(intent("raise", "gmv"), intent("hold", "click"), intent("lower", "diversity")))
    assert counts(reading) == {
        (Expected.RAISE, Read.RAISE): 1,
        (Expected.LOWER, Read.HOLD): 1,
        (Expected.HOLD, Read.NOTHING): 1,
        (Expected.NOTHING_ASSERTED, Read.LOWER): 1,
        (Expected.NOTHING_ASSERTED, Read.NOTHING): UTILITIES - 4,
    }


def test_a_line_that_expects_no_change_expects_every_utility_to_be_left_alone():
    goal = line({"outcome": "no_change"})
    assert counts(read(goal, decision=Decision.NO_CHANGE)) == {(Expected.LEFT_ALONE, Read.NOTHING): UTILITIES}
    assert counts(read(goal, intents=(intent("raise", "gmv"),))) == {
        (Expected.LEFT_ALONE, Read.RAISE): 1,
        (Expected.LEFT_ALONE, Read.NOTHING): UTILITIES - 1,
    }


@pytest.mark.parametrize("expect", [{}, {"top": "gmv"}])
def test_a_line_that_names_no_direction_asserts_nothing(expect):
    assert counts(read(line(expect))) == {(Expected.NOTHING_ASSERTED, Read.NOTHING): UTILITIES}


def test_a_goal_that_was_refused_unread_was_read_as_nothing():
    assert counts(refused(line({"raise": ["gmv"]})))[Expected.RAISE, Read.NOTHING] == 1


def test_empty_cells_are_there():
    matrix = report([read(line({}))], HOME_FEED).confusion
    assert {(e, r) for e, row in matrix.items() for r in row} == {(e, r) for e in Expected for r in Read}
