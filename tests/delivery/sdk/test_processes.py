"""What can only be seen from processes of their own: forks, and what is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.delivery.sdk.documents import document, encoded
from tests.delivery.sdk.scripted import scripted

ROOT = Path(__file__).parents[3]

BLOCKED = """
import importlib.abc, sys
NEEDED_BY_THE_SERVICE = {
    "aiosqlite", "alembic", "asyncpg", "cn2an", "cryptography", "dateparser", "fastapi", "joserfc", "jinja2",
    "jsonschema", "jsonschema_rs", "numpy", "prometheus_client", "pydantic", "pydantic_settings", "redis", "rfc8785",
    "rich", "sqlalchemy", "sse_starlette", "starlette", "structlog", "torch", "transformers", "typer",
    "uvicorn", "yaml",
}
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in NEEDED_BY_THE_SERVICE:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
"""

LOOKUP = """
import sys
from pathlib import Path
from reward_llm.delivery.sdk import AsyncWeightsClient, ClientConfig, ClientHealth, Weights, WeightsClient
with WeightsClient(sys.argv[1], cache=Path(sys.argv[2])) as client:
    assert client.wait_ready(30)
    print(client.weights("home_feed", "new_user", "ann").version)
ours = sorted(m for m in sys.modules if m.startswith("reward_llm.") and not m.startswith("reward_llm.delivery"))
print(*ours)
"""

FORK = """
import os, sys, threading, time
from reward_llm.delivery.sdk import WeightsClient
client = WeightsClient(sys.argv[1], stale_after_s=1.0)
client.start()
assert client.wait_ready(30)
child = os.fork()
if child == 0:
    try:
        assert not client.running and not client.health().running and not client.health().streaming
        assert client.weights("home_feed").version == 1
        deadline = time.monotonic() + 30
        while not client.health().stale:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        client.close()
        client.start()
        while client.health().stale or not client.health().streaming:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert client.running
        client.close()
        os._exit(0)
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(1)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
assert client.running and client.health().streaming and not client.health().stale
client.close()
print("both")
"""

ASYNC_FORK = """
import asyncio, os, sys
from reward_llm.delivery.sdk import AsyncWeightsClient
async def main():
    client = AsyncWeightsClient(sys.argv[1])
    async with client:
        assert await client.wait_ready(30)
        child = os.fork()
        if child == 0:
            os._exit(0 if not client.running and client.weights("home_feed").version == 1 else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert client.running
asyncio.run(main())
print("both")
"""

EXIT = """
import sys
from reward_llm.delivery.sdk import WeightsClient
client = WeightsClient(sys.argv[1])
client.start()
print(client.wait_ready(30))
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_the_client_needs_nothing_that_the_service_needs(tmp_path: Path) -> None:
    with scripted() as service:
        version, ours = run(BLOCKED + LOOKUP, service.url, str(tmp_path / "w")).stdout.splitlines()
    assert version == "1"
    assert ours.split() == ["reward_llm.domain", "reward_llm.domain.rollout", "reward_llm.domain.schedule"]


@pytest.mark.parametrize("program", [FORK, ASYNC_FORK], ids=["threads", "asyncio"])
def test_a_child_process_is_not_running_until_it_starts_itself(program: str) -> None:
    with scripted() as service:
        assert run(program, service.url).stdout == "both\n"


def test_a_program_ends_though_nobody_closed_the_client() -> None:
    with scripted() as service:
        done = run(EXIT, service.url)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_packaged_bootstrap_is_read_as_a_resource(tmp_path: Path) -> None:
    package = tmp_path / "ranking_service"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "weights.json").write_bytes(encoded(document(revision=4)))
    program = """
import sys
sys.path.insert(0, sys.argv[1])
from importlib.resources import files
from reward_llm.delivery.sdk import WeightsClient
with WeightsClient("http://127.0.0.1:9", bootstrap=files("ranking_service") / "weights.json") as client:
    print(client.weights("home_feed").version)
"""
    assert run(program, str(tmp_path)).stdout == "4\n"
