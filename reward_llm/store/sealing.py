"""Secrets that the service must be able to read again, as columns hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from reward_llm.errors import ConfigurationInvalid

_PLAIN: Final = "plain:"
_SEALED: Final = "fernet:"
_HINT: Final = (
    "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())' makes a key; several "
    "are separated by commas, the one for new secrets first."
)


class Sealer:
    """Encrypts secrets (Fernet: AES-128-CBC with HMAC-SHA256), or keeps them plainly where it has no key."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """With the first key new secrets are sealed; all of them open old ones.

        Raises:
            ConfigurationInvalid: If one isn't 32 bytes in URL-safe base64.
        """
        try:
            self._fernet = MultiFernet([Fernet(k.strip()) for k in keys]) if keys else None
        except ValueError:
            raise ConfigurationInvalid("a webhook key isn't 32 bytes in URL-safe base64", hint=_HINT) from None

    def seal(self, secret: str) -> str:
        """What a column holds of the secret."""
        if self._fernet is None:
            return _PLAIN + secret
        return _SEALED + self._fernet.encrypt(secret.encode()).decode("ascii")

    def open(self, sealed: str) -> str | None:
        """The secret; None if it was sealed with a key that there isn't any more."""
        if sealed.startswith(_PLAIN):
            return sealed.removeprefix(_PLAIN)
        if self._fernet is None:
            return None
        try:
            return self._fernet.decrypt(sealed.removeprefix(_SEALED)).decode()
        except InvalidToken:
            return None
