"""Prompts' values as rows and JSON documents, and back."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import RowMapping, Select, select

from reward_llm.domain.prompts import (
    LabelMove,
    PromotionEvidence,
    PromptContent,
    PromptLabel,
    PromptOverride,
    PromptVersion,
)
from reward_llm.errors import PromptInvalid
from reward_llm.store.tables import prompt_label_moves, prompt_labels, prompt_overrides, prompt_versions

LABELS: Final[Select[Any]] = select(prompt_labels, prompt_versions.c.number).join_from(
    prompt_labels, prompt_versions, prompt_versions.c.id == prompt_labels.c.version_id
)
"""Labels with the numbers of their versions."""
MOVES: Final[Select[Any]] = select(prompt_label_moves, prompt_labels.c.name, prompt_labels.c.label).join_from(
    prompt_label_moves, prompt_labels, prompt_labels.c.id == prompt_label_moves.c.label_id
)
"""Moves with what was moved."""
OVERRIDES: Final[Select[Any]] = select(prompt_overrides, prompt_versions.c.name, prompt_versions.c.number).join_from(
    prompt_overrides, prompt_versions, prompt_versions.c.id == prompt_overrides.c.version_id
)
"""Consents with the versions that they are to."""
_CONTENT: Final = TypeAdapter(PromptContent)
_EVIDENCE: Final = TypeAdapter(PromotionEvidence | None)


def version_values(version: PromptVersion) -> dict[str, Any]:
    """A version as a row of `prompt_versions`."""
    return {
        "id": version.id,
        "name": version.name,
        "number": version.number,
        "content_hash": version.content_hash,
        "content": version.content.document,
        "author": version.author,
        "reason": version.reason,
        "packaged": version.packaged,
        "created_at": version.created_at,
    }


def version(row: RowMapping) -> PromptVersion:
    """A row of `prompt_versions`.

    Raises:
        PromptInvalid: If what is stored isn't a prompt, or another one than its hash says.
    """
    column = prompt_versions.c
    try:
        content = _CONTENT.validate_python(row[column.content])
    except ValidationError as exc:
        raise PromptInvalid(f"{row[column.id]}, as it is stored, isn't a prompt: {exc}") from exc
    if content.content_hash != row[column.content_hash]:
        raise PromptInvalid(f"{row[column.id]}, as it is stored, isn't what its content hash says")
    return PromptVersion(
        content=content,
        number=row[column.number],
        author=row[column.author],
        created_at=None if row[column.packaged] else row[column.created_at],
        reason=row[column.reason],
        packaged=row[column.packaged],
    )


def label_id(name: str, label: str) -> str:
    """What names a label in its table."""
    return f"{name}/{label}"


def label(row: RowMapping) -> PromptLabel:
    """A row of `LABELS`."""
    column = prompt_labels.c
    return PromptLabel(
        prompt=row[column.name],
        label=row[column.label],
        number=row[prompt_versions.c.number],
        revision=row[column.revision],
        moved_by=row[column.moved_by],
        moved_at=row[column.moved_at],
    )


def evidence_document(evidence: PromotionEvidence | None) -> Any:
    """What a promotion rests on, as JSON."""
    return _EVIDENCE.dump_python(evidence, mode="json")


def move_values(move: LabelMove) -> dict[str, Any]:
    """A move as a row of `prompt_label_moves`."""
    return {
        "label_id": label_id(move.prompt, move.label),
        "revision": move.revision,
        "from_number": move.from_number,
        "to_number": move.to_number,
        "moved_by": move.moved_by,
        "moved_at": move.moved_at,
        "reason": move.reason,
        "evidence": evidence_document(move.evidence),
        "overridden_by": list(move.overridden_by),
    }


def move(row: RowMapping) -> LabelMove:
    """A row of `MOVES`."""
    column = prompt_label_moves.c
    return LabelMove(
        prompt=row[prompt_labels.c.name],
        label=row[prompt_labels.c.label],
        revision=row[column.revision],
        from_number=row[column.from_number],
        to_number=row[column.to_number],
        moved_by=row[column.moved_by],
        moved_at=row[column.moved_at],
        reason=row[column.reason],
        evidence=_EVIDENCE.validate_python(row[column.evidence]),
        overridden_by=tuple(row[column.overridden_by]),
    )


def override_values(override: PromptOverride) -> dict[str, Any]:
    """A consent as columns of `prompt_overrides`."""
    return {
        "content_hash": override.content_hash,
        "label": override.label,
        "given_by": override.given_by,
        "given_at": override.given_at,
        "reason": override.reason,
    }


def override(row: RowMapping) -> PromptOverride:
    """A row of `OVERRIDES`."""
    column = prompt_overrides.c
    return PromptOverride(
        prompt=row[prompt_versions.c.name],
        number=row[prompt_versions.c.number],
        content_hash=row[column.content_hash],
        label=row[column.label],
        given_by=row[column.given_by],
        given_at=row[column.given_at],
        reason=row[column.reason],
    )
