from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reward_llm.domain.access import Grant, PrincipalKind, Role
from reward_llm.domain.session import Identity, Session, fingerprint, group_roles, person
from reward_llm.errors import ConfigurationInvalid

SCENARIOS = ("home_feed", "video_feed")
ROLES = group_roles({"reco-approvers": "approver", "ads": "editor@video_feed viewer", "none": ""}, SCENARIOS)


def identity(*groups: str) -> Identity:
    return Identity(issuer="https://id.example", subject="1", name="ann", groups=groups)


def test_groups_give_their_roles() -> None:
    assert ROLES["reco-approvers"] == (Grant(role=Role.APPROVER),)
    assert ROLES["ads"] == (Grant(role=Role.EDITOR, scenario="video_feed"), Grant(role=Role.VIEWER))
    assert ROLES["none"] == ()


def test_a_person_holds_what_all_their_groups_give() -> None:
    ann = person(identity("ads", "reco-approvers", "lunch", "ads"), ROLES)
    assert (ann.name, ann.kind) == ("ann", PrincipalKind.PERSON)
    assert list(map(str, ann.grants)) == ["editor@video_feed", "viewer", "approver"]


def test_who_is_in_no_group_holds_nothing() -> None:
    assert person(identity(), ROLES).grants == ()


@pytest.mark.parametrize(
    ("roles", "unknown"),
    [("boss", "boss"), ("Editor", "Editor"), ("editor@shop", "shop"), ("editor@", ""), ("@", "")],
)
def test_roles_and_scenarios_that_there_are_none_of_are_refused(roles: str, unknown: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=f"no (role|scenario) '{unknown}'"):
        group_roles({"ads": roles}, SCENARIOS)


def test_a_session_holds_from_its_start_until_its_end() -> None:
    noon = datetime(2026, 6, 18, 12, tzinfo=UTC)
    session = Session(id="session_1", identity=identity(), signed_in_at=noon, expires_at=noon + timedelta(hours=1))
    moments = [noon + timedelta(minutes=m) for m in (-1, 0, 59, 60, 61)]
    assert [session.holds(m) for m in moments] == [False, True, True, False, False]


def test_fingerprints_dont_give_secrets_away() -> None:
    assert fingerprint("s") == fingerprint("s") != fingerprint("t")
    assert "secret" not in fingerprint("secret")
