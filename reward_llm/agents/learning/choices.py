"""Raw actions become what may be done: numbers in [0, 1]."""

# B decisions, A parts of an action

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The parts of an action by name, each with what a raw 0 stands for."""

    names: tuple[str, ...]
    centre: tuple[float, ...]
    """In (0, 1); an untrained actor does about this."""

    @property
    def count(self) -> int:
        """A, the parts of an action."""
        return len(self.names)

    def of(self, raw_BA: FloatArray) -> dict[str, FloatArray]:
        """Each part by name, in (0, 1): the logistic function of the raw action beside the centre's logit.

        >>> Choices(names=("ask",), centre=(0.25,)).of(np.zeros((1, 1)))
        {'ask': array([0.25], dtype=float32)}
        """
        centre_A = np.asarray(self.centre, dtype=np.float32)
        logit_BA = raw_BA + np.log(centre_A / (1 - centre_A))
        share_BA = 1 / (1 + np.exp(-logit_BA))
        return {name: share_BA[:, place].astype(np.float32) for place, name in enumerate(self.names)}
