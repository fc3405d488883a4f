"""The chassis' tables, API keys, and the spool of leads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_kit_tables()
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("prefix", sa.Text, nullable=False, unique=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("octet_length(hash) = 32", name="api_key_hash_is_sha256"),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name="api_key_has_a_name"),
    )
    op.create_table(
        "spool",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("correlation_id", sa.Uuid),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.Uuid),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
        sa.Column("last_status", sa.Integer),
        sa.Column("problem", sa.Text, nullable=False),
        sa.UniqueConstraint("path", "idempotency_key", name="spool_once"),
        sa.CheckConstraint("state IN ('waiting', 'refused', 'stuck')", name="spool_state"),
        sa.CheckConstraint(
            "(claimed_by IS NULL) = (claimed_until IS NULL)", name="spool_claim_is_whole"
        ),
        sa.CheckConstraint("octet_length(body) <= 65536", name="spool_body_is_small"),
    )
    op.create_index(
        "spool_due", "spool", ["next_at"], postgresql_where=sa.column("state") == "waiting"
    )


def downgrade() -> None:
    op.drop_table("spool")
    op.drop_table("api_key")
    drop_kit_tables()
