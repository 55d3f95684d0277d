"""Follows the stream of notices, one after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from reward_llm.delivery.sdk.asking import Asker
from reward_llm.delivery.sdk.backoff import Backoff
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.errors import SnapshotInvalid, Unanswered
from reward_llm.delivery.sdk.keeper import Keeper
from reward_llm.delivery.sdk.stream import Heard, notices
from reward_llm.delivery.sdk.trouble import Trouble

RECONNECT_S: Final = 2.0
"""A stream that ends is made anew within this time, at random, so that many clients don't all come back at once."""
_MANY_SCOPES: Final = 500
"""With more, what came with a notice is put in its place by another thread, so that the event loop goes on."""


class Listener:
    """Hands notices to the keeper, and has the asker ask for what they announce and don't bring along.

    Args:
        base_url: Where the service is.
        config: How patient to be with it.
        keeper: What is served.
        asker: Told what is announced, and whether anything is.
        settled: Called after each notice.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self,
        *,
        base_url: str,
        config: ClientConfig,
        keeper: Keeper,
        asker: Asker,
        settled: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url
        self._config = config
        self._keeper = keeper
        self._asker = asker
        self._settled = settled
        self._monotonic = monotonic
        self._backoff = Backoff()
        self._heard = 0
        self.refused_invalid = 0
        self.streaming = False
        self.trouble = Trouble("the stream of notices")

    async def follow(self) -> None:
        """Follow one stream to its end, and wait before the next."""
        self._heard, retry_after_s = 0, None
        try:
            async with aclosing(notices(self._base_url, self._config, monotonic=self._monotonic)) as stream:
                async for heard in stream:
                    await self._take(heard)
            self.trouble.began("the service ended the stream")
        except Unanswered as exc:
            retry_after_s = exc.retry_after_s
            self.refused_invalid += isinstance(exc.__cause__, SnapshotInvalid)
            self.trouble.began(exc.message)
        finally:
            self._down()
        await asyncio.sleep(self._wait_s(retry_after_s))

    async def _take(self, heard: Heard) -> None:
        self._heard += 1
        if not self.streaming:
            self.streaming = True
            self.trouble.over()
            self._asker.stream_up()
        keeper, notice = self._keeper, heard.notice
        if keeper.heard(heard) and not await self._continued(heard):
            self._asker.want(notice)
        elif notice.etag == keeper.etag:
            self._asker.confirmed()
        self._settled()

    async def _continued(self, heard: Heard) -> bool:
        """Serve what came with the notice, if that can be; whether it is now."""
        keeper = self._keeper
        if heard.notice.carried is not None and len(keeper.table.items) > _MANY_SCOPES:
            prepared = await asyncio.to_thread(keeper.continued, heard)
        else:
            prepared = keeper.continued(heard)
        return prepared is not None and keeper.take(prepared)

    def _down(self) -> None:
        if self.streaming:
            self.streaming = False
            self._asker.stream_down()

    def _wait_s(self, retry_after_s: float | None) -> float:
        """One that told more than how things stood at first was a good one; others come ever more rarely."""
        if self._heard > 1:
            self._backoff.succeeded()
            return self._backoff.anything_up_to(RECONNECT_S)
        return self._backoff.failed(retry_after_s)
