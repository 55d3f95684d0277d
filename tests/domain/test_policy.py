from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.policy import RewardPolicy, Source, default_policy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from tests.strategies import HOME_FEED, weights_within

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)


def policy(**changes):
    facts = {
        "scope": Scope("s", None), "version": 3, "weights": Weights({"a": 0.25, "b": 0.75}),
        "source": Source.HUMAN, "origin": "edit", "created_at": NOON,
    }  # fmt: skip
    return RewardPolicy(**(facts | changes))


def test_the_content_hash_is_sha256_over_canonical_json():
    # printf '%s' '{"kind":"reward_policy/1",…}' | sha256sum
    assert policy().content_hash == "52fec272203481bdb95832e2a8798b500a8b3fb080a19e57b79b70fed0b94cdc"
    assert policy().policy_id == "pol_" + policy().content_hash[:20]


@given(origin=st.text(), version=st.integers(0, 2**53 - 1), weights=weights_within(HOME_FEED))
def test_the_fast_way_to_the_hash_is_canonical_json(origin, version, weights):
    made = policy(origin=origin, version=version, weights=weights)
    assert made.content_hash == hashlib.sha256(rfc8785.dumps(made.document)).hexdigest()


def test_the_hash_depends_on_the_content_and_not_on_when_it_was_made():
    assert policy(created_at=datetime(2027, 1, 1, tzinfo=UTC)).content_hash == policy().content_hash
    others = [
        policy(version=4), policy(scope=Scope("s", "t")), policy(source=Source.RULES), policy(origin="x"),
        policy(weights=Weights({"a": 0.2501, "b": 0.7499})),
    ]  # fmt: skip
    assert len({p.content_hash for p in (policy(), *others)}) == len(others) + 1


def test_the_default_policy_is_version_zero_with_the_scenarios_weights():
    default = default_policy(HOME_FEED, "new_user", NOON)
    assert (default.version, default.weights, default.source) == (0, HOME_FEED.defaults, Source.DEFAULT)
