"""Checkpoints of the audit log as signed documents."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reward_llm.domain.audit import Checkpoint, Link
from reward_llm.domain.canonical import canonical
from reward_llm.errors import SignatureInvalid
from reward_llm.validation.signatures import fingerprint, sign, verify


def name_of(checkpoint: Checkpoint) -> str:
    """The file that it is kept in; names sort as checkpoints do."""
    return f"{checkpoint.sequence:015}.json"


def signed(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """The checkpoint with a signature over its canonical form, and the fingerprint of the key."""
    document = checkpoint.document
    signature = sign(key, canonical(document))
    made = {"checkpoint": document, "key": fingerprint(key.public_key()), "signature": signature}
    return canonical(made) + b"\n"


def opened(name: str, content: bytes, key: Ed25519PublicKey) -> Checkpoint:
    """The checkpoint in a file, if the key's owner signed it.

    Raises:
        SignatureInvalid: If they didn't, or it isn't a checkpoint.
    """
    try:
        document = json.loads(content)
        checkpoint, signature = document["checkpoint"], document["signature"]
        genuine = verify(key, canonical(checkpoint), signature)
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise SignatureInvalid(f"{name} isn't a signed checkpoint") from exc
    if not genuine:
        made_with = document.get("key")
        mine = fingerprint(key)
        hint = f"It names the key {made_with}; this one is {mine}." if made_with != mine else None
        raise SignatureInvalid(f"the checkpoint {name} isn't signed with this key", hint=hint)
    return _checkpoint(name, checkpoint)


def _checkpoint(name: str, document: dict[str, Any]) -> Checkpoint:
    try:
        found = Checkpoint(
            sequence=document["sequence"],
            hash=document["hash"],
            chains={chain: Link(*link) for chain, link in document["chains"].items()},
            at=datetime.fromisoformat(document["at"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise SignatureInvalid(f"{name} signs something else than a checkpoint") from exc
    if canonical(found.document) != canonical(document):
        raise SignatureInvalid(f"{name} signs something else than a checkpoint")
    return found
