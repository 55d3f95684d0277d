"""What searches for weights."""

from __future__ import annotations

from typing import Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.ports.records import IdempotencyClaim, Page
from reward_llm.domain.searching import SearchPlan, SearchStudy


class Searches(Protocol):
    """Works on studies one after the other, away from what serves; all that is found is in the store at once."""

    async def start(self, plan: SearchPlan, act: Act, claim: IdempotencyClaim | None = None) -> SearchStudy:
        """A study for the plan, which is worked on once those before it are over.

        Raises:
            SearchBusy: If as many wait as may.
            IdempotencyConflict: If the claim's key came with another request before.
            StoreUnavailable: If it can't be put on record.
        """
        ...

    async def resume(self, study_id: str, act: Act, claim: IdempotencyClaim | None = None) -> SearchStudy:
        """Go on with a study that was interrupted or cancelled, or failed, from its last trial.

        Where the claim's key stands for this already, it gives the study as it is now.

        Raises:
            IdempotencyConflict: If the claim's key came with another request before.
            LoopRecordUnknown: If there is none.
            PreconditionFailed: If somebody changes it meanwhile.
            SearchBusy: If it is worked on here or complete, or as many wait as may.
            StoreUnavailable: If it can't be put on record.
        """
        ...

    async def cancel(self, study_id: str, act: Act, claim: IdempotencyClaim | None = None) -> SearchStudy:
        """End a study, if it isn't over already; its trials stay.

        Where the claim's key stands for this already, it gives the study as it is now.

        Raises:
            IdempotencyConflict: If the claim's key came with another request before.
            PreconditionFailed: If somebody changes it meanwhile.
            LoopRecordUnknown: If there is none.
            StoreUnavailable: If it can't be put on record.
        """
        ...

    async def study(self, study_id: str) -> SearchStudy:
        """A study with its trials.

        Raises:
            LoopRecordUnknown: If there is none.
            StoreUnavailable: If it can't be read.
        """
        ...

    async def studies(
        self, *, scenarios: frozenset[str] | None, cursor: str | None = None, limit: int = 50
    ) -> Page[SearchStudy]:
        """Studies of the scenarios, None for all, newest first and without their trials.

        Raises:
            InvalidInput: If the cursor isn't one of this list's.
            StoreUnavailable: If they can't be read.
        """
        ...

    async def proposed(self, study_id: str, policy_id: str, act: Act) -> None:
        """Put down that a policy was proposed of a study.

        Raises:
            LoopRecordUnknown: If there is none.
            StoreUnavailable: If it can't be put on record.
        """
        ...

    async def aclose(self) -> None:
        """Interrupt what runs and what waits, so that it can be gone on with."""
        ...
