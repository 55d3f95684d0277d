"""Every operation of the OpenAPI document, asked by every role, with what its schema allows and with what not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service import PROGRAM, Service, environment, service

ROLES: Final = ("viewer", "submitter", "editor", "approver", "admin")
CALLERS: Final = (*ROLES, "nobody")
EXAMPLES: Final = 10
"""Of each operation and each way to make them; every caller sends them all."""
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS: Final = {"/v1/weights/events"}
"""What answers until somebody hangs up, which these callers never do; tests/api/test_events.py asks it."""
GOAL: Final = {"scenario": "home_feed", "text": "Raise GMV by 15% this weekend"}
MUCH: Final = "1000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A service with something of everything in it, its schema, and a token of each role."""

    schema: Any
    tokens: Mapping[str, str]
    known: Mapping[str, str]

    def headers(self, caller: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[caller]}"} if caller in self.tokens else {}


def first_token(folder: Path, **chosen: str) -> str:
    """The first administrator's, written into the database by whoever runs the machine."""
    command = [*PROGRAM, "tokens", "create", "root", "--role", "admin", "--json"]
    made = subprocess.run(command, env=environment(folder, **chosen), cwd=folder, check=True, capture_output=True)
    token: str = json.loads(made.stdout)["token"]
    return token


def token_of(running: Service, root: Mapping[str, str], role: str) -> str:
    sent = {"name": role, "grants": [{"role": role}], "reason": "to ask everything"}
    token: str = running.http.post("/v1/tokens", json=sent, headers=root).raise_for_status().json()["token"]
    return token


def something_of_everything(running: Service, root: Mapping[str, str]) -> dict[str, str]:
    """Path parameters that name something."""
    goal = running.http.post("/v1/goals", json=GOAL, headers=root).raise_for_status().json()
    policy = goal["proposal"]["policy_id"]
    activation = running.http.post(f"/v1/policies/{policy}/activation", json={}, headers=root)
    return {
        "goal_id": goal["id"],
        "policy_id": policy,
        "sequence": str(activation.raise_for_status().json()["sequence"]),
        "scenario": "home_feed",
        "segment": "new_user",
        "name": "goal_to_intents",
        "label": "staging",
        "number": "1",
        "version": "1",
    }


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Any) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("openapi")
    chosen = {
        "access": "tokens",
        "backend": "rules",
        "log_level": "error",
        "rate_limit_per_minute": MUCH,
        "weights_limit_per_minute": MUCH,
    }
    subprocess.run([*PROGRAM, "db", "upgrade"], env=environment(folder, **chosen), cwd=folder, check=True)
    root = {"Authorization": f"Bearer {first_token(folder, **chosen)}"}
    with service(folder, unused_tcp_port_factory(), **chosen) as running:
        yield Asked(
            schema=schemathesis.openapi.from_url(f"{running.http.base_url}/openapi.json"),
            tokens={role: token_of(running, root, role) for role in ROLES},
            known=something_of_everything(running, root),
        )


def ask(asked: Asked, operation: Any, mode: GenerationMode) -> None:
    """Have every caller send the operation what the mode makes up, half of the time to something that is there."""

    @given(case=operation.as_strategy(generation_mode=mode), to_known=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any, to_known: bool) -> None:
        if to_known:
            for name in case.path_parameters:
                case.path_parameters[name] = asked.known.get(name, case.path_parameters[name])
        for caller in CALLERS:
            case.call_and_validate(headers=asked.headers(caller), checks=CHECKS)

    with suppress(Unsatisfiable):  # what takes nothing can't be sent anything wrong
        send()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda m: m.value)
def test_no_answer_is_a_crash_or_outside_the_schema(asked: Asked, mode: GenerationMode) -> None:
    failures = []
    for found in asked.schema.get_all_operations():
        operation = found.ok()
        if operation.path in ENDLESS:
            continue
        try:
            ask(asked, operation, mode)
        except Exception as exc:  # noqa: BLE001 - every operation is to be asked
            failures.append(f"{operation.method.upper()} {operation.path}: {exc}")
    assert not failures, "\n\n".join(failures)
