"""Where a training run stands, kept on disk so that it can go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from reward_llm.tuning.corpus import LabelledGoal


def run_folder(out_dir: Path, config: object, corpus: Sequence[LabelledGoal]) -> Path:
    """The folder of the run with that config over that corpus."""
    digest = sha256(f"{config}\n{tuple(corpus)}".encode()).hexdigest()
    return out_dir / "runs" / digest[:12]


@dataclass(slots=True, kw_only=True)
class Position:
    """How far a run has come: steps and time behind it, the round it is in and the next batch of that round."""

    step: int = 0
    elapsed_s: float = 0.0
    round: int = 0
    batch: int = 0
    loss: float = 0.0

    @classmethod
    def load(cls, folder: Path, parts: Mapping[str, Any]) -> Position | None:
        """The saved position, with the parts and the generator set to their saved state; None if there is none."""
        file = folder / "state.pt"
        if not file.is_file():
            return None
        state = torch.load(file, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["generator"])
        return cls(**state["position"])

    def save(self, folder: Path, parts: Mapping[str, Any]) -> None:
        """Keep the position and the parts' state; a crash leaves the older state whole."""
        state = {name: part.state_dict() for name, part in parts.items()}
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / "state.pt.new"
        torch.save({**state, "position": asdict(self), "generator": torch.get_rng_state()}, fresh)
        fresh.replace(folder / "state.pt")
