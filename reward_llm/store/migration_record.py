"""What a change of the schema does to the state goes on record, so that the log still replays to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.domain.replay import State, difference
from reward_llm.store.ledger import add_record
from reward_llm.store.state import Schema, schema_of, state_document

_OPERATIONS: Final = 500
"""How long a record's patch gets before the next one is begun."""


@asynccontextmanager
async def change_on_record(connection: AsyncConnection, act: Act, action: str) -> AsyncIterator[None]:
    """Put on record what the block's migrations change in the state.

    The first upgrade to a schema whose log has patches puts all that is there on record. What was written past the
    log before stays as unrecorded as it was.
    """
    schema = await schema_of(connection)
    before: State = await state_document(connection, schema) if _has_patches(schema) else {}
    yield
    schema = await schema_of(connection)
    if _has_patches(schema):
        for patch in _patches(difference(before, await state_document(connection, schema))):
            await add_record(connection, act, action, "", chain="", patch=patch, details={})


def _has_patches(schema: Schema) -> bool:
    return "patch" in schema.get("audit", ())


def _patches(operations: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """The operations in parts, a `test` in the same part as what it is for."""
    patch: list[Mapping[str, Any]] = []
    for operation in operations:
        patch.append(operation)
        if len(patch) >= _OPERATIONS and operation["op"] != "test":
            yield patch
            patch = []
    if patch:
        yield patch
