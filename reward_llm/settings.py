"""Every setting, each also a `REWARD_LLM_*` variable; read by `reward_llm.bootstrap` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an installation may choose."""

    model_config = SettingsConfigDict(env_prefix="REWARD_LLM_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8300, ge=0, le=65_535)
    url: str = "http://127.0.0.1:8300"
    """Where the command line finds the service."""
    database_url: str = Field(default="sqlite:///reward_llm.db", repr=False)
    """A SQLite file, or for several processes a PostgreSQL database: postgresql://user:password@host/name, with
    libpq's parameters (sslmode, connect_timeout, …) or the server's own settings (lock_timeout, …) behind a `?`."""
    scenarios_dir: Path | None = None
    """Scenario files of one's own, beside those that ship; a file of the same name replaces one."""
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
    deadline_s: float = Field(default=20.0, gt=0, le=600)
    """For all attempts of the model on one goal."""
    attempts: int = Field(default=2, ge=1, le=5)
    """How often the model is asked before the rules are."""
    seed: int = 0
    time_zone: str = "UTC"
    """The IANA name of the time zone that dates in goals are meant in, such as Asia/Shanghai."""

    refresh_s: float = Field(default=1.0, gt=0, le=60)
    """How often the served weights are compared with the database."""
    stale_after_s: float = Field(default=10.0, gt=0)
    """The age at which served weights call themselves stale."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} isn't an IANA time zone")
        return name
