"""Channels of choice, what is left out and why, waves, experiments, approvals, seeds and thresholds."""

from alembic import op

revision = "0007"
down_revision = "0006"

_STATES = "'released', 'in_doubt', 'expired', 'suppressed', 'accepted', 'failed'"
_ADDED = (
    """
    -- The new rules of pieces are wider than the old ones: the version that still runs keeps to them, and looking at a
    -- million pieces takes a second. The index is built on no row at all: nothing waits yet.
    -- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid, require-concurrent-index-creation
    ALTER TABLE campaign
        ADD COLUMN when_short       text NOT NULL DEFAULT 'refuse' CHECK (when_short IN ('refuse', 'by_value')),
        ADD COLUMN capacity         int CHECK (capacity > 0),
        ADD COLUMN hold_out_pct     int NOT NULL DEFAULT 0 CHECK (hold_out_pct BETWEEN 0 AND 90),
        ADD COLUMN without_segments jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN without_debtors  boolean NOT NULL DEFAULT true,
        ADD COLUMN experiment       jsonb
    """,
    "ALTER TABLE offer ADD COLUMN packaging jsonb NOT NULL DEFAULT '[]'",
    "ALTER TABLE cell ADD COLUMN routes jsonb NOT NULL DEFAULT '[]'",
    """
    ALTER TABLE preflight
        ADD COLUMN reach  jsonb,
        ADD COLUMN checks jsonb
    """,
    """
    ALTER TABLE launch
        ADD COLUMN released       int NOT NULL DEFAULT 0,
        ADD COLUMN left_out       int NOT NULL DEFAULT 0,
        ADD COLUMN is_rationed    boolean NOT NULL DEFAULT false,
        ADD COLUMN winner_cell_id uuid,
        ADD COLUMN decided_at     timestamptz,
        ADD COLUMN decision       jsonb
    """,
    # Whatever has arrived until now was released at once.
    "UPDATE launch SET released = arrived",
    """
    ALTER TABLE piece
        ADD COLUMN channel    text NOT NULL DEFAULT 'email',
        ADD COLUMN cost_minor bigint NOT NULL DEFAULT 0,
        ADD COLUMN worth      int NOT NULL DEFAULT 0,
        ADD COLUMN route      jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN is_reserve boolean NOT NULL DEFAULT false
    """,
    "ALTER TABLE piece DROP CONSTRAINT piece_state_check, DROP CONSTRAINT piece_check",
    f"""
    ALTER TABLE piece
        ADD CONSTRAINT piece_state_check CHECK (state IN ('waiting', 'left_out', {_STATES})),
        ADD CONSTRAINT piece_check CHECK ((state IN ('waiting', 'released')) = (settled_at IS NULL))
    """,
    "CREATE INDEX piece_waiting ON piece (launch_id, worth DESC, id) WHERE state = 'waiting'",
    """
    ALTER TABLE schedule
        ADD COLUMN repeat_days  int CHECK (repeat_days > 0),
        ADD COLUMN repeat_until timestamptz
    """,
    """
    CREATE TABLE threshold (
        code       text PRIMARY KEY,
        yellow     int CHECK (yellow >= 0),
        red        int CHECK (red >= 0),
        set_by     text NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE approval (
        campaign_id      uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
        campaign_version int NOT NULL,
        approved_by      text NOT NULL,
        name             text NOT NULL,
        note             text NOT NULL,
        approved_at      timestamptz NOT NULL,
        PRIMARY KEY (campaign_id, campaign_version, approved_by)
    )
    """,
    """
    CREATE TABLE seed (
        id             uuid PRIMARY KEY,
        email          text NOT NULL UNIQUE,
        preferred_name text NOT NULL,
        language       text NOT NULL,
        added_by       text NOT NULL,
        added_at       timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    for statement in _ADDED:
        op.execute(statement)


def downgrade() -> None:
    """Take it away; pieces that were never released go, as the version before knows none."""
    for statement in (
        "DROP TABLE seed",
        "DROP TABLE approval",
        "DROP TABLE threshold",
        "ALTER TABLE schedule DROP COLUMN repeat_days, DROP COLUMN repeat_until",
        "DROP INDEX piece_waiting",
        "DELETE FROM outcome WHERE piece_id IN (SELECT id FROM piece WHERE state IN ('waiting', 'left_out'))",
        "DELETE FROM piece WHERE state IN ('waiting', 'left_out')",
        "ALTER TABLE piece DROP CONSTRAINT piece_state_check, DROP CONSTRAINT piece_check",
        f"""
        ALTER TABLE piece
            ADD CONSTRAINT piece_state_check CHECK (state IN ({_STATES})),
            ADD CONSTRAINT piece_check CHECK ((state = 'released') = (settled_at IS NULL))
        """,
        """
        ALTER TABLE piece DROP COLUMN channel, DROP COLUMN cost_minor, DROP COLUMN worth, DROP COLUMN route,
            DROP COLUMN is_reserve
        """,
        """
        ALTER TABLE launch DROP COLUMN released, DROP COLUMN left_out, DROP COLUMN is_rationed,
            DROP COLUMN winner_cell_id, DROP COLUMN decided_at, DROP COLUMN decision
        """,
        "ALTER TABLE preflight DROP COLUMN reach, DROP COLUMN checks",
        "ALTER TABLE cell DROP COLUMN routes",
        "ALTER TABLE offer DROP COLUMN packaging",
        """
        ALTER TABLE campaign DROP COLUMN when_short, DROP COLUMN capacity, DROP COLUMN hold_out_pct,
            DROP COLUMN without_segments, DROP COLUMN without_debtors, DROP COLUMN experiment
        """,
    ):
        op.execute(statement)
