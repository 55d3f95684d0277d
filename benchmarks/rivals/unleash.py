"""The feature flag service Unleash (`unleash-server` from npm) with ten flags on a PostgreSQL database.

It is installed into a folder outside the repository on first use, without running its packages' scripts. Node 20 or
later and npm must be there. Telemetry and the check for newer versions are off; all else is as it comes.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from servers import Server, free_port, needed, pinned, spawned, wait_until_answers

PACKAGE: Final = "unleash-server@7.5"
"""The newest that runs on Node 20."""
FEATURES: Final = "/api/client/features"
"""What its server-side SDKs fetch: every flag with its strategies, under one entity tag."""
CLIENT: Final[Mapping[str, str]] = {"Authorization": "default:development.bench-client"}
EVALUATED: Final = "/api/frontend"
"""What its browser SDKs fetch: the flags that are on for one context, which the server evaluates."""
FRONTEND: Final[Mapping[str, str]] = {"Authorization": "default:development.bench-frontend"}
_ADMIN: Final[Mapping[str, str]] = {"Authorization": "*:*.bench-admin"}
_FLAGS: Final = 10
_HOW: Final = "apt-get install -y nodejs npm"


@contextmanager
def unleash(folder: Path, installed: Path, database_url: str, core: int | None = None) -> Iterator[Server]:
    """An Unleash with flags that are on for everybody; it makes its own tables in the empty database."""
    program, port, log = _installed(installed), free_port(), folder / "unleash.log"
    command = [*pinned(core), needed("node", _HOW), str(program)]
    url = f"http://127.0.0.1:{port}"
    with spawned(command, log, environment=_environment(database_url, port), cwd=folder) as process:
        wait_until_answers(process, lambda: httpx.get(f"{url}/health", trust_env=False).is_success, log)
        _make_flags(url)
        yield Server(name="unleash", process=process, url=url)


def _installed(into: Path) -> Path:
    program = into / "node_modules" / "unleash-server" / "dist" / "server.js"
    if program.is_file():
        return program
    into.mkdir(parents=True, exist_ok=True)
    npm = [needed("npm", _HOW), "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
    try:
        subprocess.run(npm, cwd=into, check=True)
    except BaseException:
        shutil.rmtree(into / "node_modules", ignore_errors=True)
        raise
    return program


def _environment(database_url: str, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "DATABASE_SSL": "false",
        "HTTP_HOST": "127.0.0.1",
        "PORT": str(port),
        "TZ": "UTC",
        "NODE_ENV": "production",
        "SEND_TELEMETRY": "false",
        "CHECK_VERSION": "false",
        "INIT_CLIENT_API_TOKENS": CLIENT["Authorization"],
        "INIT_FRONTEND_API_TOKENS": FRONTEND["Authorization"],
        "INIT_ADMIN_API_TOKENS": _ADMIN["Authorization"],
    }


def _make_flags(url: str) -> None:
    project, strategy = "/api/admin/projects/default/features", {"name": "default"}
    with httpx.Client(base_url=url, headers=_ADMIN, timeout=30, trust_env=False) as http:
        for number in range(_FLAGS):
            flag = f"{project}/weights-{number}/environments/development"
            http.post(project, json={"name": f"weights-{number}", "type": "release"}).raise_for_status()
            http.post(f"{flag}/strategies", json=strategy).raise_for_status()
            http.post(f"{flag}/on").raise_for_status()
    features = httpx.get(f"{url}{FEATURES}", headers=CLIENT, trust_env=False).raise_for_status().json()["features"]
    if len(features) != _FLAGS:
        raise SystemExit(f"Unleash serves {len(features)} flags, not {_FLAGS}")
