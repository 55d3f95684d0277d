"""Parameters that several routes have."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Header, Path, Query

MAX_LIMIT: Final = 200

Id = Annotated[str, Path(max_length=100, pattern=r"^[\x21-\x7e]+$")]
Name = Annotated[str | None, Query(max_length=100, pattern=r"^[\x20-\x7e]*$")]
Cursor = Annotated[
    str | None, Query(max_length=200, pattern=r"^[\x21-\x7e]*$", description="The `next_cursor` of the last part.")
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many at most.")]

# The next two are read from the request itself, so that what is wrong with them goes on record.
IdempotencyKey = Annotated[
    str | None,
    Header(
        description="1 to 200 printable ASCII characters. The same key with the same request of the same actor gives "
        "the same answer."
    ),
]
XActor = Annotated[str | None, Header(description="Who acts, 1 to 100 printable characters; for the audit log.")]
