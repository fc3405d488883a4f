"""Rates of VAT with decimals in the copy of the products."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Let a rate have hundredths of a per cent."""
    op.execute(
        """
        -- A copy of some thousand rows is written anew; the version that runs reads either kind.
        -- squawk-ignore changing-column-type
        ALTER TABLE product ALTER COLUMN vat_pct TYPE numeric(5, 2)
        """
    )


def downgrade() -> None:
    """Round them again."""
    op.execute("ALTER TABLE product ALTER COLUMN vat_pct TYPE integer")
