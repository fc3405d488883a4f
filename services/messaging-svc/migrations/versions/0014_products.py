"""Products that messages show by themselves: a copy of the catalogue, and which of them a version names."""

from alembic import op

revision = "0014"
down_revision = "0013"

_ADDED = (
    """
    CREATE TABLE product_card (
        product_id  uuid PRIMARY KEY,
        version     bigint NOT NULL,
        sku         text NOT NULL,
        name        text NOT NULL,
        price_minor bigint NOT NULL,
        currency    text NOT NULL,
        available   bigint NOT NULL,
        is_active   boolean NOT NULL
    )
    """,
    "CREATE INDEX ix_product_card_sku ON product_card (sku)",
    "ALTER TABLE template_version ADD COLUMN products jsonb NOT NULL DEFAULT '[]'",
)


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    for statement in _ADDED:
        op.execute(statement)


def downgrade() -> None:
    """Take it away; versions show then what pieces bring, and nothing else."""
    op.execute("ALTER TABLE template_version DROP COLUMN products")
    op.execute("DROP TABLE product_card")
