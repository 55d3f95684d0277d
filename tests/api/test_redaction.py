"""Secrets stay out of the log, by whatever way they get near it."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.api.redaction import HIDDEN, redact, redacted_values, standard_logging
from reward_llm.cli.serve import configure_logging
from tests import databases
from tests import service as services

SECRET = "Tr0ub4dor-and-3"
CARRIERS = {
    "our token": f"rlm_Ab3dEf9h_{SECRET}",
    "a bearer header": f"Authorization: Bearer {SECRET}",
    "a basic header": f"authorization: Basic {SECRET}==",
    "a header as JSON": f'{{"authorization": "Custom {SECRET}"}}',
    "a session cookie": f"cookie: a=b; reward_llm_session={SECRET}; c=d",
    "a session cookie behind https": f"__Host-reward_llm_session={SECRET}",
    "a sign-in cookie": f"reward_llm_sign_in={SECRET}",
    "a database's password": f"no answer from postgresql+asyncpg://app:{SECRET}@db:5432/weights",
    "a password with signs": f"postgresql://app:{SECRET}%40!$&*@db/weights",
    "a password with an at sign": f"postgresql://app:x@{SECRET}@db/weights",
    "a password without a user": f"redis://:{SECRET}@cache:6379/0",
    "a webhook's password": f"POST https://hook:{SECRET}@receiver.example/in failed",
    "a webhook's secret": f"whsec_{SECRET}",
    "a code on its way back": f"GET /v1/sign-in/callback?code={SECRET}&state={SECRET}",
    "a form": f"grant_type=authorization_code&client_secret={SECRET}&code_verifier={SECRET}",
    "libpq's parameters": f"host=db password={SECRET} dbname=weights",
    "a repr": f"Settings(oidc_client_secret='{SECRET}', password=\"{SECRET}\")",
    "a JSON document inside another": f'{{"body": "{{\\"password\\": \\"{SECRET}\\"}}"}}',
    "a key": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
    "a key that was cut off": f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{SECRET}",
    "an ID token": f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIi{SECRET}.c2ln{SECRET}",
}
INNOCENT = [
    "goal.state=proposed decision=propose",
    "the policy pol_3f2a is state=active, and a token of thanks",
    "http://127.0.0.1:8300/v1/weights/home_feed?segment=new_user",
    "2026-06-18T12:00:00+00:00 the bearer of news",
    "GMV目标1亿，次日留存不低于65%",
    "sqlite:///var/reward_llm.db",
    "postgresql://postgres@127.0.0.1:5432/reward_llm",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
]


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
@given(
    before=st.text(st.characters(codec="utf-8"), max_size=20),
    after=st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(carrier: str, before: str, after: str) -> None:
    assert SECRET not in redact(f"{before} {carrier} {after}")


@given(secret=st.text(min_size=1), escaped=st.integers(0, 2))
def test_a_json_document_stays_one_whatever_its_secret_is_made_of(secret: str, escaped: int) -> None:
    text = json.dumps({"client_secret": secret, "after": "kept"})
    for _ in range(escaped):
        text = json.dumps(text)
    document = redact(text)
    for _ in range(escaped + 1):
        document = json.loads(document)
    assert document == {"client_secret": HIDDEN, "after": "kept"}


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_secret_is_left_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
def test_hiding_twice_is_hiding_once(carrier: str) -> None:
    assert redact(redact(carrier)) == redact(carrier)


@pytest.mark.parametrize("piece", ["a.", "a-", "eyJ-", "secret-", "rlm_a-", "a://", "bearer to ", "secret "])
def test_the_work_on_a_line_grows_with_its_length_and_no_faster(piece: str) -> None:
    """A stranger chooses what is logged of a request: at a square of its length this test wouldn't end."""
    line = piece * (400_000 // len(piece))
    assert redact(line) == line


def test_who_a_token_is_of_can_still_be_seen() -> None:
    assert redact(CARRIERS["our token"]) == f"rlm_Ab3dEf9h_{HIDDEN}"


@pytest.mark.parametrize(
    "fields",
    [
        {"password": SECRET},
        {"client_secret": SECRET},
        {"headers": {"Authorization": SECRET, "cookie": SECRET}},
        {"headers": [(b"authorization", SECRET.encode()), (b"accept", b"*/*")]},
        {"settings": {"database": {"password": [SECRET]}}},
        {"vllm_api_key": SECRET, "private_key": SECRET.encode()},
        {"access_token": SECRET, "id_token": SECRET, "nonce": SECRET, "code_verifier": SECRET},
    ],
)
def test_what_stands_under_a_secrets_name_is_hidden_whatever_it_is(fields: dict[str, Any]) -> None:
    assert SECRET not in str(redacted_values(None, "info", {"event": "x", **fields}))


def test_what_stands_under_another_name_is_kept() -> None:
    fields = {"event": "goal.read", "tokens": 12, "max_tokens": 64, "state": "proposed", "weights": {"click": 0.5}}
    assert redacted_values(None, "info", dict(fields)) == fields


@pytest.fixture
def error_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """What is written to standard error while the program's logging is in place."""
    path, configured = tmp_path / "stderr", structlog.get_config()
    root, level = logging.getLogger(), logging.getLogger().level
    handlers = root.handlers[:]
    with path.open("w", encoding="utf-8") as out:
        monkeypatch.setattr(sys, "stderr", out)
        configure_logging("debug")
        logging.config.dictConfig(standard_logging("debug"))
        yield path
        root.handlers[:], root.level = handlers, level
        structlog.configure(**configured)


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
def test_every_way_into_the_log_hides_secrets(error_output: Path, carrier: str) -> None:
    log = structlog.get_logger()
    log.info(carrier, error=carrier, nested={"list": [carrier, {"deep": carrier}]}, raw=carrier.encode())
    log.warning("x", error=RuntimeError(carrier))
    with structlog.contextvars.bound_contextvars(bound=carrier):
        log.info("bound")
    for logger in ("uvicorn.error", "asyncio", "some.library"):
        logging.getLogger(logger).error("%s", carrier)
    try:
        try:
            int(carrier)
        except ValueError as exc:
            raise RuntimeError(carrier) from exc
    except RuntimeError:
        log.exception("crashed")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    sys.stderr.flush()
    written = error_output.read_text("utf-8")
    assert written.count(HIDDEN) >= 8
    assert SECRET not in written


def with_password(url: str) -> str:
    return url.replace("postgres@", f"postgres:{SECRET}@")


def test_a_service_in_trouble_writes_no_secrets(
    tmp_path: Path, postgres_server: str, unused_tcp_port_factory: Any
) -> None:
    """A database that goes away, an identity provider that isn't there, and credentials in all the wrong places."""
    settings = {
        "backend": "rules",
        "access": "tokens",
        "oidc_issuer": f"http://127.0.0.1:{unused_tcp_port_factory()}",
        "oidc_client_secret": SECRET,
        "log_level": "debug",
    }
    port = unused_tcp_port_factory()
    with (
        databases.database() as url,
        services.service(tmp_path, port, database_url=with_password(url), **settings) as at,
    ):
        provoke(at.http)
        databases.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")
        provoke(at.http)
        databases.execute(f"CREATE DATABASE {url.rpartition('/')[2]}")
        provoke(at.http)
        written = at.log.read_text("utf-8")
    assert "store_unavailable" in written
    assert "provider_unavailable" in written
    assert SECRET not in written


def provoke(http: httpx.Client) -> None:
    tokens = [f"rlm_Ab3dEf9h_{SECRET}", SECRET, f"{SECRET} {SECRET}"]
    headers = [{"Authorization": f"{scheme} {t}"} for t in tokens for scheme in ("Bearer", "Basic")]
    cookies = [{"Cookie": f"{name}={SECRET}"} for name in ("reward_llm_session", "reward_llm_sign_in")]
    for sent in (*headers, *cookies):
        for path in ("/v1/policies", "/v1/sign-in", f"/v1/sign-in/callback?code={SECRET}&state={SECRET}"):
            http.get(path, headers=sent)
        http.post(f"/v1/goals?token={SECRET}", headers=sent, json={"text": SECRET})
        http.post("/v1/webhooks", headers=sent, json={"url": f"https://hook:{SECRET}@receiver.example"})
