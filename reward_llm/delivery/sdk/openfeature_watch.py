"""Tells OpenFeature how a client is, as that changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from openfeature.event import ProviderEvent, ProviderEventDetails
from openfeature.exception import ErrorCode

from reward_llm.delivery.sdk.health import ClientHealth

_END_S: Final = 5.0
"""How long the watch may take to end."""
_CODES: Final = {ProviderEvent.PROVIDER_ERROR: ErrorCode.PROVIDER_NOT_READY}
_log = logging.getLogger("reward_llm.delivery.sdk")


class Watch:
    """Tells when weights come, grow stale, and are fresh again.

    Args:
        health: How the client is.
        emit: Tells OpenFeature.
        told: What it was told last.
        every_s: How often the client is looked at; not at once, so that OpenFeature hears of `told` before the rest.
    """

    def __init__(
        self,
        health: Callable[[], ClientHealth],
        emit: Callable[[ProviderEvent, ProviderEventDetails], None],
        *,
        told: ProviderEvent,
        every_s: float,
    ) -> None:
        self._health = health
        self._emit = emit
        self._told = told
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reward-llm-openfeature", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Tell nothing more."""
        self._over.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(_END_S)

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            try:
                self._look()
            except Exception:  # noqa: BLE001 - what ails one handler must not silence the rest
                _log.exception("OpenFeature couldn't be told how the weights are")

    def _look(self) -> None:
        health = self._health()
        state = _state(health)
        if state is self._told:
            return
        self._told = state
        self._emit(state, ProviderEventDetails(message=health.last_error, error_code=_CODES.get(state)))


def _state(health: ClientHealth) -> ProviderEvent:
    if not health.ready:
        return ProviderEvent.PROVIDER_ERROR
    return ProviderEvent.PROVIDER_STALE if health.stale else ProviderEvent.PROVIDER_READY
