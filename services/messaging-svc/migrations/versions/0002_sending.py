"""Which database sent last, so that a restored one sends nothing by itself."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE sending (
            is_only           boolean PRIMARY KEY DEFAULT true CHECK (is_only),
            database_oid      bigint NOT NULL,
            system_identifier bigint,
            epoch             bigint NOT NULL,
            seen_at           timestamptz NOT NULL,
            held_since        timestamptz,
            reason            text NOT NULL DEFAULT ''
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE sending")
