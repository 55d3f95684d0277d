from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reward_llm.api.edge.config import EdgeConfig
from reward_llm.api.sign_in.config import SignInConfig
from reward_llm.bootstrap import build_app, load_settings
from reward_llm.domain.access import Grant, Role
from reward_llm.errors import ConfigurationInvalid

PROVIDER = {"access": "tokens", "oidc_issuer": "https://id.example", "public_url": "https://feed.example"}


@pytest.fixture
def services(tmp_path: Path) -> Any:
    def build(**settings: Any) -> Any:
        chosen = load_settings(backend="rules", database_url=f"sqlite:///{tmp_path}/new.db", **settings)
        return build_app(chosen).state.context.services

    return build


def edge(services: Any) -> EdgeConfig:
    config: EdgeConfig = services.config.edge
    return config


def test_an_open_service_answers_to_this_machines_names_and_counts_nothing(services: Any) -> None:
    config = edge(services())
    assert config.hosts == {"localhost", "127.0.0.1", "::1"}
    assert (config.requests_per_minute, config.weights_per_minute, config.cors_origins) == (None, None, ())
    assert not config.https


def test_an_open_service_behind_a_proxy_answers_to_any_name(services: Any) -> None:
    assert edge(services(host="0.0.0.0")).hosts is None  # noqa: S104


def test_where_tokens_are_asked_for_requests_are_counted(services: Any) -> None:
    config = edge(services(access="tokens"))
    assert (config.hosts, config.requests_per_minute, config.weights_per_minute) == (None, 600, 60_000)
    config = edge(services(access="tokens", rate_limit_per_minute=5, weights_limit_per_minute=7))
    assert (config.requests_per_minute, config.weights_per_minute) == (5, 7)


def test_limits_that_are_set_count_where_access_is_open_as_well(services: Any) -> None:
    assert edge(services(rate_limit_per_minute=5)).requests_per_minute == 5


def test_people_sign_in_where_a_provider_is_named(services: Any) -> None:
    assert services(access="tokens").sign_in is None
    roles = {"ads": "editor@home_feed viewer"}
    config: SignInConfig = services(**PROVIDER, oidc_client_secret="s", oidc_roles=roles).sign_in.config
    assert config.redirect_uri == "https://feed.example/v1/sign-in/callback"
    assert config.roles == {"ads": (Grant(role=Role.EDITOR, scenario="home_feed"), Grant(role=Role.VIEWER))}
    assert "'s'" not in repr(config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"access": "open"}, "where access is open"),
        ({"oidc_issuer": "http://id.example"}, "http://id.example"),
        ({"oidc_issuer": "id.example"}, "id.example"),
        ({"public_url": "http://feed.example"}, "http://feed.example"),
        ({"oidc_roles": {"ads": "boss"}}, "no role 'boss'"),
        ({"oidc_roles": {"ads": "viewer@shop"}}, "no scenario 'shop'"),
        ({"session_hours": 0}, "session_hours"),
    ],
)
def test_sign_in_that_isnt_safe_or_cant_work_is_refused_at_the_start(
    services: Any, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationInvalid, match=message):
        services(**{**PROVIDER, **changes})


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example.org", "console.example", "https://a.example/path", "null", ""]
)
def test_other_sites_are_named_one_by_one(services: Any, origin: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="cors_origins"):
        services(cors_origins=[origin])


def test_the_environment_sets_roles_and_origins_as_json(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWARD_LLM_OIDC_ROLES", '{"reco-approvers": "approver"}')
    monkeypatch.setenv("REWARD_LLM_CORS_ORIGINS", '["https://console.example:8443", "http://[::1]:3000"]')
    built = services(**PROVIDER)
    assert built.sign_in.config.roles == {"reco-approvers": (Grant(role=Role.APPROVER),)}
    assert edge(built).cors_origins == ("https://console.example:8443", "http://[::1]:3000")
