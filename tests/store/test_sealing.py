from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from reward_llm.errors import ConfigurationInvalid
from reward_llm.store.sealing import Sealer
from reward_llm.store.tables import webhooks
from tests.webhooks import SECRET, office

URL = "https://hooks.example.org/in"


async def test_secrets_are_sealed_with_the_first_key_and_opened_with_any(url: str) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    async with office(url, keys=(old,)) as before:
        await before.add(URL)
        await before.happen("thing.made")
        async with before.database.reading() as connection:
            stored = await connection.scalar(select(webhooks.c.secret))
        assert stored is not None
        assert SECRET.removeprefix("whsec_") not in stored
    async with office(url, keys=(new, old), clock=before.clock) as after:
        (consignment,) = await after.claim("a")
        assert consignment.secrets == (SECRET,)
        after.clock.advance(seconds=61)
    async with office(url, keys=(new,), clock=before.clock) as without:
        (consignment,) = await without.claim("b")
        assert consignment.secrets == ()


def test_a_key_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        Sealer(["hunter2"])
    assert "hunter2" not in str(refused.value)


def test_without_a_key_a_sealed_secret_stays_shut() -> None:
    sealed = Sealer([Fernet.generate_key().decode()]).seal(SECRET)
    assert Sealer().open(sealed) is None
    assert Sealer().open(Sealer().seal(SECRET)) == SECRET
