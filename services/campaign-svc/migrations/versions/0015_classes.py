"""What templates are written for."""

from alembic import op

revision = "0015"
down_revision = "0014"

_UP = (
    """
    CREATE TABLE template_note (
        template_id uuid PRIMARY KEY,
        revision integer NOT NULL,
        name text NOT NULL,
        number integer NOT NULL,
        message_class text NOT NULL
    )
    """,
)
_DOWN = ("DROP TABLE template_note",)


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop it."""
    for statement in _DOWN:
        op.execute(statement)
