"""Which version goals are read with: what a label stands on, kept in memory.

label in the store ─► refresh ─► book ─► proposer
                       every second, and after a move
what was read last ─► the packaged prompt        when the store is away, or holds what can't be used
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from reward_llm.domain.prompts import PRODUCTION, PromptContent, PromptVersion
from reward_llm.errors import PromptInvalid, RewardLLMError, StoreUnavailable
from reward_llm.generation.prompts import PromptBundle

_log = structlog.get_logger(__name__)
_UNREAD: Final = "the store wasn't read yet"


class LabelReader(Protocol):
    """`reward_llm.domain.ports.PromptStore`, as far as a book needs it."""

    async def labelled(self, name: str, label: str) -> PromptVersion:
        """The version that a label stands on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BookConfig:
    """How often the book looks at the store."""

    label: str = PRODUCTION
    refresh_s: float = 1.0
    """Seconds from one look to the next."""
    timeout_s: float = 5.0
    """How long one look may take, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPrompt:
    """The bundle to read with; `reason` says why it is the packaged one where another was to be taken."""

    bundle: PromptBundle
    reason: str | None = None


class PromptBook:
    """Holds the bundle of a label.

    While the store is away, what was read from it last goes on; the packaged bundle answers if nothing was, or if
    what the label stands on breaks its contract.

    Args:
        store: Where the label is.
        packaged: The bundle that ships under the prompt's name.
        check: Raises PromptInvalid for a prompt that can't be used.
        config: How often the store is read, and which label.
    """

    def __init__(
        self,
        *,
        store: LabelReader,
        packaged: PromptBundle,
        check: Callable[[PromptContent], None],
        config: BookConfig | None = None,
    ) -> None:
        self._store = store
        self._packaged = packaged
        self._check = check
        self._config = config or BookConfig()
        self._held = HeldPrompt(bundle=packaged, reason=_UNREAD)
        self._looked = False
        self._refreshing = asyncio.Lock()

    async def held(self) -> HeldPrompt:
        """What to read with now; the first time it waits for one look at the store."""
        if not self._looked:
            await self.refresh()
        return self._held

    async def refresh(self) -> None:
        """Take over what the label stands on."""
        async with self._refreshing:
            taken = await self._look()
            self._looked = True
            if taken.reason and taken.reason != self._held.reason:
                _log.warning("prompts.packaged_one_answers", prompt=self._packaged.label, reason=taken.reason)
            elif taken.bundle.content_hash != self._held.bundle.content_hash:
                _log.info("prompts.taken_over", prompt=taken.bundle.label, label=self._config.label)
            self._held = taken

    async def keep_fresh(self) -> None:
        """Refresh every `refresh_s`, whatever the store does, until cancelled."""
        while True:
            try:
                await self.refresh()
            except Exception as exc:  # noqa: BLE001 - a book that stops looking would keep an old prompt for ever
                _log.warning("prompts.refresh_failed", error=str(exc), kind=type(exc).__name__)
            await asyncio.sleep(self._config.refresh_s)

    async def _look(self) -> HeldPrompt:
        try:
            async with asyncio.timeout(self._config.timeout_s):
                version = await self._store.labelled(self._packaged.content.name, self._config.label)
            return self._taken(version)
        except (StoreUnavailable, TimeoutError) as exc:
            if self._looked and self._held.reason is None:
                return self._held
            return self._fallen_back(exc)
        except RewardLLMError as exc:
            return self._fallen_back(exc)

    def _taken(self, version: PromptVersion) -> HeldPrompt:
        held = self._held
        if held.reason is None and (held.bundle.content_hash, held.bundle.number) == (
            version.content_hash,
            version.number,
        ):
            return held
        self._check(version.content)
        bundle = PromptBundle.of(version)
        if bundle.form is not self._packaged.form:
            raise PromptInvalid(f"{version.id} asks for {version.content.answer} answers")
        return HeldPrompt(bundle=bundle)

    def _fallen_back(self, error: Exception) -> HeldPrompt:
        text = error.message if isinstance(error, RewardLLMError) else "the store didn't answer in time"
        code = error.code if isinstance(error, RewardLLMError) else StoreUnavailable.code
        return HeldPrompt(bundle=self._packaged, reason=f"{code}: {text}")
