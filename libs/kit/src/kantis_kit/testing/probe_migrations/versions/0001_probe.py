"""The chassis' tables and a table of effects."""

from alembic import op

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_kit_tables()
    op.execute(
        "CREATE TABLE thing (id uuid PRIMARY KEY, name text NOT NULL, version int NOT NULL DEFAULT 1)"
    )
    op.execute(
        "CREATE TABLE effect (id uuid PRIMARY KEY, name text NOT NULL, times int NOT NULL DEFAULT 1)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE effect")
    op.execute("DROP TABLE thing")
    drop_kit_tables()
