from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from reward_llm.api.sign_in import id_token
from reward_llm.api.sign_in.config import SignInConfig
from reward_llm.errors import ProviderUnavailable, SignInFailed

NOW = datetime(2026, 6, 18, 12, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
CONFIG = SignInConfig(issuer="https://id.example", client_id="reward-llm", public_url="https://feed.example")
CLAIMS = {"iss": CONFIG.issuer, "aud": "reward-llm", "sub": "1", "nonce": "n", "iat": NOW_S, "exp": NOW_S + 60}
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
KEYS = {
    "RS256": RSA,
    "PS384": RSA,
    "ES256": ECKey.generate_key("P-256", {"kid": "p256"}),
    "ES512": ECKey.generate_key("P-521", {"kid": "p521"}),
    "Ed25519": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}


def published(*keys: Any) -> dict[str, Any]:
    return dict(KeySet(list(keys)).as_dict(private=False))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def verified(token: str, keys: Any, config: SignInConfig = CONFIG) -> Any:
    return id_token.verified(token, keys, config=config, nonce="n", now=NOW)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_that_the_provider_publishes_signs(algorithm: str) -> None:
    key = KEYS[algorithm]
    token = jwt.encode({"alg": algorithm, "kid": key.kid}, CLAIMS, key, algorithms=[algorithm])
    assert verified(token, published(*(k for name, k in KEYS.items() if name != "PS384"))) == CLAIMS


def test_a_key_that_it_took_back_signs_no_more() -> None:
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, CLAIMS, RSA)
    with pytest.raises(SignInFailed):
        verified(token, published(KEYS["ES256"]))


def test_a_published_key_is_no_shared_secret() -> None:
    """The old trick: HS256 with the text of the public key, which everybody knows."""
    head, body = (base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "rsa"}, CLAIMS))
    signature = hmac.digest(RSA.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    token = f"{head}.{body}.{base64url(signature)}"
    with pytest.raises(SignInFailed):
        verified(token, published(RSA))


@pytest.mark.parametrize("position", range(0, 400, 37))
def test_a_token_that_was_changed_anywhere_doesnt_hold(position: int) -> None:
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, CLAIMS, RSA)
    changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
    with pytest.raises(SignInFailed):
        verified(changed, published(RSA))


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": [{}]}, {"keys": "rsa"}, {"keys": [{"kty": "RSA"}]}])
def test_keys_that_cant_be_used_are_the_providers_fault(keys: Any) -> None:
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, CLAIMS, RSA)
    with pytest.raises(ProviderUnavailable):
        verified(token, keys)


def test_a_token_for_several_is_taken_from_its_party() -> None:
    claims = {**CLAIMS, "aud": ["reward-llm", "other"], "azp": "reward-llm"}
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, claims, RSA)
    assert verified(token, published(RSA)) == claims


@pytest.mark.parametrize(
    ("groups", "held"),
    [(["ads", "x"], ("ads",)), ("ads", ("ads",)), (None, ()), ({"ads": 1}, ()), ([["ads"], 5], ()), ("", ())],
)
def test_groups_that_give_no_role_arent_kept(groups: Any, held: tuple[str, ...]) -> None:
    config = SignInConfig(
        issuer=CONFIG.issuer, client_id="c", public_url=CONFIG.public_url, name_claim="sub", roles={"ads": ()}
    )
    assert id_token.identity({**CLAIMS, "groups": groups}, config).groups == held


@pytest.mark.parametrize("name", ["anonymous", "rules", "webhooks", "reward-llm db"])
def test_nobody_is_called_what_the_service_works_under(name: str) -> None:
    config = replace(CONFIG, name_claim="preferred_username")
    with pytest.raises(SignInFailed, match="usable"):
        id_token.identity({**CLAIMS, "preferred_username": name}, config)
