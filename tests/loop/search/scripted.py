"""A process that searches for real, over a problem whose answer is known; the plan's seed says how it ends.

DIES: after three trials, without a word; WAITS: after three trials, until it is killed, and if it begins with so many
goes on; anything else: with a result.
"""

from __future__ import annotations

import sys
import time
from typing import Final

from reward_llm.domain.searching import StudyProblem, Trial
from reward_llm.errors import RewardLLMError
from reward_llm.loop.search.documents import problem_line, read_task, result_line, trial_line
from reward_llm.loop.search.study import Study
from tests.loop.search.problems import Tradeoff
from tests.strategies import HOME_FEED, VIDEO_FEED

COMMAND: Final = (sys.executable, "-m", "tests.loop.search.scripted")
DIES: Final = 13
WAITS: Final = 14
_TRIALS: Final = 3


def main() -> None:
    """Work on the task on standard input."""
    plan, done = read_task(sys.stdin.buffer.readline())
    scenario = {s.name: s for s in (HOME_FEED, VIDEO_FEED)}[plan.scenario]

    def tell(trial: Trial) -> None:
        print(trial_line(trial), flush=True)
        if trial.number == _TRIALS and plan.seed == DIES:
            sys.exit(3)
        if trial.number == _TRIALS and plan.seed == WAITS:
            time.sleep(600)

    try:
        print(result_line(Study(plan, scenario, Tradeoff(noise=0.01)).run(tell, done)), flush=True)
    except RewardLLMError as exc:
        print(problem_line(StudyProblem(code=exc.code, message=exc.message, hint=exc.hint)), flush=True)


if __name__ == "__main__":
    main()
