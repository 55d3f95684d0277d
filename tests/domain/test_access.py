from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.access import (
    EVERYBODY,
    NOBODY,
    ROLE_PERMISSIONS,
    Grant,
    Permission,
    Principal,
    PrincipalKind,
    Role,
)
from reward_llm.errors import Forbidden

SCENARIOS = st.sampled_from(["home_feed", "video_feed", None])
GRANTS = st.builds(Grant, role=st.sampled_from(Role), scenario=SCENARIOS)
PERMISSIONS = st.sampled_from(Permission)
PRINCIPALS = st.lists(GRANTS, max_size=4).map(
    lambda grants: Principal(name="ann", kind=PrincipalKind.TOKEN, grants=tuple(grants))
)


def test_each_role_may_do_all_that_the_one_before_may_and_more():
    sets = [ROLE_PERMISSIONS[role] for role in Role]
    assert all(lower < higher for lower, higher in pairwise(sets))
    assert sets[-1] == frozenset(Permission)


def test_only_admins_administer_and_viewers_only_look():
    assert {r for r in Role if Permission.ADMINISTER in ROLE_PERMISSIONS[r]} == {Role.ADMIN}
    assert ROLE_PERMISSIONS[Role.VIEWER] == {Permission.READ, Permission.AUDIT}


@given(PERMISSIONS, SCENARIOS)
def test_nobody_may_do_anything_and_everybody_may_do_all(permission, scenario):
    assert not NOBODY.may(permission, scenario)
    assert EVERYBODY.may(permission, scenario)


@given(PRINCIPALS, PERMISSIONS, SCENARIOS)
def test_what_may_be_done_is_what_some_grant_covers(principal, permission, scenario):
    covered = [
        permission in ROLE_PERMISSIONS[g.role] and (g.scenario is None or g.scenario == scenario)
        for g in principal.grants
    ]
    assert principal.may(permission, scenario) is any(covered)


@given(PRINCIPALS, PERMISSIONS)
def test_what_may_be_done_to_all_scenarios_may_be_done_to_each(principal, permission):
    if principal.may(permission, None):
        assert principal.may(permission, "home_feed")
        assert principal.may(permission, "one_that_comes_later")


@given(PRINCIPALS, PERMISSIONS, SCENARIOS.filter(bool))
def test_the_scenarios_are_those_in_which_it_may_be_done(principal, permission, scenario):
    mine = principal.scenarios(permission)
    assert principal.may(permission, scenario) is (mine is None or scenario in mine)
    assert principal.may_somewhere(permission) is (mine is None or bool(mine))


@given(PRINCIPALS, GRANTS, PERMISSIONS, SCENARIOS)
def test_one_more_grant_never_takes_anything_away(principal, grant, permission, scenario):
    more = Principal(name="ann", kind=PrincipalKind.TOKEN, grants=(*principal.grants, grant))
    assert more.may(permission, scenario) or not principal.may(permission, scenario)


def test_a_refusal_says_who_may_not_do_what_where_and_what_it_takes():
    editor = Principal(name="ann", kind=PrincipalKind.TOKEN, grants=(Grant(role=Role.EDITOR, scenario="home_feed"),))
    editor.require(Permission.EDIT, "home_feed")
    with pytest.raises(Forbidden, match="ann may not edit in 'video_feed'"):
        editor.require(Permission.EDIT, "video_feed")
    with pytest.raises(Forbidden) as refused:
        editor.require(Permission.APPROVE, None)
    assert refused.value.message == "ann may not approve in all scenarios"
    assert refused.value.hint == "That takes the role approver in all scenarios, or a higher one."


def test_a_grant_reads_as_it_is_written_in_settings():
    assert str(Grant(role=Role.EDITOR)) == "editor"
    assert str(Grant(role=Role.EDITOR, scenario="home_feed")) == "editor@home_feed"
