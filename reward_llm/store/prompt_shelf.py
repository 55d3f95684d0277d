"""Versions of prompts as they are stored, with those that ship where they aren't stored yet.

A packaged version is written just before something that refers to it, under the number that it was shown with: 1,
or the next one if the prompt that ships is another than any that is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.prompts import (
    PACKAGED_BY,
    PRODUCTION,
    PromptContent,
    PromptLabel,
    PromptSummary,
    PromptVersion,
)
from reward_llm.errors import PromptLabelUnknown, PromptUnknown, PromptVersionUnknown
from reward_llm.store import prompt_codec as codec
from reward_llm.store.tables import prompt_labels, prompt_versions
from reward_llm.store.writing import Writing


class PromptShelf:
    """Finds versions and labels in one transaction.

    Args:
        packaged: The versions that ship, by name.
    """

    def __init__(self, packaged: Mapping[str, PromptVersion]) -> None:
        self._packaged = packaged

    @property
    def names(self) -> Sequence[str]:
        """The prompts that there are."""
        return sorted(self._packaged)

    def shipped(self, name: str) -> PromptVersion:
        """The prompt that ships.

        Raises:
            PromptUnknown: If none of that name does.
        """
        if name not in self._packaged:
            raise PromptUnknown(f"there is no prompt {name!r}", hint=f"There are: {', '.join(self.names)}.")
        return self._packaged[name]

    async def unwritten(self, connection: AsyncConnection, name: str) -> PromptVersion | None:
        """The packaged version, with the number that it will have, if it isn't stored; None if it is."""
        packaged = self.shipped(name)
        if await self.number_of(connection, packaged.content) is not None:
            return None
        return replace(packaged, number=1 + await self._newest(connection, name))

    async def write_packaged(self, writing: Writing, name: str) -> None:
        """Store the packaged version, if it isn't."""
        missing = await self.unwritten(writing.connection, name)
        if missing is not None:
            await self.write(writing, missing)

    async def write(self, writing: Writing, version: PromptVersion) -> None:
        """Store a version."""
        await writing.insert(prompt_versions, codec.version_values(version) | {"created_at": writing.at})

    async def number_of(self, connection: AsyncConnection, content: PromptContent) -> int | None:
        """The number of the stored version with that content."""
        column = prompt_versions.c
        found = (column.name == content.name) & (column.content_hash == content.content_hash)
        return await connection.scalar(select(column.number).where(found))

    async def next_number(self, connection: AsyncConnection, name: str) -> int:
        """The number that the next version gets."""
        return 1 + await self._newest(connection, name)

    async def version(self, connection: AsyncConnection, name: str, number: int) -> PromptVersion:
        """One version.

        Raises:
            PromptVersionUnknown: If there is no such number.
            PromptInvalid: If what is stored can't be read.
        """
        missing = await self.unwritten(connection, name)
        if missing is not None and missing.number == number:
            return missing
        column = prompt_versions.c
        query = select(prompt_versions).where(column.name == name, column.number == number)
        row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise PromptVersionUnknown(f"{name} has no version {number}")
        return codec.version(row)

    async def by_id(self, connection: AsyncConnection, version_id: str) -> PromptVersion:
        """The version by its id, such as `goal_to_intents@2`, which must be there."""
        name, _, number = version_id.rpartition("@")
        return await self.version(connection, name, int(number))

    async def same(self, connection: AsyncConnection, content: PromptContent) -> PromptVersion | None:
        """The version with exactly that content, if there is one."""
        missing = await self.unwritten(connection, content.name)
        if missing is not None and missing.content_hash == content.content_hash:
            return missing
        number = await self.number_of(connection, content)
        return await self.version(connection, content.name, number) if number else None

    async def summary(self, connection: AsyncConnection, name: str) -> PromptSummary:
        """A prompt by its newest version, with its labels."""
        newest = await self.next_number(connection, name) - 1
        if await self.unwritten(connection, name) is not None:
            newest += 1
        return PromptSummary(
            newest=await self.version(connection, name, newest),
            versions=newest,
            labels=tuple(await self.labels(connection, name)),
        )

    async def labels(self, connection: AsyncConnection, name: str) -> list[PromptLabel]:
        """A prompt's labels, by name; `production` stands on the packaged version until it is moved."""
        query = codec.LABELS.where(prompt_labels.c.name == name)
        found = [codec.label(row) for row in (await connection.execute(query)).mappings()]
        if all(x.label != PRODUCTION for x in found):
            found.append(await self._first_production(connection, name))
        return sorted(found, key=lambda x: x.label)

    async def label(self, connection: AsyncConnection, name: str, label: str) -> PromptLabel:
        """One label.

        Raises:
            PromptLabelUnknown: If there is no such label.
        """
        for found in await self.labels(connection, name):
            if found.label == label:
                return found
        raise PromptLabelUnknown(f"{name} has no label {label!r}")

    async def label_or_none(self, connection: AsyncConnection, name: str, label: str) -> PromptLabel | None:
        """One label; None if there is none of that name."""
        try:
            return await self.label(connection, name, label)
        except PromptLabelUnknown:
            return None

    async def _first_production(self, connection: AsyncConnection, name: str) -> PromptLabel:
        packaged = self.shipped(name)
        number = await self.number_of(connection, packaged.content)
        return PromptLabel(
            prompt=name,
            label=PRODUCTION,
            number=number or await self.next_number(connection, name),
            revision=0,
            moved_by=PACKAGED_BY,
            moved_at=None,
        )

    async def _newest(self, connection: AsyncConnection, name: str) -> int:
        query = select(func.max(prompt_versions.c.number)).where(prompt_versions.c.name == name)
        newest: Any = await connection.scalar(query)
        return newest or 0
