"""Weights as OpenFeature's flags, looked up in this process: every scenario is an object flag.

    set_provider ─► initialize ─► the client starts ─► PROVIDER_READY
                                    │ no weights within `ready_s`: PROVIDER_ERROR, and PROVIDER_READY once there are
                                    ├► weights that grow stale: PROVIDER_STALE, and PROVIDER_READY once they are fresh
                                    └► other weights: PROVIDER_CONFIGURATION_CHANGED, with the scenarios

    >>> from openfeature import api
    >>> from openfeature.evaluation_context import EvaluationContext
    >>> api.set_provider(RewardProvider("http://127.0.0.1:8300"))                          # doctest: +SKIP
    >>> user = EvaluationContext("u-17", {"segment": "new_user"})
    >>> api.get_client().get_object_value("home_feed", {"weights": {}}, user)["weights"]   # doctest: +SKIP
    {'click': 0.25, 'gmv': 0.2, …}

It takes the extra `openfeature`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn, Protocol

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent, ProviderEventDetails
from openfeature.exception import (
    FlagNotFoundError,
    InvalidContextError,
    ProviderNotReadyError,
    TypeMismatchError,
)
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType
from openfeature.provider import AbstractProvider, Metadata

from reward_llm.delivery.sdk.change import ClientChange
from reward_llm.delivery.sdk.client import WeightsClient
from reward_llm.delivery.sdk.config import ClientConfig, checked_base_url
from reward_llm.delivery.sdk.health import ClientHealth
from reward_llm.delivery.sdk.openfeature_flags import resolution, whom
from reward_llm.delivery.sdk.openfeature_watch import Watch
from reward_llm.delivery.sdk.weights import Weights

NAME: Final = "reward-llm"
_Object = Sequence[FlagValueType] | Mapping[str, FlagValueType]


class Client(Protocol):
    """What of a `WeightsClient` is used."""

    def start(self) -> object:
        """Begin to refresh, in the background."""
        ...

    def wait_ready(self, seconds: float) -> bool:
        """Whether there are weights, within that time."""
        ...

    def weights(self, scenario: str, segment: str | None = None, unit: str | None = None) -> Weights | None:
        """The weights that hold now."""
        ...

    def health(self) -> ClientHealth:
        """How it is."""
        ...

    def close(self) -> None:
        """End."""
        ...


class RewardProvider(AbstractProvider):
    """An OpenFeature provider over a `WeightsClient`, which it makes, starts and closes.

    A flag's value is `{"policy_id", "version", "utilities", "weights", "vector"}`, its variant the policy's id. The
    context's targeting key is the unit of rollouts, its `segment` the segment; the rest is ignored. A segment that
    the scenario doesn't have is `INVALID_CONTEXT`, as it is over OpenFeature's remote protocol.

    Args:
        base_url: The service's.
        config: How the client asks the service; its `on_change` is called as well.
        ready_s: How long `initialize` waits for weights, in seconds.
        watch_s: How often staleness is looked at, in seconds.
        make: Makes the client, anew each time that the provider is initialized.
    """

    def __init__(
        self,
        base_url: str,
        config: ClientConfig | None = None,
        *,
        ready_s: float = 10.0,
        watch_s: float = 1.0,
        make: Callable[[str, ClientConfig], Client] = WeightsClient,
    ) -> None:
        super().__init__()
        self._base_url = checked_base_url(base_url)
        self._config = config or ClientConfig()
        self._ready_s = ready_s
        self._watch_s = watch_s
        self._make = make
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._watch: Watch | None = None

    @property
    def client(self) -> Client | None:
        """The client, while the provider is initialized."""
        return self._client

    def get_metadata(self) -> Metadata:
        """The provider's name."""
        return Metadata(name=NAME)

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Start the client, and wait for weights.

        Raises:
            ProviderNotReadyError: If there are none in time; the provider is ready by itself once there are.
        """
        self.shutdown()
        client = self._make(self._base_url, replace(self._config, on_change=self._changed))
        with self._lock:
            self._client = client
        client.start()
        ready = client.wait_ready(self._ready_s)
        with self._lock:
            if self._client is not client:
                return
            told = ProviderEvent.PROVIDER_READY if ready else ProviderEvent.PROVIDER_ERROR
            self._watch = Watch(client.health, self.emit, told=told, every_s=self._watch_s)
        if not ready:
            raise ProviderNotReadyError(f"no weights within {self._ready_s:g} s: {client.health().last_error}")

    def shutdown(self) -> None:
        """Close the client."""
        with self._lock:
            watch, self._watch = self._watch, None
            client, self._client = self._client, None
        if watch is not None:
            watch.end()
        if client is not None:
            client.close()

    def resolve_object_details(
        self, flag_key: str, default_value: _Object, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[Any]:
        """The scenario's weights.

        Raises:
            ProviderNotReadyError: As long as there are no weights at all.
            FlagNotFoundError: If there is no such scenario.
            InvalidContextError: If the targeting key or the segment can't be used.
        """
        unit, segment = whom(evaluation_context or EvaluationContext())
        return resolution(self._found(flag_key, segment, unit))

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """Nothing: a scenario is an object."""
        self._mismatched(flag_key)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """Nothing: a scenario is an object."""
        self._mismatched(flag_key)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """Nothing: a scenario is an object."""
        self._mismatched(flag_key)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """Nothing: a scenario is an object."""
        self._mismatched(flag_key)

    def _mismatched(self, key: str) -> NoReturn:
        self._found(key, None, None)
        raise TypeMismatchError(f"{key!r} is an object flag: its value has the weights")

    def _found(self, key: str, segment: str | None, unit: str | None) -> Weights:
        client = self._client
        found = None if client is None else client.weights(key, segment, unit)
        if found is None:
            if client is None or not client.health().ready:
                raise ProviderNotReadyError("there are no weights yet")
            found = client.weights(key, segment, unit)  # they may have come in between
        if found is None:
            raise FlagNotFoundError(f"no scenario {key!r}")
        if found.segment != segment:
            raise InvalidContextError(f"scenario {key!r} has no segment {segment!r}")
        return found

    def _changed(self, change: ClientChange) -> None:
        try:
            if self._config.on_change is not None:
                self._config.on_change(change)
        finally:
            if change.old_revision is not None:
                flags = sorted({scenario for scenario, _ in change.scopes})
                revision = change.new_revision
                self.emit_provider_configuration_changed(
                    ProviderEventDetails(flags_changed=flags, metadata={"revision": revision})
                )
