"""The load generator wrk (`apt-get install -y wrk`): one thread of its own, closed loop, so many connections."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from servers import needed, pinned

_UNITS: Final = """
local prefix, number = {prefix}, 0
request = function()
  number = (number * 1103515245 + 12345) % 2147483648
  return wrk.format(nil, prefix .. number % {units})
end
"""
_REPORT: Final = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\n{"requests": %d, "rps": %f, "p50_us": %d, "p99_us": %d, "errors": %d}\\n',
    summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One kind of request."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    units: int = 0
    """Behind the URL comes one of so many numbers, another one each time; 0 asks for the URL as it is."""


def load(asked: Asked, connections: int, seconds: float, folder: Path, core: int | None = None) -> dict[str, float]:
    """Requests a second, latencies in microseconds, and how many requests failed or were refused."""
    script = folder / "load.lua"
    script.write_text((_units(asked) if asked.units else "") + _REPORT, "utf-8")
    heads = [part for name, value in asked.headers.items() for part in ("-H", f"{name}: {value}")]
    command = [*pinned(core), needed("wrk", "apt-get install -y wrk"), "-t1", f"-c{connections}", f"-d{seconds:g}s"]
    command += ["--timeout", "10s", "-s", str(script), *heads, asked.url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _units(asked: Asked) -> str:
    path = "/" + asked.url.split("/", 3)[3]
    return _UNITS.format(prefix=json.dumps(path), units=asked.units)
