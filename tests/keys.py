"""Keys that sign in tests."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(b"1" * 32)
STRANGER: Final = Ed25519PrivateKey.from_private_bytes(b"2" * 32)
