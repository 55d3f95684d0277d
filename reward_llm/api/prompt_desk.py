"""Where prompts are changed: new versions, moves of labels, and consent to these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reward_llm.api.conditions import IfMatch, check_if_match, failed
from reward_llm.api.prompt_bench import PromptBench, misnamed
from reward_llm.api.services import Services
from reward_llm.api.wire.prompt_evaluations import as_answered
from reward_llm.api.wire.prompts import LabelMoveRequest, NewVersion, OverrideRequest, PromptLabelWire
from reward_llm.domain.act import Act
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.domain.prompts import PRODUCTION, PromptLabel, PromptOverride, PromptVersion
from reward_llm.errors import (
    ContentHashMismatch,
    EvaluationBelow,
    InvalidInput,
    PreconditionFailed,
    PreconditionRequired,
    PromptInvalid,
    PromptLabelUnknown,
    Violation,
)
from reward_llm.validation.text import clean


@dataclass(frozen=True, slots=True)
class MoveCondition:
    """Which label a move is meant for: one that stands where `if_match` says, or with `new` one that isn't there."""

    if_match: IfMatch | None
    new: bool


class PromptDesk:
    """Takes in what people send, and changes prompts with it."""

    def __init__(self, services: Services, bench: PromptBench) -> None:
        self._services = services
        self._bench = bench

    async def add(self, name: str, sent: NewVersion, act: Act, claim: IdempotencyClaim | None) -> PromptVersion:
        """Make what was sent the prompt's next version, or give the one that the claim stands for.

        Raises:
            PromptUnknown: If no prompt of that name ships.
            PromptInvalid: If it breaks its contract, or is another prompt's.
            InvalidInput: If no reason is given.
            IdempotencyConflict: If the key came with another request before.
            StoreUnavailable: If it can't be put on record.
        """
        act = replace(act, reason=_reason(sent.reason))
        if claim is not None and (made := await self._services.prompts.version_of(claim)):
            return made
        workshop = self._services.workshop
        content = workshop.parse(sent.text) if sent.text is not None else workshop.content_of(sent.content or {})
        if content.name != name:
            raise _another(name, content.name)
        return await workshop.add(content, act, claim)

    async def move(
        self, name: str, label: str, sent: LabelMoveRequest, condition: MoveCondition, act: Act
    ) -> PromptLabel:
        """Put a label on a version; `production` is measured first.

        Raises:
            PromptUnknown: If no prompt of that name ships.
            PromptVersionUnknown: If there is no such version.
            PreconditionRequired: If nothing is said of where the label stands.
            PreconditionFailed: If it was moved since, with where it stands now.
            EvaluationBelow: If the version falls short, and too few have consented to that.
            EvaluationTimeout: If measuring takes too long.
            EvaluationUnderway: If as much is being measured as may be at once.
            OverrideForbidden: If the version's author consents to it.
            InvalidInput: If no reason is given, or the label isn't a name.
            StoreUnavailable: If it can't be put on record.
        """
        act = replace(act, reason=_reason(sent.reason))
        revision = await self._revision(name, label, sent, condition)
        if sent.override:
            await self._services.prompts.record_override(name, _reviewed(label), sent.version, act)
        try:
            if label != PRODUCTION:
                return await self._services.workshop.move(name, label, sent.version, act, revision=revision)
            async with self._bench.evaluating():
                return await self._services.workshop.move(name, label, sent.version, act, revision=revision)
        except PreconditionFailed as exc:
            raise failed(_wanted(sent), _document(await self._found(name, label))) from exc
        except EvaluationBelow as exc:
            raise as_answered(exc) from exc

    async def consent(self, name: str, label: str, sent: OverrideRequest, act: Act) -> PromptOverride:
        """Put a person's consent to a version that falls short on record.

        Raises:
            PromptUnknown: If no prompt of that name ships.
            PromptVersionUnknown: If there is no such version.
            ContentHashMismatch: If the version isn't the one that the hash names.
            OverrideForbidden: If it is the version's author.
            InvalidInput: If no reason is given, or the label's moves aren't reviewed.
            StoreUnavailable: If it can't be put on record.
        """
        act = replace(act, reason=_reason(sent.reason))
        version = await self._services.prompts.version(name, sent.version)
        if version.content_hash != sent.content_hash:
            raise ContentHashMismatch(
                f"{version.id} has the content hash {version.content_hash}, not {sent.content_hash}",
                hint="Look at the version that you consent to, and send its content hash.",
            )
        return await self._services.prompts.record_override(name, _reviewed(label), sent.version, act)

    async def _revision(self, name: str, label: str, sent: LabelMoveRequest, condition: MoveCondition) -> int:
        now = await self._found(name, label)
        if condition.if_match is None and not condition.new:
            raise PreconditionRequired(
                "the request doesn't say where the label stands",
                hint=f'Send If-Match: "{now.revision}".' if now else "Send If-None-Match: *, since it is new.",
            )
        if condition.new and now is not None:
            raise failed(_wanted(sent), _document(now))
        check_if_match(condition.if_match, str(now.revision) if now else None, _wanted(sent), _document(now))
        return now.revision if now else 0

    async def _found(self, name: str, label: str) -> PromptLabel | None:
        try:
            return await self._services.prompts.label(name, label)
        except PromptLabelUnknown:
            return None


def _wanted(sent: LabelMoveRequest) -> dict[str, Any]:
    return {"version": sent.version}


def _document(label: PromptLabel | None) -> Mapping[str, Any] | None:
    return PromptLabelWire.of(label).model_dump(mode="json") if label else None


def _reviewed(label: str) -> str:
    """The label, if consent means something there."""
    if label != PRODUCTION:
        raise _invalid("label", "not_reviewed", f"only {PRODUCTION} is measured, so nothing is to be overridden")
    return label


def _reason(sent: str) -> str:
    reason, _ = clean(sent)
    if not reason.strip():
        raise _invalid("reason", "empty", "say why")
    return reason


def _invalid(path: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, violations=[Violation(path=path, code=code, message=message)])


def _another(name: str, sent: str) -> PromptInvalid:
    wrong = misnamed(name, sent)
    return PromptInvalid(f"the name {wrong.message}", violations=[wrong])
