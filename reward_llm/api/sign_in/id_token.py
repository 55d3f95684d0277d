"""ID tokens: a provider's signed word on who somebody is (OpenID Connect Core 1.0, sections 2 and 3.1.3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from reward_llm.api.sign_in.config import SignInConfig
from reward_llm.domain.access import RESERVED_NAMES
from reward_llm.domain.session import Identity
from reward_llm.errors import ProviderUnavailable, SignInFailed

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
"""Those that take the provider's private key; a client's secret or nothing at all signs no token."""
MAX_NAME_CHARS: Final = 100
_CHECK: Final = "Ask whoever runs the identity provider, and set REWARD_LLM_OIDC_NAME_CLAIM to a claim that it fills."


def verified(
    token: str, keys: Mapping[str, Any], *, config: SignInConfig, nonce: str, now: datetime
) -> Mapping[str, Any]:
    """What the token claims, if the provider signed it for this sign-in.

    Raises:
        SignInFailed: If it is another's, for others, from before, over, or was changed.
        ProviderUnavailable: If the keys can't be used.
    """
    try:
        key_set = KeySet.import_key_set(cast("Any", keys))
    except (JoseError, KeyError, TypeError, ValueError) as exc:
        raise ProviderUnavailable("the identity provider's keys can't be used") from exc
    expected = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=config.skew_s,
        iss={"essential": True, "value": config.issuer},
        aud={"essential": True, "value": config.client_id},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        claims = jwt.decode(token, key_set, algorithms=list(ALGORITHMS)).claims
        expected.validate(claims)
    except (JoseError, ValueError) as exc:
        raise SignInFailed(f"the identity provider's word doesn't hold: {type(exc).__name__}") from exc
    _check_party(claims, config.client_id)
    return claims


def identity(claims: Mapping[str, Any], config: SignInConfig) -> Identity:
    """The person that the claims are of, with those of their groups that have roles here.

    Raises:
        SignInFailed: If they have no name to put on record.
    """
    groups = claims.get(config.groups_claim, [])
    held = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    return Identity(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        name=_name(claims, config.name_claim),
        groups=tuple(group for group in config.roles if group in held),
    )


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    """A token for several must say that it was issued to this one."""
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    party = claims.get("azp", None if several else client_id)
    if party != client_id:
        raise SignInFailed("the identity provider's word was given to another service")


def _name(claims: Mapping[str, Any], claim: str) -> str:
    name = claims.get(claim)
    if not isinstance(name, str) or not _is_usable(name.strip()):
        raise SignInFailed(f"the identity provider gives no usable {claim!r}", hint=_CHECK)
    if claim == "email" and claims.get("email_verified") is not True:
        raise SignInFailed(f"the identity provider hasn't verified the email {name!r}", hint=_CHECK)
    return name.strip()


def _is_usable(name: str) -> bool:
    """Whether nobody takes it for another's in the audit log."""
    return 1 <= len(name) <= MAX_NAME_CHARS and name.isprintable() and name not in RESERVED_NAMES
