"""Frozen audiences in pages: a row holds a thousand persons, so that half a million are written within a second."""

from alembic import op

revision = "0016"
down_revision = "0015"

_UP = (
    """
    -- No installation is older than this revision: the tables are empty when it runs.
    -- squawk-ignore-file ban-drop-table
    SELECT
    """,
    "ALTER TABLE frozen_audience ADD COLUMN clauses jsonb NOT NULL DEFAULT '[]'",
    """
    CREATE TABLE frozen_page (
        launch_id uuid NOT NULL,
        page int NOT NULL,
        person_ids uuid[] NOT NULL,
        masks int[] NOT NULL,
        PRIMARY KEY (launch_id, page),
        CHECK (cardinality(person_ids) = cardinality(masks))
    )
    """,
    """
    UPDATE frozen_audience a SET clauses = coalesce(
        (SELECT jsonb_agg(word ORDER BY word) FROM (
            SELECT DISTINCT jsonb_array_elements_text(m.because) AS word
            FROM frozen_member m WHERE m.launch_id = a.launch_id) words), '[]')
    """,
    """
    INSERT INTO frozen_page
    SELECT launch_id, page, array_agg(person_id ORDER BY person_id), array_agg(mask ORDER BY person_id)
    FROM (
        SELECT m.launch_id, m.person_id,
            CAST((row_number() OVER (PARTITION BY m.launch_id ORDER BY m.person_id) - 1) / 1000 AS int) AS page,
            (SELECT CAST(coalesce(sum(1 << CAST(c.place - 1 AS int)), 0) AS int)
             FROM frozen_audience a, jsonb_array_elements_text(a.clauses) WITH ORDINALITY c (word, place)
             WHERE a.launch_id = m.launch_id AND jsonb_exists(m.because, c.word)) AS mask
        FROM frozen_member m
    ) members
    GROUP BY launch_id, page
    """,
    "DROP TABLE frozen_member",
)
_DOWN = (
    """
    CREATE TABLE frozen_member (
        launch_id uuid NOT NULL,
        person_id uuid NOT NULL,
        because jsonb NOT NULL,
        PRIMARY KEY (launch_id, person_id)
    )
    """,
    "CREATE INDEX ix_frozen_member_person_id ON frozen_member (person_id)",
    """
    INSERT INTO frozen_member
    SELECT p.launch_id, m.person_id,
        (SELECT coalesce(jsonb_agg(c.word ORDER BY c.place), '[]')
         FROM jsonb_array_elements_text(a.clauses) WITH ORDINALITY c (word, place)
         WHERE (m.mask >> CAST(c.place - 1 AS int)) & 1 = 1)
    FROM frozen_page p JOIN frozen_audience a USING (launch_id),
        unnest(p.person_ids, p.masks) m (person_id, mask)
    """,
    "DROP TABLE frozen_page",
    "ALTER TABLE frozen_audience DROP COLUMN clauses",
)


def upgrade() -> None:
    """Turn members into pages."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Turn pages into members."""
    for statement in _DOWN:
        op.execute(statement)
