"""How large the segments are that announce their changes."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.execute(
        """
        CREATE TABLE segment_size (
            segment_id uuid PRIMARY KEY,
            name       varchar NOT NULL,
            revision   bigint NOT NULL,
            members    bigint NOT NULL,
            entered    bigint NOT NULL,
            gone       bigint NOT NULL,
            changed_at timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE segment_size")
