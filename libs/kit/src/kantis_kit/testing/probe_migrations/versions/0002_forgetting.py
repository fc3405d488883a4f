"""Who is forgotten, and what was written about whom."""

from alembic import op

from kantis_kit.db.tables import create_forgetting, drop_forgetting

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_forgetting()
    op.execute(
        "CREATE TABLE note (id uuid PRIMARY KEY, person_id uuid NOT NULL, words text NOT NULL)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE note")
    drop_forgetting()
