"""Where experiments, controllers and studies are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.loop import LoopEntry, LoopKind, LoopRecord
from reward_llm.domain.ports.records import IdempotencyClaim, Page
from reward_llm.domain.scenario import Scope


class LoopStore(Protocol):
    """Records of the loop. Making and changing one is audited as `KIND.ACTION`; gathering entries isn't.

    Whether a record may come into its state beside others of its kind (`reward_llm.domain.loop_rules`), and whether
    the policy `over` holds in exactly its scope and for everybody, is found out in the transaction that writes it.

    Everything here raises StoreUnavailable if the database can't be read or written.
    """

    async def create(
        self,
        kind: LoopKind,
        scope: Scope,
        state: str,
        document: Mapping[str, Any],
        act: Act,
        claim: IdempotencyClaim | None = None,
        record_id: str | None = None,
        over: str | None = None,
    ) -> LoopRecord:
        """Add a record, or give the one that the claim's key or the id stands for already.

        Without an id of its own it gets a new one.

        Raises:
            IdempotencyConflict: If the claim's key came with another request before.
            Conflict: If another record has its scope.
            ControllerNotReady: If another policy than `over` holds there.
        """
        ...

    async def change(
        self,
        before: LoopRecord,
        action: str,
        act: Act,
        *,
        state: str,
        document: Mapping[str, Any],
        claim: IdempotencyClaim | None = None,
        over: str | None = None,
    ) -> LoopRecord:
        """Give a record a state and a document, if nobody has changed it since it was `before`.

        Where the claim's key stands for this already, it gives the record as it is now.

        Args:
            before: The record as the caller knows it.
            action: What is done to it, such as `started`; the audit log says `experiment.started`.
            act: Who does it, and why.
            state: What it is in from now on.
            document: What it says from now on.
            claim: The key that stands for the change from then on.
            over: The policy that must hold for that; None if it doesn't matter.

        Raises:
            IdempotencyConflict: If the claim's key came with another request before.
            LoopRecordUnknown: If there is none.
            PreconditionFailed: If somebody has changed it.
            Conflict: If another record has its scope.
            ControllerNotReady: If another policy than `over` holds there.
        """
        ...

    async def leave(
        self, before: LoopRecord, action: str, act: Act, claim: IdempotencyClaim | None = None
    ) -> LoopRecord:
        """Leave a record as it is, because it needs no change for what is asked of it.

        The claim's key stands for that from then on, whatever becomes of the record: asked again, nothing happens.

        Raises:
            IdempotencyConflict: If the claim's key came with another request before.
            LoopRecordUnknown: If there is none.
            PreconditionFailed: If somebody has changed it since it was `before`.
        """
        ...

    async def made_by(
        self, kind: LoopKind, claim: IdempotencyClaim | None, action: str = "created"
    ) -> LoopRecord | None:
        """The record to which the claim's key had this done already, None if the key is new or there is none.

        Raises:
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def record(self, kind: LoopKind, record_id: str) -> LoopRecord:
        """One record.

        Raises:
            LoopRecordUnknown: If there is none of the kind with this id.
        """
        ...

    async def records(
        self,
        kind: LoopKind,
        *,
        scenarios: Collection[str] | None = None,
        states: Collection[str] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[LoopRecord]:
        """Records of a kind, newest first; None takes all scenarios or states.

        Raises:
            InvalidInput: If the cursor isn't one of this list's, or the limit is out of range.
        """
        ...

    async def gather(
        self,
        record_id: str,
        documents: Sequence[Mapping[str, Any]],
        act: Act,
        *,
        revision: int | None = None,
        after: int | None = None,
    ) -> None:
        """Add entries to a record.

        Args:
            record_id: Whose they are.
            documents: What they say.
            act: Who gathered them, and when.
            revision: The record's, as the caller knows it; None if it doesn't matter.
            after: The number of the last entry that the caller knows, 0 for none; None if it doesn't matter.

        Raises:
            LoopRecordUnknown: If there is none.
            PreconditionFailed: If its revision or its last entry is another.
        """
        ...

    async def entries(self, record_id: str, *, after: int = 0, limit: int = 1_000) -> Sequence[LoopEntry]:
        """The entries after a number, oldest first.

        Raises:
            InvalidInput: If the limit isn't 1 to 1,000.
        """
        ...

    async def last_entries(self, record_id: str, limit: int = 1) -> Sequence[LoopEntry]:
        """The newest entries, oldest of them first.

        Raises:
            InvalidInput: If the limit isn't 1 to 1,000.
        """
        ...
