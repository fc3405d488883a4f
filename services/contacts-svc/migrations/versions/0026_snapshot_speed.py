"""Pages of frozen audiences are written as they are, and say once what holds for everybody on them."""

from alembic import op

revision = "0026"
down_revision = "0025"

_UP = (
    # Random ids do not get smaller: to try it took longer than to write them.
    """
    -- Pages are few, a thousand people each, and go after some weeks: to look at all of them takes moments.
    -- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid
    ALTER TABLE frozen_page ALTER COLUMN person_ids SET STORAGE EXTERNAL,
        ALTER COLUMN masks SET STORAGE EXTERNAL
    """,
    "ALTER TABLE frozen_page DROP CONSTRAINT frozen_page_check",
    # No masks: all clauses hold for all persons of the page. The old constraint was narrower, so every row holds.
    """
    ALTER TABLE frozen_page ADD CONSTRAINT frozen_page_check
        CHECK (cardinality(masks) IN (0, cardinality(person_ids))) NOT VALID
    """,
    "ALTER TABLE frozen_page VALIDATE CONSTRAINT frozen_page_check",
)
_DOWN = (
    """
    UPDATE frozen_page p SET masks = array_fill(
        CAST((1 << jsonb_array_length(a.clauses)) - 1 AS int), ARRAY[cardinality(p.person_ids)])
    FROM frozen_audience a WHERE a.launch_id = p.launch_id AND cardinality(p.masks) = 0
    """,
    "ALTER TABLE frozen_page DROP CONSTRAINT frozen_page_check",
    """
    ALTER TABLE frozen_page ADD CONSTRAINT frozen_page_check
        CHECK (cardinality(person_ids) = cardinality(masks))
    """,
    """
    ALTER TABLE frozen_page ALTER COLUMN person_ids SET STORAGE EXTENDED,
        ALTER COLUMN masks SET STORAGE EXTENDED
    """,
)


def upgrade() -> None:
    """Widen the constraint and leave the columns uncompressed."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Give every person a mask again."""
    for statement in _DOWN:
        op.execute(statement)
