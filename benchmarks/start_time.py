"""From spawning a server to its first lookup: `serve --read-only` beside the full service and a bare uvicorn.

    python benchmarks/start_time.py --rounds 10

Every start is a process of its own on one up-to-date SQLite file; a start of each before the first round fills the
caches of bytecode and files and isn't counted. Reported are the median, the quickest and the slowest start in
milliseconds, until a lookup answered 200 and until one that wasn't stale, the processor's time that the process had
taken by then, the largest resident set, and whether torch was loaded. On a machine that does other work the
processor's time says more than the clock's.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import servers
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rivals.bare import HELLO

BYTECODE: Final = {"PYTHONDONTWRITEBYTECODE": ""}
"""Modules are compiled by the first start alone, as they are by an installation."""
LOOKUP: Final = "/v1/weights/home_feed"
OURS: Final[Mapping[str, Sequence[str]]] = {
    "serve --read-only": ("--read-only",),
    "serve --backend rules": ("--backend", "rules"),
    "serve --backend embedded": ("--backend", "embedded"),
}
BARE: Final = "bare uvicorn"
DEADLINE_S: Final = 120.0
BETWEEN_S: Final = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How one start went."""

    answered_ms: float
    fresh_ms: float
    cpu_ms: float
    memory_mb: float
    torch: bool


def main() -> None:
    """Start every server so many times, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=(BARE, *OURS), default=(BARE, *OURS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    servers.clean_up_when_ended()
    runs: dict[str, list[Start]] = {name: [] for name in options.only}
    with servers.scratch() as folder:
        database = f"sqlite:///{folder}/bench.db"
        servers.command_line(folder, database, "db", "upgrade")
        for number in range(options.rounds + 1):
            label = f"round {number}/{options.rounds}"
            for name in track(options.only, label, transient=True, console=Console(stderr=True)):
                started = start(name, folder, database)
                if number:
                    runs[name].append(started)
    if options.json:
        print(json.dumps({name: [asdict(s) for s in starts] for name, starts in runs.items()}, indent=2))
    else:
        show(runs)


def start(name: str, folder: Path, database: str) -> Start:
    """Start one server, and end it once it serves weights that it has read."""
    port, log = servers.free_port(), folder / "start.log"
    command, path = [sys.executable, str(HELLO), str(port)], "/2"
    if name in OURS:
        command, path = [*servers.PROGRAM, "serve", *OURS[name], "--port", str(port)], LOOKUP
    began = time.perf_counter()
    with servers.spawned(command, log, environment=servers.variables(database) | BYTECODE, cwd=folder) as process:
        answered: float | None = None
        while time.perf_counter() < began + DEADLINE_S and process.poll() is None:
            stale = looked_up(port, path)
            passed = 1000 * (time.perf_counter() - began)
            if stale is not None:
                answered = answered or passed
            if stale is False:
                return Start(
                    answered_ms=answered or passed,
                    fresh_ms=passed,
                    cpu_ms=1000 * servers.cpu_s(process.pid),
                    memory_mb=servers.peak_memory_mb(process.pid),
                    torch=has_torch(process.pid),
                )
            time.sleep(BETWEEN_S)
    raise SystemExit(f"{name} didn't start:\n{log.read_text('utf-8')[-4_000:]}")


def looked_up(port: int, path: str) -> bool | None:
    """Whether the answer is stale; none where there is no answer, or another one than 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.headers.get("Weights-Stale") == "true" if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def has_torch(pid: int) -> bool:
    """Whether a process has torch's libraries in its memory (Linux)."""
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text("utf-8")


def show(runs: Mapping[str, Sequence[Start]]) -> None:
    """A row a server."""
    table = Table()
    table.add_column("server", no_wrap=True)
    for heading in ("starts", "first lookup ms", "quickest", "slowest", "fresh ms", "CPU ms", "memory MB", "torch"):
        table.add_column(heading, justify="right")
    for name, starts in runs.items():
        answered = sorted(s.answered_ms for s in starts)
        medians = (servers.median([s.fresh_ms for s in starts]), servers.median([s.cpu_ms for s in starts]))
        figures = (servers.median(answered), answered[0], answered[-1], *medians)
        memory = max(s.memory_mb for s in starts)
        torch = "loaded" if any(s.torch for s in starts) else "no"
        table.add_row(name, str(len(starts)), *(f"{f:,.0f}" for f in (*figures, memory)), torch)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    main()
