"""`reward-llm` whose clock is off by as many seconds as a file says now; both can change while it runs.

python -m tests.live.delivery.clockwork FILE serve --dev
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Final

MODULE: Final = "tests.live.delivery.clockwork"


def clock_off_by(file: Path, clock: Callable[[], datetime]) -> Callable[[], datetime]:
    """The clock, off by what the file says; a file that is just being written keeps what it said."""
    last_s = 0.0

    def off() -> datetime:
        nonlocal last_s
        said = file.read_text("utf-8")
        last_s = float(said) if said else last_s
        return clock() + timedelta(seconds=last_s)

    return off


def replace_everywhere(old: object, new: object) -> None:
    """Put one thing in the place of another in all modules of the service that are there."""
    for name, module in list(sys.modules.items()):
        if name.startswith("reward_llm") and isinstance(module, ModuleType):
            for attribute, value in list(vars(module).items()):
                if value is old:
                    setattr(module, attribute, new)


def main() -> None:
    from reward_llm import bootstrap  # noqa: PLC0415 - in the service's process only
    from reward_llm.cli import main as run  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.default_int_handler)
    real = bootstrap.now
    replace_everywhere(real, clock_off_by(Path(sys.argv.pop(1)), real))
    run()


if __name__ == "__main__":
    main()
