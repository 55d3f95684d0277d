"""Why a proposal needs a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; earlier proposals need nobody."""
    op.add_column("proposals", sa.Column("review", sa.JSON, nullable=True))


def downgrade() -> None:
    """Drop the column with all that is in it."""
    op.drop_column("proposals", "review")
