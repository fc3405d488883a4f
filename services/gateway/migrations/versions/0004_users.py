"""Users of the console, their sessions, and the links that set their passwords."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "console_user",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("email = lower(email)", name="console_user_email_is_lower"),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name="console_user_has_a_name"),
    )
    op.create_table(
        "console_session",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("console_user.id"), nullable=False, index=True),
        sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name="console_session_hash_is_sha256"),
    )
    op.create_table(
        "console_link",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("console_user.id"), unique=True),
        sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name="console_link_hash_is_sha256"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("console_link")
    op.drop_table("console_session")
    op.drop_table("console_user")
