"""Answers of campaigns by kind and way, beside their number."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Count what has been answered already: answers are few beside pieces, and facts wait in their queue meanwhile."""
    op.execute(
        """
        INSERT INTO tally (campaign_id, cell_id, channel, day, measure, currency, value)
        SELECT campaign_id, coalesce(cell_id, '00000000-0000-0000-0000-000000000000'), channel,
            date '1970-01-01' + ((marks -> 'seen' ->> 1)::bigint / 86400000000)::int, 'responded/' || label, '', count(*)
        FROM fact
        WHERE kind = 'response' AND campaign_id IS NOT NULL AND marks ? 'seen' AND NOT marks ? 'cancelled' AND NOT is_twin
        GROUP BY 1, 2, 3, 4, 5
        """
    )


def downgrade() -> None:
    """Forget them: they follow from the facts."""
    op.execute("DELETE FROM tally WHERE starts_with(measure, 'responded/')")
