"""Prompts on SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from reward_llm.domain.act import Act
from reward_llm.domain.ports import IdempotencyClaim, Page
from reward_llm.domain.promotion import counted
from reward_llm.domain.prompts import (
    LabelMove,
    PromotionEvidence,
    PromptContent,
    PromptLabel,
    PromptOverride,
    PromptSummary,
    PromptVersion,
)
from reward_llm.errors import InvalidInput, OverrideForbidden
from reward_llm.store import prompt_codec as codec
from reward_llm.store import prompt_moves as moves
from reward_llm.store.database import Database, Repository
from reward_llm.store.ledger import Action, claimed, remember
from reward_llm.store.pages import page
from reward_llm.store.prompt_shelf import PromptShelf
from reward_llm.store.tables import prompt_label_moves, prompt_versions
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried


class SqlPrompts(Repository):
    """A `reward_llm.domain.ports.PromptStore` in a SQL database.

    Args:
        database: Where versions and labels are kept.
        packaged: The versions that ship, by name.
    """

    def __init__(self, database: Database, packaged: Mapping[str, PromptVersion]) -> None:
        super().__init__(database)
        self._shelf = PromptShelf(packaged)

    @to_the_end
    @retried
    async def prompts(self) -> Sequence[PromptSummary]:
        """Every prompt, by name."""
        async with self._database.reading() as connection:
            return [await self._shelf.summary(connection, name) for name in self._shelf.names]

    @to_the_end
    @retried
    async def versions(self, name: str, *, cursor: str | None = None, limit: int = 50) -> Page[PromptVersion]:
        """A prompt's versions, newest first."""
        query = select(prompt_versions).where(prompt_versions.c.name == name)
        order = prompt_versions.c.sequence
        async with self._database.reading() as connection:
            missing = await self._shelf.unwritten(connection, name)
            found = await page(connection, query, order, codec.version, cursor=cursor, limit=limit)
        if missing is None or cursor is not None:
            return found
        return Page(items=(missing, *found.items), next_cursor=found.next_cursor)

    @to_the_end
    @retried
    async def version(self, name: str, number: int) -> PromptVersion:
        """One version."""
        async with self._database.reading() as connection:
            return await self._shelf.version(connection, name, number)

    @to_the_end
    @retried
    async def labelled(self, name: str, label: str) -> PromptVersion:
        """The version that a label stands on."""
        async with self._database.reading() as connection:
            found = await self._shelf.label(connection, name, label)
            return await self._shelf.version(connection, name, found.number)

    @to_the_end
    @retried
    async def record_version(
        self, content: PromptContent, act: Act, claim: IdempotencyClaim | None = None
    ) -> PromptVersion:
        """Make the content its prompt's next version, or give the version that has the same content already."""
        action, name = Action.PROMPT_VERSION_ADDED, content.name
        async with self._database.writing(act) as writing:
            if known := await claimed(writing.connection, claim, action):
                return await self._shelf.by_id(writing.connection, known)
            same = await self._shelf.same(writing.connection, content)
            if same is None:
                await self._shelf.write_packaged(writing, name)
                number = await self._shelf.next_number(writing.connection, name)
                version = PromptVersion(
                    content=content, number=number, author=act.actor, created_at=act.at, reason=act.reason
                )
                await self._shelf.write(writing, version)
                await writing.put_on_record(action, version.id)
            else:
                version = same
            await remember(writing.connection, claim, action, version.id, writing.at)
            return version

    @to_the_end
    @retried
    async def version_of(self, claim: IdempotencyClaim) -> PromptVersion | None:
        """The version that the claim's key stands for already, None if the key is new."""
        async with self._database.reading() as connection:
            known = await claimed(connection, claim, Action.PROMPT_VERSION_ADDED)
            return await self._shelf.by_id(connection, known) if known else None

    @to_the_end
    @retried
    async def labels(self, name: str) -> Sequence[PromptLabel]:
        """A prompt's labels, by name; `production` is always among them."""
        async with self._database.reading() as connection:
            return await self._shelf.labels(connection, name)

    @to_the_end
    @retried
    async def label(self, name: str, label: str) -> PromptLabel:
        """One label."""
        async with self._database.reading() as connection:
            return await self._shelf.label(connection, name, label)

    @to_the_end
    @retried
    async def move_label(
        self,
        name: str,
        label: str,
        number: int,
        act: Act,
        *,
        revision: int,
        evidence: PromotionEvidence | None = None,
    ) -> PromptLabel:
        """Put a label on a version, on record with the evidence."""
        moves.check_label(label)
        async with self._database.writing(act) as writing:
            version = await self._shelf.version(writing.connection, name, number)
            before = await self._shelf.label_or_none(writing.connection, name, label)
            moves.check_revision(before, label, revision)
            consenting = counted(version, await moves.overrides_of(writing.connection, version, label))
            moves.check_evidence(label, version, evidence, consenting)
            overridden = evidence is not None and bool(evidence.shortfalls)
            move = LabelMove(
                prompt=name,
                label=label,
                revision=revision + 1,
                from_number=before.number if before else None,
                to_number=number,
                moved_by=act.actor,
                moved_at=act.at,
                reason=act.reason,
                evidence=evidence,
                overridden_by=consenting if overridden else (),
            )
            await self._shelf.write_packaged(writing, name)
            await moves.write_move(writing, move, version)
            return await self._shelf.label(writing.connection, name, label)

    @to_the_end
    @retried
    async def history(self, name: str, label: str, *, cursor: str | None = None, limit: int = 50) -> Page[LabelMove]:
        """A label's moves, newest first."""
        query = codec.MOVES.where(prompt_label_moves.c.label_id == codec.label_id(name, label))
        order = prompt_label_moves.c.sequence
        async with self._database.reading() as connection:
            await self._shelf.label(connection, name, label)
            return await page(connection, query, order, codec.move, cursor=cursor, limit=limit)

    @to_the_end
    @retried
    async def record_override(self, name: str, label: str, number: int, act: Act) -> PromptOverride:
        """Put a person's consent to a version on record; who gave theirs before is given it back as it was."""
        moves.check_label(label)
        if not act.reason.strip():
            raise InvalidInput("an override needs a reason", hint="Say why the version may pass all the same.")
        async with self._database.writing(act) as writing:
            version = await self._shelf.version(writing.connection, name, number)
            if act.actor == version.author:
                raise OverrideForbidden(
                    f"{act.actor} is the author of {version.id}", hint="Two other people must give their consent."
                )
            given = await moves.overrides_of(writing.connection, version, label)
            earlier = next((o for o in given if o.given_by == act.actor), None)
            if earlier is not None:
                return earlier
            await self._shelf.write_packaged(writing, name)
            return await moves.write_override(writing, version, label)

    @to_the_end
    @retried
    async def overrides(self, name: str, label: str, number: int) -> Sequence[PromptOverride]:
        """The consents to a version under a label, oldest first."""
        async with self._database.reading() as connection:
            version = await self._shelf.version(connection, name, number)
            return await moves.overrides_of(connection, version, label)
