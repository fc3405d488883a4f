"""Segments on which rules act: they explain who comes."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    op.execute("ALTER TABLE segment ADD COLUMN explains text NOT NULL DEFAULT 'nothing'")
    op.execute(
        """
        CREATE TABLE rule_segment (
            rule_id    uuid PRIMARY KEY,
            segment_id uuid NOT NULL,
            version    int NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_rule_segment_segment_id ON rule_segment (segment_id)")


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE rule_segment")
    op.execute("ALTER TABLE segment DROP COLUMN explains")
