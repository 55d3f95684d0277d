"""`oidc-provider-mock` on a port, checking PKCE as well, which can be made to lie; a process of its own.

PUT /lies {"claims": {…}, "remove": […], "signature": "other" | "none" | "secret" | "broken" | null, "status": 200}
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from typing import Any

import flask
import httpx
import oidc_provider_mock
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from oidc_provider_mock._storage import storage

app = oidc_provider_mock.app(require_nonce=True)
challenges: dict[str, str] = {}
lie: dict[str, Any] = {}


@app.put("/lies")
def change_the_lie() -> tuple[str, int]:
    lie.clear()
    lie.update(flask.request.get_json())
    return "", 204


@app.before_request
def check_pkce() -> tuple[dict[str, str], int] | None:
    if flask.request.path != "/oauth2/token":
        return None
    verifier = flask.request.form.get("code_verifier", "")
    shown = base64url(hashlib.sha256(verifier.encode()).digest())
    return None if challenges.get(flask.request.form["code"]) == shown else ({"error": "invalid_grant"}, 400)


@app.after_request
def remember_challenge(response: flask.Response) -> flask.Response:
    query = flask.request.args
    if flask.request.path == "/oauth2/authorize" and "code=" in response.headers.get("Location", ""):
        assert query["code_challenge_method"] == "S256"
        challenges[httpx.URL(response.headers["Location"]).params["code"]] = query["code_challenge"]
    return response


@app.after_request
def tell_the_lie(response: flask.Response) -> flask.Response:
    if flask.request.path == "/oauth2/token" and response.status_code == 200 and lie:
        document = response.get_json()
        document["id_token"] = changed(document["id_token"])
        response.set_data(json.dumps(document))
        response.status_code = lie["status"]
    return response


def changed(token: str) -> str:
    key = RSAKey.import_key(storage.jwk.as_dict(is_private=True))
    claims = {**jwt.decode(token, key).claims, **lie["claims"]}
    return signed({k: v for k, v in claims.items() if k not in lie["remove"]}, key)


def signed(claims: dict[str, Any], key: RSAKey) -> str:
    header = {"alg": "RS256", "kid": key.kid}
    match lie["signature"]:
        case "other":
            return jwt.encode(header, claims, RSAKey.generate_key(2048))
        case "secret":
            return jwt.encode(
                {"alg": "HS256"}, claims, OctKey.import_key(b"known to two, so either can sign with it")
            )
        case "none":
            return ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "none"}, claims)) + "."
        case "broken":
            return "not.a.token"
    return jwt.encode(header, claims, key)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), threaded=True, use_reloader=False)
