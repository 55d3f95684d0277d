from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.errors import ConfigurationInvalid
from reward_llm.validation.signatures import (
    fingerprint,
    load_private_key,
    load_public_key,
    sign,
    verify,
    write_key_pair,
)
from tests.keys import PRIVATE, STRANGER


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_a_signature_is_good_for_one_message_and_one_key(message: bytes, other: bytes) -> None:
    signature = sign(PRIVATE, message)
    assert verify(PRIVATE.public_key(), message, signature)
    assert verify(PRIVATE.public_key(), other, signature) == (other == message)
    assert not verify(STRANGER.public_key(), message, signature)


@pytest.mark.parametrize("signature", ["", "x", "é", "AAAA", "!" * 88])
def test_what_is_no_signature_verifies_nothing(signature: str) -> None:
    assert not verify(PRIVATE.public_key(), b"message", signature)


def test_keys_come_back_from_their_files(tmp_path: Path) -> None:
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    made = write_key_pair(private, public)
    signature = sign(load_private_key(private), b"message")
    assert verify(load_public_key(public), b"message", signature)
    assert fingerprint(load_public_key(public)) == fingerprint(made)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    write_key_pair(private, public)
    before = private.read_bytes(), public.read_bytes()
    with pytest.raises(ConfigurationInvalid, match="already"):
        write_key_pair(private, tmp_path / "other.pem")
    with pytest.raises(ConfigurationInvalid, match="already"):
        write_key_pair(tmp_path / "other.pem", public)
    assert (private.read_bytes(), public.read_bytes()) == before
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_no_key_is_refused_with_its_path(tmp_path: Path) -> None:
    private, public, text = tmp_path / "private.pem", tmp_path / "public.pem", tmp_path / "text.pem"
    write_key_pair(private, public)
    text.write_text("no key")
    for path in (text, public, tmp_path / "missing.pem"):
        with pytest.raises(ConfigurationInvalid, match=path.name):
            load_private_key(path)
    for path in (text, private, tmp_path / "missing.pem"):
        with pytest.raises(ConfigurationInvalid, match=path.name):
            load_public_key(path)


def test_keys_of_another_kind_are_refused(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(ConfigurationInvalid, match="Ed25519"):
        load_private_key(private)
    with pytest.raises(ConfigurationInvalid, match="Ed25519"):
        load_public_key(public)
