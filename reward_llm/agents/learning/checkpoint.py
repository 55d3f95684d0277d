"""A trained team in a folder."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch

from reward_llm.agents.learning.minds import KINDS, Kind, TrainedMinds
from reward_llm.agents.learning.networks import Actor
from reward_llm.agents.learning.team import TeamShape, new_actors, parameters
from reward_llm.agents.orchestrator.marketplace import MarketplaceConfig
from reward_llm.errors import CheckpointInvalid

FORMAT: Final = 1
"""Raised when older files can't be read any more."""
TEAM: Final = "team.pt"
_HINT: Final = "Train a team, or name the folder that training wrote."
_DAMAGE: Final = (OSError, EOFError, KeyError, TypeError, ValueError, RuntimeError, pickle.UnpicklingError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Actors, and what they were trained for."""

    shape: TeamShape
    actors: Mapping[Kind, Actor]

    @property
    def minds(self) -> TrainedMinds:
        """The actors at work."""
        return TrainedMinds(self.actors)

    def save(self, folder: Path) -> None:
        """Write it; a crash leaves an older one whole."""
        folder.mkdir(parents=True, exist_ok=True)
        whole = {
            "format": FORMAT,
            "topics": self.shape.topics,
            "marketplace": asdict(self.shape.marketplace),
            "actors": {kind: parameters(actor) for kind, actor in self.actors.items()},
        }
        fresh = folder / f"{TEAM}.new"
        torch.save(whole, fresh)
        fresh.replace(folder / TEAM)

    @classmethod
    def load(cls, folder: Path, marketplace: MarketplaceConfig) -> Checkpoint:
        """Read one, for a marketplace of the same config.

        Raises:
            CheckpointInvalid: If the folder holds none, or it is for another marketplace or version.
        """
        try:
            whole = torch.load(folder / TEAM, weights_only=True)
            return cls._built(whole, marketplace)
        except _DAMAGE as exc:
            raise CheckpointInvalid(f"{folder} holds no team of this version: {exc}", hint=_HINT) from exc

    @classmethod
    def _built(cls, whole: dict[str, Any], marketplace: MarketplaceConfig) -> Checkpoint:
        if whole["format"] != FORMAT:
            raise KeyError(f"format {whole['format']}")
        if whole["marketplace"] != asdict(marketplace):
            raise ValueError("it was trained for another marketplace")
        shape = TeamShape(marketplace=marketplace, topics=whole["topics"])
        actors = new_actors(shape, seed=0)
        for kind in KINDS:
            actors[kind].load_state_dict(whole["actors"][kind])
            actors[kind].eval()
        return cls(shape=shape, actors=actors)
