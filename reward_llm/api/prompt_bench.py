"""Where prompts are put to work before anything depends on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario, goal_of
from reward_llm.api.wire.prompt_runs import RenderRequest, TryRequest
from reward_llm.api.wire.prompts import PromptDraft
from reward_llm.domain.act import Act
from reward_llm.domain.completion import Vocabulary
from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import Proposal
from reward_llm.domain.ports.prompts import BackendName, OnProgress, RenderedPrompt, Sample
from reward_llm.domain.prompt_check import PromptCheck
from reward_llm.domain.prompts import Evaluation, PromptVersion
from reward_llm.errors import EvaluationUnderway, PromptInvalid, Violation
from reward_llm.validation.text import clean


class PromptBench:
    """Renders prompts, tries them and reads golden sets, not more of these at once than the configuration allows."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._evaluating = 0

    async def check(self, name: str, sent: PromptDraft) -> PromptCheck:
        """What keeps a draft from becoming the prompt's next version; nothing is written.

        Raises:
            PromptUnknown: If no prompt of that name ships.
        """
        await self._services.prompts.labels(name)
        workshop = self._services.workshop
        try:
            draft = workshop.parse(sent.text) if sent.text is not None else workshop.content_of(sent.content or {})
        except PromptInvalid as exc:
            told = exc.violations or (Violation(path="", code="format", message=exc.message),)
            return PromptCheck(violations=tuple(told))
        check = workshop.check(draft)
        other = [] if draft.name == name else [misnamed(name, draft.name)]
        return replace(check, violations=(*other, *check.violations))

    def render(self, version: PromptVersion, sent: RenderRequest) -> RenderedPrompt:
        """What a model would be sent for the values.

        Raises:
            ScenarioUnknown: If there is no such scenario.
            PromptInvalid: If the prompt can't be used for it.
        """
        scenario = find_scenario(self._services.scenarios, sent.scenario)
        sample = Sample(
            scenario=scenario, goal=clean(sent.goal)[0], vocabulary=Vocabulary(sent.vocabulary), hints=sent.hints
        )
        return self._services.workshop.render(version, sample)

    async def try_out(self, version: PromptVersion, sent: TryRequest, act: Act) -> tuple[Goal, Proposal]:
        """What the goal would be read as with the version; nothing is written.

        Raises:
            GoalInvalid: If the goal can't be read at all.
            ScenarioUnknown: If there is no such scenario.
            SegmentUnknown: If the scenario has no such segment.
            BackendNotConfigured: If this service has no such backend.
            PromptInvalid: If the backend can't answer the prompt.
        """
        services = self._services
        document = sent.model_dump(include={"scenario", "segment", "text"})
        goal, _ = goal_of(
            document, scenarios=services.scenarios, goal_id=services.new_id(), actor=act.actor, now=act.at
        )
        return goal, await services.workshop.try_out(version, goal, backend=sent.backend)

    async def evaluate(
        self, version: PromptVersion, backend: BackendName | None, on_progress: OnProgress | None = None
    ) -> Evaluation:
        """How well the version reads its golden set.

        Raises:
            BackendNotConfigured: If this service has no such backend.
            PromptInvalid: If the backend can't answer the prompt.
            EvaluationTimeout: If it takes too long.
            EvaluationUnderway: If as much is being measured as may be at once.
        """
        async with self.evaluating():
            return await self._services.workshop.evaluate(version, backend=backend, on_progress=on_progress)

    @asynccontextmanager
    async def evaluating(self) -> AsyncIterator[None]:
        """One of as many evaluations as may be at once.

        Raises:
            EvaluationUnderway: If there are as many.
        """
        most = self._services.config.evaluations
        if self._evaluating >= most:
            raise EvaluationUnderway(
                f"{most} golden set{'s are' if most > 1 else ' is'} being read, and no more may be at once",
                hint="Try again when that is done.",
            )
        self._evaluating += 1
        try:
            yield
        finally:
            self._evaluating -= 1


def misnamed(name: str, sent: str) -> Violation:
    """What is wrong with another prompt's content at this one's address."""
    return Violation(path="name", code="mismatch", message=f"is {sent!r}, but the address says {name!r}")
