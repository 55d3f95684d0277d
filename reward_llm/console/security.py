"""What keeps other sites' pages out of these: forms with a secret of the browser's own, and headers."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Final

CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Everything comes from here, and nothing stands in the page itself that runs or paints."""
PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""What browsers may do with a page; a form says where it comes from, to this service alone."""


def new_secret() -> str:
    """What a browser's forms carry, and its cookie has (a double submit)."""
    return secrets.token_urlsafe(24)


def is_own_form(cookie: str | None, sent: str | None) -> bool:
    """Whether a form carries the secret of the browser that sends it."""
    return bool(cookie and sent) and hmac.compare_digest((cookie or "").encode(), (sent or "").encode())
