import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.access import RESERVED_NAMES, Grant, PrincipalKind, Role
from reward_llm.domain.act import MIGRATOR, SENDER
from reward_llm.domain.source import Source
from reward_llm.domain.tokens import (
    DEFAULT_DAYS,
    NewToken,
    TokenState,
    concerns,
    mint,
    token_hash,
    token_id,
)
from reward_llm.errors import InvalidInput, Unauthenticated

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
EDITOR = Grant(role=Role.EDITOR, scenario="home_feed")


def minted(name: str = "ci", grants: tuple[Grant, ...] = (EDITOR,), days: int = DEFAULT_DAYS) -> NewToken:
    return mint(name, grants, by="ann", now=NOON, days=days, random_bytes=os.urandom)


def test_a_token_reads_as_its_prefix_its_id_and_its_secret():
    new = minted()
    assert re.fullmatch(rf"rlm_{new.token.id}_[0-9a-f]{{64}}", new.text)
    assert token_id(new.text) == new.token.id
    assert len(new.token.id) == 8


def test_the_secret_has_256_random_bits_and_no_two_are_the_same():
    asked: list[int] = []
    mint("ci", (EDITOR,), by="ann", now=NOON, random_bytes=lambda n: asked.append(n) or os.urandom(n))
    assert max(asked) * 8 == 256
    assert len({minted().text for _ in range(100)}) == 100


def test_neither_the_token_nor_its_hash_gives_the_secret_away():
    new = minted()
    secret = new.text.rpartition("_")[2]
    assert secret not in repr(new.token)
    assert secret not in token_hash(new.text)
    assert re.fullmatch(r"[0-9a-f]{64}", token_hash(new.text))


@given(st.text())
def test_no_other_text_is_a_token(text):
    assert token_id(text) is None


def test_a_token_that_lost_or_won_a_character_is_none():
    text = minted().text
    for other in (text[:-1], text + "0", text.upper(), f" {text}", text.replace("_", "-")):
        assert token_id(other) is None


def test_a_token_holds_until_it_expires_or_is_revoked():
    token = minted(days=2).token
    assert token.state(NOON) is TokenState.LIVE
    assert token.state(NOON + timedelta(days=2)) is TokenState.EXPIRED
    assert token.state(NOON + timedelta(days=2, microseconds=-1)) is TokenState.LIVE
    assert replace(token, revoked_at=NOON).state(NOON) is TokenState.REVOKED


def test_who_shows_a_live_token_is_its_name_with_its_grants():
    principal = minted().token.principal(NOON)
    assert (principal.name, principal.kind, principal.grants) == ("ci", PrincipalKind.TOKEN, (EDITOR,))


def test_who_shows_another_is_nobody():
    token = minted(days=1).token
    with pytest.raises(Unauthenticated, match="expired"):
        token.principal(NOON + timedelta(days=1))
    with pytest.raises(Unauthenticated, match="revoked"):
        replace(token, revoked_at=NOON).principal(NOON)


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_no_token_has_a_name_that_the_audit_log_uses_otherwise(name):
    with pytest.raises(InvalidInput, match="own work"):
        minted(name)


def test_every_name_that_the_service_works_under_is_such_a_name():
    assert {*Source, MIGRATOR, SENDER} <= RESERVED_NAMES


@pytest.mark.parametrize("name", ["", "Ann", "ann@example.org", "a b", "-a", "a" * 61, "a\n", "名"])
def test_names_are_plain_and_never_an_address(name):
    with pytest.raises(InvalidInput) as refused:
        minted(name)
    assert refused.value.violations[0].path == "name"


def test_a_grant_that_is_given_twice_is_there_once():
    assert minted(grants=(EDITOR, EDITOR)).token.grants == (EDITOR,)


def test_a_token_concerns_the_scenarios_that_it_reaches_into():
    everywhere = Grant(role=Role.VIEWER)
    assert concerns((EDITOR,), frozenset({"home_feed"}))
    assert not concerns((EDITOR,), frozenset({"video_feed"}))
    assert concerns((everywhere,), frozenset({"video_feed"}))
    assert concerns((EDITOR,), None)
