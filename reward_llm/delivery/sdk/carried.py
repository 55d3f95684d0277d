"""A change that came with its notice.

the snapshot that is served + the items of the change ─► another one, whose hash must be the one that was announced

An entity tag is the hash of the items' hashes, in their order. So whatever was missed, came twice or came in another
order, nothing but exactly what the service has is ever made of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from reward_llm.delivery.sdk.errors import SnapshotInvalid
from reward_llm.delivery.sdk.snapshot import Item, ScopeKey, read_item

_ETAG_DIGITS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What takes the place of what the snapshot with the entity tag `since` has: values, and their texts."""

    since: str
    documents: tuple[tuple[object, str], ...]


def continued(known: Mapping[ScopeKey, Item], carried: Carried, etag: str) -> Mapping[ScopeKey, Item]:
    """The items of the snapshot that a change makes of the known ones.

    Raises:
        SnapshotInvalid: If it doesn't make the one with that entity tag.
    """
    items = dict(known)
    for document, text in carried.documents:
        item = read_item(document, text)
        if item.key not in items:
            raise SnapshotInvalid("it has a scope that there wasn't before")
        items[item.key] = item
    if etag_of(items.values()) != etag:
        raise SnapshotInvalid("it makes another snapshot than the service has")
    return MappingProxyType(items)


def etag_of(items: Iterable[Item]) -> str:
    """The entity tag of a snapshot with these items, in their order."""
    return hashlib.sha256(b"".join([item.digest for item in items])).hexdigest()[:_ETAG_DIGITS]
