from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reward_llm.domain.audit import LogHead
from reward_llm.domain.canonical import canonical
from reward_llm.errors import SignatureInvalid
from reward_llm.validation.audit_checkpoints import name_of, opened, signed
from reward_llm.validation.signatures import sign
from tests.audits import CHAINS, chained, checkpoint_of
from tests.keys import PRIVATE, STRANGER

CHECKPOINT = checkpoint_of(chained([(chain, [], {}) for chain in CHAINS], LogHead()))
CONTENT = signed(CHECKPOINT, PRIVATE)


def test_a_signed_checkpoint_comes_back() -> None:
    assert opened("x", CONTENT, PRIVATE.public_key()) == CHECKPOINT


def test_a_checkpoint_says_where_every_chain_ends() -> None:
    document = json.loads(CONTENT)["checkpoint"]
    assert document["sequence"] == 3
    assert document["chains"]["video_feed"] == [1, CHECKPOINT.hash]
    assert document["at"] == "2026-06-18T12:00:00.000000Z"


def signed_part(content: bytes) -> tuple[object, bytes]:
    """The name of the key is a hint alone, and the last digits of Base64 have bits that say nothing."""
    document = json.loads(content)
    return document["checkpoint"], base64.b64decode(document["signature"])


@given(st.integers(0, len(CONTENT) - 2), st.binary(max_size=2))
@example(CONTENT.index(b"key"), b"")
def test_a_checkpoint_that_was_changed_is_refused(at: int, byte: bytes) -> None:
    changed = CONTENT[:at] + byte + CONTENT[at + 1 :]
    with suppress(ValueError, TypeError, KeyError):
        assume(signed_part(changed) != signed_part(CONTENT))
    with pytest.raises(SignatureInvalid, match="the_file"):
        opened("the_file", changed, PRIVATE.public_key())


def test_a_checkpoint_of_somebody_else_is_refused_with_both_keys_named() -> None:
    with pytest.raises(SignatureInvalid) as caught:
        opened("x", signed(CHECKPOINT, STRANGER), PRIVATE.public_key())
    assert "key" in (caught.value.hint or "")


@pytest.mark.parametrize("document", [{}, {"sequence": 1}, {**CHECKPOINT.document, "kind": "reward_policy/1"}])
def test_what_else_the_key_signed_is_no_checkpoint(document: dict[str, object]) -> None:
    content = json.dumps({"checkpoint": document, "signature": sign(PRIVATE, canonical(document))}).encode()
    with pytest.raises(SignatureInvalid, match="something else"):
        opened("x", content, PRIVATE.public_key())


@given(st.integers(1, 10**14), st.integers(1, 10**14))
def test_names_sort_as_checkpoints_do(one: int, other: int) -> None:
    names = [name_of(replace(CHECKPOINT, sequence=n)) for n in (one, other)]
    assert (names[0] < names[1]) == (one < other)
