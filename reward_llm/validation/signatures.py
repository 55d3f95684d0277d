"""Ed25519 signatures (RFC 8032), with keys in PEM files."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reward_llm.errors import ConfigurationInvalid

_HINT: Final = "Make a pair of keys with `reward-llm audit keygen`."
_OWNER_ALONE: Final = 0o600
_FINGERPRINT_DIGITS: Final = 16


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """The key that signs.

    Raises:
        ConfigurationInvalid: If the file can't be read or holds no unencrypted Ed25519 private key.
    """
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ConfigurationInvalid(f"{path} holds no private key that can be used: {exc}", hint=_HINT) from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationInvalid(f"the private key in {path} isn't an Ed25519 key", hint=_HINT)
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """The key that checks signatures.

    Raises:
        ConfigurationInvalid: If the file can't be read or holds no Ed25519 public key.
    """
    try:
        key = serialization.load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ConfigurationInvalid(f"{path} holds no public key: {exc}", hint=_HINT) from exc
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationInvalid(f"the public key in {path} isn't an Ed25519 key", hint=_HINT)
    return key


def write_key_pair(private: Path, public: Path) -> Ed25519PublicKey:
    """Make a new pair of keys; the private one's file is its owner's alone. Nothing is overwritten.

    Raises:
        ConfigurationInvalid: If one of the files is there already, or can't be written.
    """
    key = Ed25519PrivateKey.generate()
    held = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    given = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    if public.exists():
        raise ConfigurationInvalid(f"{public} is there already", hint="Name another file.")
    _write_new(private, held, _OWNER_ALONE)
    _write_new(public, given, 0o644)
    return key.public_key()


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """The signature, in Base64."""
    return base64.b64encode(key.sign(message)).decode("ascii")


def verify(key: Ed25519PublicKey, message: bytes, signature: str) -> bool:
    """Whether the key's owner signed exactly that message."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def fingerprint(key: Ed25519PublicKey) -> str:
    """A short name of the key: the start of the SHA-256 over its 32 bytes, in hexadecimal."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:_FINGERPRINT_DIGITS]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigurationInvalid(f"the key in {path} can't be read: {exc.strerror}", hint=_HINT) from exc


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    except FileExistsError:
        raise ConfigurationInvalid(f"{path} is there already", hint="Name another file.") from None
    except OSError as exc:
        raise ConfigurationInvalid(f"{path} can't be written: {exc.strerror}") from exc
