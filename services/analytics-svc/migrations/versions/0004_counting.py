"""Facts in monthly partitions, with the channel; roll-ups per channel and per person."""

from alembic import op

revision = "0004"
down_revision = "0003"

_OF_PERSONS = "kind IN ('clicker', 'opener', 'responder') AND campaign_id IS NOT NULL"
# What a person did at all is named after the moment of the campaign, so that it lies in that month.
_KEY = f"""CASE WHEN {_OF_PERSONS} AND coalesce(merged_id, person_id) IS NOT NULL THEN (
        SELECT left(replace(campaign_id::text, '-', ''), 12) || '7' || left(h, 3) || '8' || substr(h, 4, 15)
        FROM md5(campaign_id::text || kind || coalesce(merged_id, person_id)::text) AS h)::uuid ELSE key END"""  # noqa: S608
_MARKS = """coalesce((SELECT jsonb_object_agg(name, jsonb_build_array(mark -> 0,
        (extract(epoch FROM (mark ->> 1)::timestamptz) * 1000000)::bigint, mark -> 2))
    FROM jsonb_each(marks) AS m (name, mark)), '{}')"""

_MEASURES = (
    "planned", "sent", "delivered", "failed", "suppressed", "expired", "in_doubt", "opened", "opened_persons", "clicked",
    "clicked_persons", "clicked_machine", "unsubscribed", "responded", "responded_persons", "ordered", "revenue_minor",
    "paid", "paid_minor", "received_minor", "cost_minor",
)  # fmt: skip

_STEPS = (
    # Everything is built in this transaction: facts wait in their queue meanwhile.
    """
    -- squawk-ignore-file require-concurrent-index-creation, renaming-object, renaming-table, ban-drop-table, ban-drop-constraint,
    -- squawk-ignore-file constraint-missing-not-valid, adding-serial-primary-key-field
    ALTER TABLE fact RENAME TO fact_before
    """,
    "ALTER INDEX fact_pkey RENAME TO fact_before_pkey",
    "ALTER INDEX fact_campaign RENAME TO fact_before_campaign",
    "ALTER INDEX fact_person RENAME TO fact_before_person",
    "ALTER INDEX fact_merged RENAME TO fact_before_merged",
    # By the key, whose first 48 bits are the time of its making: the same fact always falls into the same partition.
    """
    CREATE TABLE fact (
        kind        text NOT NULL,
        key         uuid NOT NULL,
        campaign_id uuid,
        cell_id     uuid,
        person_id   uuid,
        merged_id   uuid,
        is_twin     boolean NOT NULL DEFAULT false,
        currency    text NOT NULL DEFAULT '',
        label       text NOT NULL DEFAULT '',
        channel     text NOT NULL DEFAULT '',
        marks       jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (kind, key)
    ) PARTITION BY RANGE (key)
    """,
    "CREATE TABLE fact_rest PARTITION OF fact DEFAULT",
    "CREATE INDEX fact_campaign ON fact (campaign_id, kind) WHERE campaign_id IS NOT NULL",
    "CREATE INDEX fact_person ON fact (person_id) WHERE person_id IS NOT NULL",
    "CREATE INDEX fact_merged ON fact (merged_id) WHERE merged_id IS NOT NULL",
    f"""
    INSERT INTO fact (kind, key, campaign_id, cell_id, person_id, merged_id, is_twin, currency, label, marks)
    SELECT kind, {_KEY}, campaign_id, cell_id, person_id, merged_id, is_twin, currency, label, {_MARKS} FROM fact_before
    """,  # noqa: S608 - constants
    "DROP TABLE fact_before",
    # Its sums stay: what was counted before belongs to no channel until reports are rebuilt.
    "ALTER TABLE tally ADD COLUMN channel text NOT NULL DEFAULT ''",
    "ALTER TABLE tally DROP CONSTRAINT tally_pkey",
    "ALTER TABLE tally ADD PRIMARY KEY (campaign_id, cell_id, channel, day, measure, currency)",
    f"""
    CREATE TABLE person_sum (
        person_id uuid NOT NULL,
        channel   text NOT NULL,
        currency  text NOT NULL,
        {", ".join(f"{name} bigint NOT NULL DEFAULT 0" for name in _MEASURES)},
        PRIMARY KEY (person_id, channel, currency)
    ) WITH (fillfactor = 70)
    """,
)


def upgrade() -> None:
    """Move the facts; a rebuild of the reports then counts them per channel and person."""
    for statement in _STEPS:
        op.execute(statement)


def downgrade() -> None:
    """Give facts back the form in which the version before reads them; channels are lost."""
    for statement in (
        "DROP TABLE person_sum",
        "ALTER TABLE fact RENAME TO fact_after",
        """
        CREATE TABLE fact (
            kind text NOT NULL, key uuid NOT NULL, campaign_id uuid, cell_id uuid, person_id uuid,
            currency text NOT NULL DEFAULT '', label text NOT NULL DEFAULT '', marks jsonb NOT NULL DEFAULT '{}',
            merged_id uuid, is_twin boolean NOT NULL DEFAULT false, PRIMARY KEY (kind, key)
        )
        """,
        """
        INSERT INTO fact SELECT kind, key, campaign_id, cell_id, person_id, currency, label,
            coalesce((SELECT jsonb_object_agg(name, jsonb_build_array(mark -> 0,
                to_char(to_timestamp((mark ->> 1)::bigint / 1000000.0) AT TIME ZONE 'UTC',
                    'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), mark -> 2))
                FROM jsonb_each(marks) AS m (name, mark)), '{}'), merged_id, is_twin
        FROM fact_after
        """,
        "DROP TABLE fact_after",
        "CREATE INDEX fact_campaign ON fact (campaign_id, kind) WHERE campaign_id IS NOT NULL",
        "CREATE INDEX fact_person ON fact (person_id) WHERE person_id IS NOT NULL",
        "CREATE INDEX fact_merged ON fact (merged_id) WHERE merged_id IS NOT NULL",
        """
        CREATE TABLE tally_sum AS SELECT campaign_id, cell_id, day, measure, currency, sum(value)::bigint AS value
        FROM tally GROUP BY 1, 2, 3, 4, 5
        """,
        "TRUNCATE tally",
        "ALTER TABLE tally DROP CONSTRAINT tally_pkey",
        "ALTER TABLE tally DROP COLUMN channel",
        "ALTER TABLE tally ADD PRIMARY KEY (campaign_id, cell_id, day, measure, currency)",
        "INSERT INTO tally (campaign_id, cell_id, day, measure, currency, value) SELECT * FROM tally_sum",
        "DROP TABLE tally_sum",
    ):
        op.execute(statement)
