"""A surface tells beforehand what weights bring."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from reward_llm.domain.memory import Forecast, Predicted
from reward_llm.domain.scenario import Scope
from reward_llm.loop.surface.surface import Surface

_SHOWN_DIGITS: Final = 8


class SurfaceForecaster:
    """Forecasts by the surface of a scope's scenario; `surfaces` is asked for them once they are needed."""

    def __init__(self, surfaces: Callable[[], Mapping[str, Surface]]) -> None:
        self._surfaces = surfaces

    async def forecast(self, scope: Scope, weights: Mapping[str, float]) -> Forecast | None:
        """What the weights are expected to bring; None where there is no surface over them."""
        surface = (await asyncio.to_thread(self._surfaces)).get(scope.scenario)
        if surface is None or set(surface.utilities) != set(weights):
            return None
        return Forecast(
            made_by=f"surface {surface.fingerprint[:_SHOWN_DIGITS]}",
            metrics={
                name: Predicted(mean=e.mean, error=e.error, factor=surface.factors.get(name, 1.0))
                for name, e in surface.predict(weights).items()
            },
        )
