"""What buyers of a product also bought: a copy, for the recommendations that messages show."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    op.execute(
        """
        CREATE TABLE also_bought (
            product_id uuid PRIMARY KEY,
            version    bigint NOT NULL,
            skus       jsonb NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Drop it; nothing is recommended then."""
    op.execute("DROP TABLE also_bought")
