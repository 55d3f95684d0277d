"""Who is signed in, on SQLAlchemy."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, delete, insert, select, update

from reward_llm.domain.act import Act
from reward_llm.domain.session import Identity, Session
from reward_llm.store.database import Repository
from reward_llm.store.tables import sessions
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried

STARTED: Final = "session.started"
ENDED: Final = "session.ended"


class SqlSessions(Repository):
    """A `reward_llm.domain.ports.sessions.Sessions` in a SQL database."""

    @to_the_end
    @retried
    async def start(self, session: Session, secret_hash: str, act: Act) -> None:
        """Remember a session, and forget those that have expired."""
        async with self._database.writing(act) as writing:
            await writing.connection.execute(delete(sessions).where(sessions.c.expires_at <= act.at))
            await writing.connection.execute(insert(sessions).values(_values(session, secret_hash)))
            details = {"issuer": session.identity.issuer, "groups": session.identity.groups}
            await writing.put_on_record(STARTED, session.id, details=details)

    @to_the_end
    @retried
    async def find(self, secret_hash: str, now: datetime) -> Session | None:
        """The session that the secret is of; None if there is none, or it is over."""
        query = select(sessions).where(sessions.c.secret_hash == secret_hash, sessions.c.ended_at.is_(None))
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        session = _session(row) if row else None
        return session if session and session.holds(now) else None

    @to_the_end
    @retried
    async def end(self, session_id: str, act: Act) -> bool:
        """End a session; gives whether it was still going on."""
        going_on = (sessions.c.id == session_id) & sessions.c.ended_at.is_(None)
        async with self._database.writing(act) as writing:
            ended = await writing.connection.execute(update(sessions).where(going_on).values(ended_at=act.at))
            if not ended.rowcount:
                return False
            await writing.put_on_record(ENDED, session_id)
        return True


def _values(session: Session, secret_hash: str) -> dict[str, Any]:
    identity = session.identity
    return {
        "id": session.id,
        "secret_hash": secret_hash,
        "name": identity.name,
        "issuer": identity.issuer,
        "subject": identity.subject,
        "groups": list(identity.groups),
        "signed_in_at": session.signed_in_at,
        "expires_at": session.expires_at,
    }


def _session(row: RowMapping) -> Session:
    return Session(
        id=row["id"],
        identity=Identity(
            issuer=row["issuer"], subject=row["subject"], name=row["name"], groups=tuple(row["groups"])
        ),
        signed_in_at=row["signed_in_at"],
        expires_at=row["expires_at"],
    )
