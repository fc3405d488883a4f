"""Messages that rules and programmes ask for: a source of their own per step and channel."""

from alembic import op

revision = "0013"
down_revision = "0012"

_UP = (
    """
    -- A source is a launch's cell or a step; the version that still runs goes on writing cells, which fill what was
    -- required before. Constraints are widened: each row that stands fits the new ones.
    -- squawk-ignore-file ban-drop-constraint, ban-drop-not-null, constraint-missing-not-valid, require-concurrent-index-creation
    ALTER TABLE dispatch_source
        ALTER COLUMN launch_id DROP NOT NULL,
        ALTER COLUMN cell_id DROP NOT NULL,
        ALTER COLUMN campaign_id DROP NOT NULL,
        ALTER COLUMN segment_id DROP NOT NULL,
        ADD COLUMN asker_kind text NOT NULL DEFAULT 'campaign',
        ADD COLUMN asker_id uuid,
        ADD COLUMN asker_version int,
        ADD COLUMN step text NOT NULL DEFAULT '',
        ADD COLUMN message_class text NOT NULL DEFAULT 'marketing',
        ADD CONSTRAINT dispatch_source_has_asker CHECK (
            CASE WHEN asker_kind = 'campaign' THEN launch_id IS NOT NULL AND cell_id IS NOT NULL
                AND campaign_id IS NOT NULL AND segment_id IS NOT NULL
            ELSE asker_id IS NOT NULL AND asker_version IS NOT NULL END)
    """,
    """
    CREATE UNIQUE INDEX dispatch_source_of_step ON dispatch_source (asker_id, asker_version, step, channel)
        WHERE asker_id IS NOT NULL
    """,
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_origin_check",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_origin_check
        CHECK (origin IN ('campaign', 'step', 'confirmation', 'notice', 'test', 'reply'))
    """,
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_check",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_source_check
        CHECK ((origin IN ('campaign', 'step')) = (source_id IS NOT NULL))
    """,
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_address_check",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_address_check CHECK (origin IN ('campaign', 'step', 'notice')
        OR to_email IS NOT NULL OR to_phone IS NOT NULL OR state <> 'claimed')
    """,
)
_DOWN = (
    "DELETE FROM dispatch WHERE origin = 'step'",
    "DELETE FROM dispatch_source WHERE asker_kind <> 'campaign'",
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_address_check",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_address_check CHECK (origin IN ('campaign', 'notice')
        OR to_email IS NOT NULL OR to_phone IS NOT NULL OR state <> 'claimed')
    """,
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_source_check",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_check CHECK ((origin = 'campaign') = (source_id IS NOT NULL))
    """,
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_origin_check",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_origin_check
        CHECK (origin IN ('campaign', 'confirmation', 'notice', 'test', 'reply'))
    """,
    "DROP INDEX dispatch_source_of_step",
    """
    ALTER TABLE dispatch_source
        DROP CONSTRAINT dispatch_source_has_asker, DROP COLUMN asker_kind, DROP COLUMN asker_id,
        DROP COLUMN asker_version, DROP COLUMN step, DROP COLUMN message_class,
        ALTER COLUMN launch_id SET NOT NULL, ALTER COLUMN cell_id SET NOT NULL,
        ALTER COLUMN campaign_id SET NOT NULL, ALTER COLUMN segment_id SET NOT NULL
    """,
)


def upgrade() -> None:
    """Widen the sources and the ledger."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Back to campaigns alone; what steps have sent is forgotten."""
    for statement in _DOWN:
        op.execute(statement)
