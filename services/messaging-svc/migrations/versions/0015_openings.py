"""How often something was opened that messages wait for."""

from alembic import op

revision = "0015"
down_revision = "0014"

_ADDED = (
    """
    CREATE TABLE opening (
        is_only boolean PRIMARY KEY CHECK (is_only),
        count   bigint NOT NULL
    )
    """,
    "INSERT INTO opening (is_only, count) VALUES (true, 0)",
)


def upgrade() -> None:
    """Begin to count."""
    for statement in _ADDED:
        op.execute(statement)


def downgrade() -> None:
    """Stop counting."""
    op.execute("DROP TABLE opening")
