"""What keeps online metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from reward_llm.bootstrap.basics import now
from reward_llm.bootstrap.events import build_source
from reward_llm.errors import ConfigurationInvalid
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from reward_llm.domain.ports.events import EventSink
    from reward_llm.domain.ports.metrics import OnlineMetrics

METRICS: Final = "metrics"
"""The group of whoever keeps metrics of a broker's events."""
_NEEDED: Final = ("duckdb", "numpy", "pyarrow")
_EXTRA: Final = "pip install 'reward-llm[metrics]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsRoom:
    """Who keeps metrics, and what tells them of events; works for the background, and what is closed in the end.

    `online` is None where nobody keeps them: with a broker and no folder, and where what they need isn't installed.
    """

    online: OnlineMetrics | None = None
    sinks: tuple[EventSink, ...] = ()
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
    closers: tuple[Callable[[], Awaitable[None]], ...] = ()


def build_metrics(settings: Settings) -> MetricsRoom:
    """Metrics in the settings' folder; in memory if there is none, unless a broker's events go to several processes.

    Raises:
        ConfigurationInvalid: If there is a folder that can't be used.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing and settings.metrics_dir:
        raise ConfigurationInvalid(f"metrics need {', '.join(missing)}", hint=_EXTRA)
    if missing or (settings.events != "local" and settings.metrics_dir is None):
        return MetricsRoom()
    from reward_llm.feedback.metrics.online import MetricsConfig, MetricsStore, open_logs

    logs = open_logs(settings.metrics_dir, settings.metrics_partitions)
    kept = timedelta(days=settings.metrics_days)
    store = MetricsStore(logs, now, MetricsConfig(share=settings.metrics_share, kept=kept))
    if settings.events == "local":
        return MetricsRoom(online=store, sinks=(store,), background=(store.keep_pruned,))
    source = build_source(settings, METRICS)
    return MetricsRoom(
        online=store,
        background=(store.keep_pruned, lambda: source.run(store.publish)),
        closers=(source.aclose, store.aclose),
    )
