"""Reading the goals of a file, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Decision, Interpretation
from reward_llm.domain.policy import Proposal, RewardPolicy, Source, default_policy
from reward_llm.domain.ports import GoalProposer
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.errors import GoalInvalid
from reward_llm.tuning.evaluation.lines import LabelledLine
from reward_llm.tuning.evaluation.report import Report, report
from reward_llm.tuning.evaluation.verdict import Reading
from reward_llm.validation.text import clean


class UnchangedProposer:
    """Leaves the weights as they are whatever the goal says: the floor of every comparison."""

    async def propose(self, goal: Goal, scenario: Scenario, active: RewardPolicy) -> Proposal:
        """The active weights."""
        return Proposal(
            interpretation=Interpretation(decision=Decision.NO_CHANGE),
            weights=active.weights,
            source=Source.DEFAULT,
        )


async def evaluate(
    lines: Sequence[LabelledLine],
    scenario: Scenario,
    proposer: GoalProposer,
    *,
    monotonic: Callable[[], float],
    on_progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """Read every line, each against the scenario's defaults, one after the other.

    Args:
        lines: What to read.
        scenario: What the goals are for.
        proposer: Who reads.
        monotonic: A clock in seconds.
        on_progress: Is told after each line how many are done.
    """
    readings = []
    for done, line in enumerate(lines, 1):
        readings.append(await read_line(line, scenario, proposer, monotonic))
        on_progress(done)
    return report(readings, scenario)


async def read_line(
    line: LabelledLine, scenario: Scenario, proposer: GoalProposer, monotonic: Callable[[], float]
) -> Reading:
    """Read one line against the scenario's defaults."""
    now = datetime.now(UTC)
    began = monotonic()
    try:
        goal = Goal(id=line.id, scope=Scope(scenario.name), text=clean(line.goal)[0], submitted_at=now)
    except GoalInvalid:
        proposal = None
    else:
        proposal = await proposer.propose(goal, scenario, default_policy(scenario, None, now))
    return Reading(
        line=line,
        decision=proposal.interpretation.decision if proposal else Decision.NO_CHANGE,
        weights=proposal.weights if proposal else scenario.defaults,
        proposal=proposal,
        latency_ms=1000 * (monotonic() - began),
    )
