"""Signatures as the Standard Webhooks specification has them: HMAC-SHA256 over `id.timestamp.body`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from reward_llm.domain.webhooks import SECRET_PREFIX
from reward_llm.errors import WebhookSignatureInvalid

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
REPLAY_WINDOW: Final = timedelta(minutes=5)
_VERSION: Final = "v1,"


def signed_headers(secrets: Iterable[str], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that a receiver checks, with one signature a secret.

    Raises:
        WebhookSignatureInvalid: If a secret isn't `whsec_` and base64.
    """
    timestamp = str(int(at.timestamp()))
    return {
        ID_HEADER: event_id,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: " ".join(_signature(s, event_id, timestamp, body) for s in secrets),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str],
    now: datetime,
    window: timedelta = REPLAY_WINDOW,
) -> str:
    """The event's id, if the body was signed with one of the secrets just now.

    Check it against the ids that were seen within the window: a repetition has the same one.

    Raises:
        WebhookSignatureInvalid: If a header is missing, the moment lies outside the window, or no signature fits.
    """
    given = {name.lower(): value for name, value in headers.items()}
    event_id, timestamp = given.get(ID_HEADER, ""), given.get(TIMESTAMP_HEADER, "")
    if not event_id or not timestamp.isdecimal() or not timestamp.isascii():
        raise WebhookSignatureInvalid("a header of the signature is missing or malformed")
    if abs(now.timestamp() - int(timestamp)) > window.total_seconds():
        raise WebhookSignatureInvalid("the signature is too old, or from the future")
    candidates = given.get(SIGNATURE_HEADER, "").encode().split()
    for secret in secrets:
        fitting = _signature(secret, event_id, timestamp, body).encode()
        if any(hmac.compare_digest(fitting, candidate) for candidate in candidates):
            return event_id
    raise WebhookSignatureInvalid("no signature fits", hint="Is it the secret that was shown for this webhook?")


def _signature(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return _VERSION + base64.b64encode(digest).decode("ascii")


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise WebhookSignatureInvalid("a webhook's secret isn't whsec_ and base64") from None
