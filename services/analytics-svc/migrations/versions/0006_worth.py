"""What customers are expected to buy: the parameters of the models, fitted to the buyers of a currency."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table; the models are fitted at night, or when somebody asks."""
    op.execute(
        """
        CREATE TABLE worth_model (
            currency  text PRIMARY KEY,
            fitted_at timestamptz NOT NULL,
            buyers    bigint NOT NULL,
            repeaters bigint NOT NULL,
            r         double precision NOT NULL,
            alpha     double precision NOT NULL,
            a         double precision NOT NULL,
            b         double precision NOT NULL,
            p         double precision,
            q         double precision,
            v         double precision
        )
        """
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE worth_model")
