"""Online metrics of a service elsewhere, which has the log of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import httpx

from reward_llm.domain.metrics import NOTHING, Estimate, Metric, MetricsReport, MetricWindow
from reward_llm.domain.scenario import Scope
from reward_llm.errors import MetricsUnavailable

_TIMEOUT_S: Final = 30.0
_HINT: Final = "Say with REWARD_LLM_URL where the service runs, and with REWARD_LLM_TOKEN who asks."


class RemoteMetrics:
    """A `reward_llm.domain.ports.metrics.OnlineMetrics` that asks `GET /v1/metrics/online`.

    Args:
        url: Where the service is.
        token: What it is shown, None where it lets everybody in.
        transport: How requests travel, for tests; None is the network.
    """

    def __init__(
        self, url: str, token: str | None = None, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._url = url
        self._client = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=_TIMEOUT_S, trust_env=False, transport=transport
        )

    async def read(
        self, scenario: str, segment: str | None, policy_id: str | None, metric: Metric, window: MetricWindow
    ) -> Estimate:
        """A metric of the window that ends now; None for segment or policy takes all of them."""
        report = await self.report(Scope(scenario, segment), policy_id, window)
        return report.estimates.get(metric, NOTHING)

    async def report(
        self, scope: Scope, policy_id: str | None, window: MetricWindow, until: datetime | None = None
    ) -> MetricsReport:
        """All metrics of the window, which ends now if nothing else is said; a scope without segment takes all."""
        said = await self._ask(scope, policy_id, window, until)
        try:
            return _report(said, scope, window)
        except (KeyError, TypeError, ValueError) as exc:
            raise MetricsUnavailable(f"{self._url} answers in another way than this client reads: {exc}") from exc

    async def policies(self, scope: Scope, window: MetricWindow) -> Sequence[str]:
        """The policies that events of the window that ends now name, in order of their ids."""
        return tuple((await self._ask(scope, None, window, None)).get("policies", ()))

    async def newest(self, scenario: str) -> datetime | None:
        """When the scenario's last event happened; None if there is none."""
        return (await self.report(Scope(scenario), None, MetricWindow.parse("1m"))).newest

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def _ask(
        self, scope: Scope, policy_id: str | None, window: MetricWindow, until: datetime | None
    ) -> Mapping[str, Any]:
        asked = {
            "scenario": scope.scenario,
            "segment": scope.segment,
            "policy_id": policy_id,
            "window": str(window),
            "until": until.isoformat() if until else None,
        }
        try:
            response = await self._client.get("/v1/metrics/online", params={k: v for k, v in asked.items() if v})
            said = response.json()
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise MetricsUnavailable(f"the service at {self._url} can't be asked: {exc}", hint=_HINT) from exc
        except ValueError as exc:
            raise MetricsUnavailable(f"{self._url} answers, but not as this service does", hint=_HINT) from exc
        if not response.is_success:
            detail = said.get("detail") or said.get("title") if isinstance(said, Mapping) else None
            raise MetricsUnavailable(f"{self._url} answered {response.status_code}: {detail}", hint=_HINT)
        if not isinstance(said, Mapping):
            raise MetricsUnavailable(f"{self._url} answers, but not as this service does", hint=_HINT)
        return said


def _report(said: Mapping[str, Any], scope: Scope, window: MetricWindow) -> MetricsReport:
    known = frozenset(Metric)
    return MetricsReport(
        scope=scope,
        policy_id=said["policy_id"],
        window=window,
        until=datetime.fromisoformat(said["until"]),
        estimates={
            Metric(name): Estimate(value=e["value"], low=e["low"], high=e["high"], events=e["events"])
            for name, e in said["metrics"].items()
            if name in known
        },
        confidence=said["confidence"],
        share=said["share"],
        newest=datetime.fromisoformat(said["newest"]) if said["newest"] else None,
    )
