"""Imports tell those who follow when they are through, and know which source is trusted more."""

from alembic import op

revision = "0021"
down_revision = "0020"

_UP = (
    """
    -- No installation is older than this revision: the tables are empty when it runs.
    -- squawk-ignore-file require-concurrent-index-creation
    SELECT
    """,
    """
    ALTER TABLE import
        ADD COLUMN is_followed boolean NOT NULL DEFAULT false,
        ADD COLUMN followed_to uuid
    """,
    "ALTER TABLE import_touched ADD COLUMN families int NOT NULL DEFAULT 0",
    "CREATE TABLE import_source (name varchar PRIMARY KEY, rank int NOT NULL)",
    "CREATE INDEX ix_import_open ON import (id) WHERE state = 'running' OR NOT is_followed",
)
_DOWN = (
    "DROP INDEX ix_import_open",
    "DROP TABLE import_source",
    "ALTER TABLE import_touched DROP COLUMN families",
    "ALTER TABLE import DROP COLUMN is_followed, DROP COLUMN followed_to",
)


def upgrade() -> None:
    """Add what is remembered."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop it."""
    for statement in _DOWN:
        op.execute(statement)
