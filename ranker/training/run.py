"""Where a training run stands, kept on disk so that it can go on exactly where it was broken off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import torch

from ranker.errors import ModelInvalid

STATE: Final = "state.pt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A folder for one run: its state, and the config that it belongs to."""

    folder: Path
    config: object

    def load(self, parts: Mapping[str, Any], generator: torch.Generator) -> dict[str, Any]:
        """What `save` was told of the run's place, with the parts and the generator set back; empty at a start.

        Raises:
            ModelInvalid: If the folder holds a run of another config.
        """
        file = self.folder / STATE
        if not file.is_file():
            return {}
        state = torch.load(file, weights_only=True)
        if state["config"] != self._digest():
            raise ModelInvalid(f"{self.folder} holds a run of another config", hint="use a folder of its own")
        for name, part in parts.items():
            part.load_state_dict(state["parts"][name])
        generator.set_state(state["generator"])
        place: dict[str, Any] = state["place"]
        return place

    def save(self, parts: Mapping[str, Any], generator: torch.Generator, place: Mapping[str, Any]) -> None:
        """Keep the state; a crash leaves the older one whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / f"{STATE}.new"
        state = {name: part.state_dict() for name, part in parts.items()}
        whole = {"config": self._digest(), "parts": state, "generator": generator.get_state(), "place": dict(place)}
        torch.save(whole, fresh)
        fresh.replace(self.folder / STATE)

    def _digest(self) -> str:
        return sha256(repr(self.config).encode()).hexdigest()


def reached(folder: Path) -> int:
    """The step that a run in a folder would go on from; 0 if there is none."""
    file = folder / STATE
    return int(torch.load(file, weights_only=True)["place"]["step"]) if file.is_file() else 0
