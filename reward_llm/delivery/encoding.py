"""What a client is told of a scope, as JSON, written once for all who ask.

The fields and their order are those of `reward_llm.api.wire.weights`. Ten thousand segments may get other weights at
once, so only what differs between them is written for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _text
from typing import Final

from reward_llm.domain.activation import Activation
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.serving import Rollout, Rule
from reward_llm.domain.weights import Weights

Utilities = tuple[str, ...]
_FRAGMENTS: Final = 4_096
_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encoded_weights(
    scope: Scope,
    utilities: Utilities,
    policy: RewardPolicy,
    rule: Rule,
    rollout: Rollout | None,
    until: datetime | None,
) -> bytes:
    """The answer to a lookup, but for the freshness: a JSON object."""
    names, by_name, in_order = _weights(policy.weights, utilities)
    segment = "null" if scope.segment is None else _text(scope.segment)
    won = "null" if rollout is None else f'{{"activation":{rollout.activation},"percent":{_json(rollout.percent)}}}'
    return (
        f'{{"scenario":{_text(scope.scenario)},"segment":{segment},"policy_id":{_text(policy.policy_id)},'
        f'"version":{policy.version},"utilities":{names},"weights":{by_name},"vector":{in_order},'
        f'"source":{_text(policy.source.value)},"rule":{_text(rule.value)},"rollout":{won},'
        f'"valid_until":{_moment(until)}}}'
    ).encode("ascii")


def encoded_item(
    weights: bytes, utilities: Utilities, default: RewardPolicy, activations: Iterable[Activation], *, frozen: bool
) -> bytes:
    """An item of a snapshot: the encoded weights, and all that a client needs to find out what holds next."""
    coming = ",".join(_activation(a, utilities) for a in activations)
    stopped = "true" if frozen else "false"
    more = f',"frozen":{stopped},"default":{{{_policy(default, utilities)}}},"activations":[{coming}]}}'
    return weights[:-1] + more.encode("ascii")


def _activation(activation: Activation, utilities: Utilities) -> str:
    return (
        f'{{"activation":{activation.sequence},{_policy(activation.policy, utilities)},'
        f'"percent":{_json(activation.percent)},"start":{_moment(activation.start)},"end":{_moment(activation.end)}}}'
    )


def _policy(policy: RewardPolicy, utilities: Utilities) -> str:
    by_name = _weights(policy.weights, utilities)[1]
    return (
        f'"policy_id":{_text(policy.policy_id)},"version":{policy.version},"weights":{by_name},'
        f'"source":{_text(policy.source.value)}'
    )


def _moment(at: datetime | None) -> str:
    return "null" if at is None else _text(at.astimezone(UTC).isoformat().replace("+00:00", "Z"))


@lru_cache(maxsize=_FRAGMENTS)
def _weights(weights: Weights, utilities: Utilities) -> tuple[str, str, str]:
    """The names, the weights by their names, and the weights alone."""
    by_name = {u: weights[u] for u in utilities}
    return _json(utilities), _json(by_name), _json(list(by_name.values()))
