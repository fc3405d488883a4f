"""Responses that came by mail, text message, chat or telephone, and the conversations in which they are answered."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Widen the responses, and remember until when conversations are answered."""
    op.execute(
        """
        -- The indexes are built in this transaction: a release waits for them while nobody answers.
        -- squawk-ignore-file require-concurrent-index-creation
        ALTER TABLE response ADD COLUMN reply_id uuid, ADD COLUMN conversation_id uuid
        """
    )
    op.execute("CREATE UNIQUE INDEX response_reply ON response (reply_id)")
    op.execute(
        "CREATE INDEX response_conversation ON response (conversation_id) WHERE conversation_id IS NOT NULL"
    )
    op.execute(
        """
        CREATE TABLE answered_conversation (
            conversation_id uuid PRIMARY KEY,
            answered_at     timestamptz
        )
        """
    )


def downgrade() -> None:
    """Narrow them again."""
    op.execute("DROP TABLE answered_conversation")
    op.execute("DROP INDEX response_conversation, response_reply")
    op.execute("ALTER TABLE response DROP COLUMN reply_id, DROP COLUMN conversation_id")
