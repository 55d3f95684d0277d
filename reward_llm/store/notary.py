"""Signs where the audit log ends, again and again, and tells whether the log still is what was signed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reward_llm.domain.audit import Checkpoint, LogHead
from reward_llm.domain.audit_flaws import Flaw, FlawKind, Verification
from reward_llm.domain.ports import AuditLog, CheckpointStore, Clock
from reward_llm.errors import AuditBroken, RewardLLMError, SignatureInvalid
from reward_llm.validation.audit_checkpoints import name_of, opened, signed

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SignedCheckpoints:
    """The checkpoints of a place, each with its signature checked."""

    place: CheckpointStore
    key: Ed25519PublicKey

    async def all(self) -> list[Checkpoint]:
        """All of them, the earliest first.

        Raises:
            SignatureInvalid: If one isn't signed with the key.
            CheckpointsUnavailable: If they can't be read.
        """
        return [opened(name, content, self.key) for name, content in (await self.place.contents()).items()]

    async def latest(self) -> Checkpoint | None:
        """The last one, None if there are none.

        Raises:
            SignatureInvalid: If it isn't signed with the key.
            CheckpointsUnavailable: If it can't be read.
        """
        found = await self.place.latest()
        return opened(*found, self.key) if found else None


class Notary:
    """Leaves a signed checkpoint whenever something is new, and signs only what follows from the last one."""

    def __init__(
        self, log: AuditLog, place: CheckpointStore, key: Ed25519PrivateKey, *, clock: Clock, every_s: float
    ) -> None:
        self._log = log
        self._place = place
        self._key = key
        self._clock = clock
        self._every_s = every_s
        self._last: Checkpoint | None = None

    async def sign(self) -> Checkpoint | None:
        """Sign where the log ends now; None if that is signed already.

        Raises:
            AuditBroken: If the log isn't what it was when it was signed last, or breaks after that.
            SignatureInvalid: If the last checkpoint is somebody else's.
            CheckpointsUnavailable: If checkpoints can't be read or written.
            StoreUnavailable: If the log can't be read.
        """
        last = self._last or await SignedCheckpoints(self._place, self._key.public_key()).latest()
        start = last.head if last else LogHead()
        since = await self._log.verification_since(start)
        if since.flaw is not None:
            raise AuditBroken(since.flaw.message, hint="Nothing is signed until `reward-llm audit verify` agrees.")
        if since.head.sequence == start.sequence:
            self._last = last
            return None
        head = since.head
        made = Checkpoint(sequence=head.sequence, hash=head.hash, chains=head.chains, at=self._clock())
        await self._place.put(name_of(made), signed(made, self._key))
        self._last = made
        return made

    async def keep_signing(self) -> None:
        """Sign again and again, whatever is away, until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            await self._sign_if_possible()

    async def aclose(self) -> None:
        """Sign the end."""
        await self._sign_if_possible()

    async def _sign_if_possible(self) -> None:
        try:
            made = await self.sign()
        except RewardLLMError as exc:
            _log.error("audit.not_signed", code=exc.code, error=exc.message)
        else:
            if made is not None:
                _log.info("audit.signed", sequence=made.sequence, hash=made.hash)


class Auditor:
    """Verifies the log against its checkpoints, for one caller at a time, because that reads all of it."""

    def __init__(self, log: AuditLog, checkpoints: SignedCheckpoints | None) -> None:
        self._log = log
        self._checkpoints = checkpoints
        self._turn = asyncio.Lock()

    async def verification(self) -> Verification:
        """Walk the whole log, and compare what it replays to with what the store holds.

        Raises:
            StoreUnavailable: If the log can't be read.
            CheckpointsUnavailable: If the checkpoints can't be read.
        """
        async with self._turn:
            try:
                known = await self._checkpoints.all() if self._checkpoints else []
            except SignatureInvalid as exc:
                found = await self._log.verification()
                forged = Flaw(kind=FlawKind.CHECKPOINT_INVALID, message=exc.message)
                return found if found.flaw else replace(found, flaw=forged)
            return await self._log.verification(known)
