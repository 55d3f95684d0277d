"""Moves of labels and consents to them, inside one transaction."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.domain.promotion import OVERRIDES_NEEDED, may_pass, measures
from reward_llm.domain.prompts import (
    LABEL_PATTERN,
    PRODUCTION,
    LabelMove,
    PromotionEvidence,
    PromptLabel,
    PromptOverride,
    PromptVersion,
)
from reward_llm.errors import Difference, EvaluationBelow, InvalidInput, PreconditionFailed
from reward_llm.store import prompt_codec as codec
from reward_llm.store.ledger import Action
from reward_llm.store.tables import prompt_label_moves, prompt_labels, prompt_overrides
from reward_llm.store.writing import Writing


def check_label(label: str) -> None:
    """Accept a label's name.

    Raises:
        InvalidInput: If it isn't one.
    """
    if not LABEL_PATTERN.fullmatch(label):
        raise InvalidInput(
            f"{label[:60]!r} isn't a label",
            hint="Take lower-case letters, digits, _ and -, at most 40, a letter first.",
        )


def check_revision(before: PromptLabel | None, label: str, revision: int) -> None:
    """Accept a move that is meant for how the label stands now.

    Raises:
        PreconditionFailed: If it was moved since, or is there although it was to be new.
    """
    now = before.revision if before else 0
    if now == revision:
        return
    current = {"label": label, "version": before.number if before else None, "revision": now}
    raise PreconditionFailed(
        f"the label {label!r} has the revision {now}, not {revision}",
        hint="Look where it stands now, and move it from there if you still want to.",
        current=current,
        differences=[Difference(path="/revision", yours=revision, current=now)],
    )


def check_evidence(
    label: str, version: PromptVersion, evidence: PromotionEvidence | None, consenting: tuple[str, ...]
) -> None:
    """Accept a move that nothing speaks against, or that enough people want all the same.

    Raises:
        InvalidInput: If production is to move unmeasured, or with what was measured of another version.
        EvaluationBelow: If the version falls short, and too few have overridden that.
    """
    if evidence is None:
        if label == PRODUCTION:
            raise InvalidInput(f"{PRODUCTION} moves only with an evaluation")
        return
    if not measures(evidence, version):
        raise InvalidInput(f"the evaluation is of another version than {version.id}")
    if may_pass(evidence, consenting):
        return
    given = f" ({', '.join(consenting)} gave theirs)" if consenting else ""
    raise EvaluationBelow(
        f"{version.id} can't be promoted: " + "; ".join(evidence.shortfalls),
        hint=f"Make a better version, or have {OVERRIDES_NEEDED} people other than its author override this{given}.",
        evidence=codec.evidence_document(evidence),
    )


async def write_move(writing: Writing, move: LabelMove, version: PromptVersion) -> None:
    """Put the label where the move takes it, and the move into its history."""
    key = codec.label_id(move.prompt, move.label)
    stands = {
        "version_id": version.id,
        "revision": move.revision,
        "moved_by": move.moved_by,
        "moved_at": move.moved_at,
    }
    if move.revision == 1:
        await writing.insert(prompt_labels, {"id": key, "name": move.prompt, "label": move.label, **stands})
    else:
        await writing.update(prompt_labels, key, stands)
    await writing.insert(prompt_label_moves, codec.move_values(move))
    await writing.put_on_record(Action.PROMPT_LABEL_MOVED, key, details={"version": version.id})


async def write_override(writing: Writing, version: PromptVersion, label: str) -> PromptOverride:
    """Put the actor's consent on record."""
    act: Act = writing.act
    made = PromptOverride(
        prompt=version.name,
        number=version.number,
        content_hash=version.content_hash,
        label=label,
        given_by=act.actor,
        given_at=act.at,
        reason=act.reason,
    )
    await writing.insert(prompt_overrides, codec.override_values(made) | {"version_id": version.id})
    await writing.put_on_record(Action.PROMPT_OVERRIDDEN, version.id, details={"label": label})
    return made


async def overrides_of(connection: AsyncConnection, version: PromptVersion, label: str) -> list[PromptOverride]:
    """The consents to a version under a label, oldest first."""
    column = prompt_overrides.c
    query = codec.OVERRIDES.where(column.version_id == version.id, column.label == label).order_by(column.sequence)
    return [codec.override(row) for row in (await connection.execute(query)).mappings()]
