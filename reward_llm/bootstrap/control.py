"""What runs controllers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reward_llm.bootstrap.basics import now
from reward_llm.domain.duties import Duty

if TYPE_CHECKING:
    from reward_llm.bootstrap.worker import Bench


def control_duty(bench: Bench) -> Duty:
    """Controllers, whose moves every process serves as soon as it looks for changes."""
    from reward_llm.domain.admission import Admission
    from reward_llm.loop.control.controllers import OFTEN, Controllers
    from reward_llm.store.controlling import SqlMoves
    from reward_llm.store.governance import SqlGovernance
    from reward_llm.store.loop import SqlLoop
    from reward_llm.validation import gate

    controllers = Controllers(
        records=SqlLoop(bench.database),
        governance=SqlGovernance(bench.database),
        moves=SqlMoves(bench.database),
        online=bench.online,
        admissions={name: Admission(scenario=s, gate=gate.check) for name, s in bench.scenarios.items()},
        clock=now,
    )
    return Duty(name="controllers", every=OFTEN, run=controllers.run)
