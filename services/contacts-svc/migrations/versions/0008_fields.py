"""Fields that the company declares, and their values.

`person.custom` holds what is shown. What conditions filter by stands in `field_value` besides, because the service may
not make indexes at run time; identity numbers stand in `field_secret` alone.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

_TABLES = (
    """
    CREATE TABLE custom_field (
        key varchar PRIMARY KEY,
        version int NOT NULL CHECK (version > 0),
        kind varchar NOT NULL
            CHECK (kind IN ('text', 'number', 'decimal', 'date', 'flag', 'choice', 'choices', 'national_id')),
        titles jsonb NOT NULL,
        description varchar NOT NULL,
        rules jsonb NOT NULL,
        is_filtered boolean NOT NULL,
        is_closed boolean NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CHECK (NOT (is_filtered AND kind = 'national_id'))
    )
    """,
    """
    CREATE TABLE field_value (
        key varchar NOT NULL REFERENCES custom_field (key),
        person_id uuid NOT NULL REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
        position int NOT NULL,
        text_value varchar,
        number_value numeric,
        date_value date,
        PRIMARY KEY (key, person_id, position),
        CHECK (num_nonnulls(text_value, number_value, date_value) = 1)
    )
    """,
    "CREATE INDEX ix_field_value_person ON field_value (person_id)",
    "CREATE INDEX ix_field_value_text ON field_value (key, text_value, person_id) WHERE text_value IS NOT NULL",
    "CREATE INDEX ix_field_value_number ON field_value (key, number_value, person_id) WHERE number_value IS NOT NULL",
    "CREATE INDEX ix_field_value_date ON field_value (key, date_value, person_id) WHERE date_value IS NOT NULL",
    """
    CREATE TABLE field_secret (
        key varchar NOT NULL REFERENCES custom_field (key),
        person_id uuid NOT NULL REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
        value varchar NOT NULL,
        PRIMARY KEY (key, person_id)
    )
    """,
    "CREATE INDEX ix_field_secret_person ON field_secret (person_id)",
    "ALTER TABLE person ADD COLUMN custom jsonb NOT NULL DEFAULT '{}'",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("ALTER TABLE person DROP COLUMN custom")
    op.execute("DROP TABLE field_secret, field_value, custom_field")
