"""A ranker for the pages: small networks that never learned anything, with the card of the one that ships."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reward_llm.ranking.card import card_of
from reward_llm.ranking.engine import Engine, EngineConfig
from reward_llm.ranking.room import Room
from tests.ranking.test_engine import FEW


@contextmanager
def small_room(folder: Path) -> Iterator[Room]:
    """What ranks with the networks in the folder; it is closed in a thread, since a browser's may have a loop."""
    room = Room(
        lambda: Engine.load(EngineConfig(checkpoint=folder, what_if=FEW)),
        card=lambda: card_of(None, None),
    )
    yield room
    closing = threading.Thread(target=lambda: asyncio.run(room.aclose()))
    closing.start()
    closing.join()
