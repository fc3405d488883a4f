"""Saved reports of a campaign, a customer or a funnel; when saved reports are mailed, and to whom."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Say what a saved report is of, and make the schedules."""
    op.execute("ALTER TABLE saved_report ADD COLUMN campaign_id uuid")
    op.execute("ALTER TABLE saved_report ADD COLUMN person_id uuid")
    op.execute("ALTER TABLE saved_report ADD COLUMN funnel jsonb")
    op.execute(
        """
        CREATE TABLE report_schedule (
            id          uuid PRIMARY KEY,
            saved_id    uuid NOT NULL REFERENCES saved_report (id) ON DELETE CASCADE,
            every       text NOT NULL CHECK (every IN ('day', 'week', 'month')),
            weekday     integer CHECK (weekday BETWEEN 1 AND 7),
            month_day   integer CHECK (month_day BETWEEN 1 AND 28),
            hour        integer NOT NULL CHECK (hour BETWEEN 0 AND 23),
            time_zone   text NOT NULL,
            recipients  jsonb NOT NULL,
            is_paused   boolean NOT NULL DEFAULT false,
            problem     text NOT NULL DEFAULT '',
            next_due_at timestamptz NOT NULL,
            last_due_at timestamptz,
            created_at  timestamptz NOT NULL,
            CHECK ((every = 'week') = (weekday IS NOT NULL) AND (every = 'month') = (month_day IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX report_schedule_saved ON report_schedule (saved_id)")


def downgrade() -> None:
    """Forget the schedules, and the reports that the version before cannot read."""
    op.execute("DROP TABLE report_schedule")
    op.execute("DELETE FROM saved_report WHERE report IN ('campaign', 'customer', 'funnel')")
    for name in ("funnel", "person_id", "campaign_id"):
        op.execute(f"ALTER TABLE saved_report DROP COLUMN {name}")
