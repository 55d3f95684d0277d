"""Weights under constant change: two servers behind one address, and what their clients see.

    python benchmarks/delivery_soak.py --clients 20
    python benchmarks/delivery_soak.py --seconds 60

Starts two services on a PostgreSQL database of their own behind one TCP proxy, and asks them in turn to activate a
policy at every whole second from the start, however long the one before takes. Twenty times a second it looks at what
every client and a few plain HTTP readers have.
After a third of the time one service is killed, after two thirds the other is stopped; both are started again.
Nobody may see a gap (no weights, stale ones, the defaults), a mix of two policies, or an older revision than before:
any of it makes the exit code 1. PostgreSQL is found at REWARD_LLM_TEST_POSTGRES_URL or the standard port.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests import databases
from tests.live.delivery.fleet import fleet
from tests.live.delivery.soak import Soak, SoakConfig, Soaked

_SERVERS = 2


def main() -> None:
    """Soak, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--readers", type=int, default=4, help="plain HTTP; half of them keep their connection")
    parser.add_argument("--every", type=float, default=1.0, help="seconds from one activation to the next")
    parser.add_argument("--restarts", type=int, choices=(0, 1, 2), default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logging.getLogger("reward_llm.delivery.sdk").setLevel(logging.CRITICAL)
    config = SoakConfig(
        seconds=options.seconds,
        clients=options.clients,
        readers=options.readers,
        activation_every_s=options.every,
        restarts=options.restarts,
    )
    result = soak(config)
    if options.json:
        print(json.dumps(result.as_dict(), indent=2))
    else:
        show(result)
    sys.exit(1 if result.ledger.violations else 0)


def soak(config: SoakConfig) -> Soaked:
    """One run on a database that is dropped afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.database() as url,
        Progress(console=Console(stderr=True), transient=True) as bars,
        fleet(Path(folder), _SERVERS, database_url=url) as servers,
    ):
        bar = bars.add_task("soaking", total=config.seconds)
        run = Soak(servers, config, lambda passed_s: bars.update(bar, completed=passed_s))
        return asyncio.run(run.run())


def show(result: Soaked) -> None:
    """What was done and what was seen."""
    out, told = Console(), result.as_dict()
    violations, examples = told.pop("violations"), told.pop("examples")
    looks = told.pop("looks")
    table = Table("", "", show_header=False)
    for name, value in told.items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    for kind, number in looks.items():
        table.add_row(f"looks, {kind}", f"{number:,}")
    for kind in ("gap", "mix", "back"):
        table.add_row(f"violations, {kind}", f"{violations.get(kind, 0):,}")
    out.print(table)
    for example in examples:
        out.print(example, markup=False)


if __name__ == "__main__":
    main()
