"""What customers are expected to buy, a model for each currency; and reports that somebody has saved."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables; the models are fitted at night, or when somebody asks."""
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
    op.execute(
        """
        CREATE TABLE saved_report (
            id         uuid PRIMARY KEY,
            name       text NOT NULL UNIQUE,
            report     text NOT NULL,
            days       integer NOT NULL CHECK (days BETWEEN 1 AND 3653),
            currency   text NOT NULL DEFAULT '',
            created_at timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE saved_report")
    op.execute("DROP TABLE worth_model")
