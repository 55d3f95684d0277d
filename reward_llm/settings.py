"""Every setting, each also a `REWARD_LLM_*` variable; read by `reward_llm.bootstrap` alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")


class Settings(BaseSettings):
    """What an installation may choose."""

    model_config = SettingsConfigDict(env_prefix="REWARD_LLM_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8300, ge=0, le=65_535)
    url: str = "http://127.0.0.1:8300"
    """Where the command line finds the service."""
    access: Literal["open", "tokens"] = "open"
    """Whom the service lets in: everybody, which is for this machine alone, or who shows a token."""
    token: SecretStr | None = None
    """The API token that the command line shows."""
    public_url: str | None = None
    """Where browsers find the service; none takes `url`. Behind https, cookies and answers are for https alone."""
    oidc_issuer: str | None = None
    """The OpenID provider that people sign in with; none has nobody sign in."""
    oidc_client_id: str = "reward-llm"
    """The provider's name for this service."""
    oidc_client_secret: SecretStr | None = None
    oidc_scopes: str = "openid email profile"
    oidc_name_claim: str = "email"
    """What people are called in the audit log; an `email` counts once the provider has verified it."""
    oidc_groups_claim: str = "groups"
    oidc_roles: dict[str, str] = Field(default_factory=dict)
    """What groups may do, such as {"reco-approvers": "approver", "ads": "editor@video_feed viewer"}."""
    session_hours: float = Field(default=12.0, gt=0, le=168)
    """How long a sign-in holds."""
    rate_limit_per_minute: int | None = Field(default=None, ge=1)
    """Requests of each token, person or address; none is 600 where access is `tokens`, and any number where it is
    open."""
    weights_limit_per_minute: int | None = Field(default=None, ge=1)
    """The same for looking weights up; none is 60,000."""
    cors_origins: list[str] = Field(default_factory=list)
    """Other sites whose pages may call the service with a token, such as ["https://console.example.org"]."""
    database_url: str = Field(default="sqlite:///reward_llm.db", repr=False)
    """A SQLite file, or for several processes a PostgreSQL database: postgresql://user:password@host/name, with
    libpq's parameters (sslmode, connect_timeout, …) or the server's own settings (lock_timeout, …) behind a `?`."""
    scenarios_dir: Path | None = None
    """Scenario files of one's own, beside those that ship; a file of the same name replaces one."""
    baseline_public_key: Path | None = None
    """A PEM file with the Ed25519 key that every scenario's baseline must be signed for, by `reward-llm scenarios
    sign`; none checks nothing."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    backend: Literal["embedded", "vllm", "rules"] = "embedded"
    """Who reads goals first."""
    checkpoint: Path | None = None
    """A folder with a Qwen2 checkpoint for the embedded backend; none takes the one that ships."""
    threads: int = Field(default=2, ge=1, le=256)
    """Threads of the embedded model."""
    vllm_url: str = "http://127.0.0.1:8311/v1"
    vllm_model: str | None = None
    """The served model's name; none takes the first that the server lists."""
    vllm_api_key: SecretStr | None = None
    vllm_python: Path = Path(".venv-vllm/bin/python")
    """The interpreter of the environment that `reward-llm model serve` starts vLLM in."""
    vocabulary: Literal["concepts", "utilities"] | None = None
    """The names that the model answers with; none is `concepts` for embedded and `utilities` for vllm."""
    calibration: Path | None = None
    """The calibration.json of the model behind vLLM; the embedded model has its own in the checkpoint's folder."""
    bundle: Literal["goal_to_intents", "goal_to_points"] = "goal_to_intents"
    """What a model is asked for: intents, or for a large one intents and weights in points."""
    prompt_outcomes: bool = False
    """Whether prompts that use the variable `outcomes` are told what came of earlier goals."""
    golden_dir: Path | None = None
    """Golden sets of one's own for `home_feed`, beside those that ship; a file of the same name replaces one."""
    deadline_s: float = Field(default=20.0, gt=0, le=600)
    """For all attempts of the model on one goal."""
    attempts: int = Field(default=2, ge=1, le=5)
    """How often the model is asked before the rules are."""
    seed: int = 0
    time_zone: str = "UTC"
    """The IANA name of the time zone that dates in goals are meant in, such as Asia/Shanghai."""

    ranker_checkpoint: Path | None = None
    """A folder that `reward-llm ranker train` wrote, for ranking and previews; none takes the one that ships."""
    ranker_log: Path | None = None
    """Logged lists in Parquet that previews and explanations try weights on; none takes the checkpoint's sample."""

    events: Literal["local", "nats", "redis", "kafka"] = "local"
    """How events travel to the agents: within the service, or over a broker to `reward-llm agents worker`."""
    events_url: SecretStr | None = None
    """The broker: nats://host:4222, redis://host:6379/0, or for kafka host:9092,other:9092."""
    events_stream: str = Field(default="reward-llm-events", pattern=r"^[A-Za-z0-9_-]{1,100}$")
    """The name of the stream, or of the topic."""
    metrics_dir: Path | None = None
    """The folder of the log that online metrics are read from, one process's alone; without it metrics of local
    events are kept in memory until the service stops, and those of a broker's events aren't kept."""
    metrics_partitions: int = Field(default=1, ge=1, le=64)
    """Into how many parts the log is split by user; it stays at what the folder was made with."""
    metrics_share: float = Field(default=1.0, gt=0, le=1)
    """How much of all users metrics are estimated from."""
    metrics_days: int = Field(default=32, ge=32, le=400)
    """For how many days events are kept; experiments that run for long need more of them."""
    worker: Literal["inside", "apart"] = "inside"
    """Who does what has to be done again and again, such as controllers and looks at experiments: the service itself,
    or `reward-llm worker` in a process of its own. Of all who could, one leads."""
    surfaces_dir: Path | None = None
    """A folder of response surfaces that `reward-llm solve fit` wrote; for scenarios that it has none for, those that
    ship are used."""
    agents_state: Literal["memory", "redis"] = "memory"
    """Where what events told of users and items is kept: in the service, which forgets it when it stops, or at
    `redis_url`."""

    webhook_key: SecretStr | None = None
    """Encrypts the secrets of webhooks in the database: 32 bytes in URL-safe base64; several keys are separated by
    commas, and the first one encrypts. Without it they are kept plainly."""
    webhooks_allow_private: bool = False
    """Whether webhooks may point to this machine and to private networks."""

    audit_key: Path | None = None
    """The private key that signs checkpoints of the audit log, a PEM file; `reward-llm audit keygen` makes one."""
    audit_checkpoints: str | None = None
    """The folder, or the URL of a bucket such as s3://bucket/prefix, that signed checkpoints are kept in."""
    audit_checkpoint_s: float = Field(default=300.0, gt=0)
    """How often the end of the audit log is signed, if it is a new one."""

    refresh_s: float = Field(default=1.0, gt=0, le=60)
    """How often the served weights are compared with the database."""
    stale_after_s: float = Field(default=10.0, gt=0)
    """The age at which served weights call themselves stale."""
    feed: Literal["auto", "postgresql", "redis", "polling"] = "auto"
    """How a process hears at once of what another has changed; `auto` is postgresql on such a database, and else
    polling, which is every `refresh_s`."""
    redis_url: SecretStr | None = None
    """The server of the `redis` feed and of the agents' state, such as redis://host:6379/0 or
    rediss://user:password@host:6379/0."""
    redis_channel: str | None = Field(default=None, pattern=r"^[\x21-\x7e]{1,200}$")
    """What the channels of the `redis` feed begin with, which all processes on one database must have in common; none
    takes it from the database's host, port and name."""
    heartbeat_s: float = Field(default=5.0, ge=0.1, le=300)
    """How often those who follow the weights are told that these still hold."""
    max_subscribers: int = Field(default=2_000, ge=0)
    """How many may follow the weights through one process."""

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} isn't an origin such as https://console.example.org")
        return origins

    @field_validator("token")
    @classmethod
    def _sendable(cls, token: SecretStr | None) -> SecretStr | None:
        text = token.get_secret_value().strip() if token else ""
        if not re.fullmatch(r"[\x21-\x7e]*", text):
            raise ValueError("isn't a token: it holds a space, or what isn't ASCII")
        return SecretStr(text) if text else None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} isn't an IANA time zone")
        return name
