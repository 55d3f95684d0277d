"""The requests of the documentation of events, sent to a real service."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.service import service

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text("utf-8")
BLOCKS = [block for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) if "curl" in block]
ADDRESS = "localhost:8300"
PATIENCE_S = 30.0


def run(block: str, port: int) -> dict[str, Any]:
    command = block.replace(ADDRESS, f"127.0.0.1:{port}").replace("curl -s", "curl -sS --fail-with-body")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_what_is_sent_is_answered_as_told_and_changes_decisions(tmp_path: Path, unused_tcp_port: int) -> None:
    sending, deciding = BLOCKS
    told = re.search(r"^    (\{\"accepted.*\})$", PAGE, re.MULTILINE)
    with service(tmp_path, unused_tcp_port, backend="rules"):
        before = run(deciding, unused_tcp_port)
        assert before["user"]["events"] == 0
        assert told
        assert run(sending, unused_tcp_port) == json.loads(told[1])
        deadline = time.monotonic() + PATIENCE_S
        while (after := run(deciding, unused_tcp_port))["user"]["events"] < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert after["user"]["satisfaction"] > before["user"]["satisfaction"]
    assert len(after["slate"]) == 5
