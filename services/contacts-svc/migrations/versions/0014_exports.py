"""Exports of contacts into files, with their checkpoints."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables."""
    op.execute(
        """
        CREATE TABLE export (
            id uuid PRIMARY KEY,
            name varchar NOT NULL,
            state varchar NOT NULL CHECK (state IN ('running', 'done', 'failed', 'forgotten')),
            problem varchar NOT NULL,
            kind varchar NOT NULL CHECK (kind IN ('csv', 'xlsx')),
            segment_id uuid,
            fields jsonb NOT NULL,
            delimiter varchar NOT NULL,
            rows int NOT NULL,
            last_id uuid,
            file_bytes bigint NOT NULL,
            actor varchar NOT NULL,
            created_at timestamptz NOT NULL,
            finished_at timestamptz,
            expires_at timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE export")
