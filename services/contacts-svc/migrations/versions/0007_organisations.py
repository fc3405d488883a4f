"""Organisations, and who is what in them."""

from alembic import op

revision = "0007"
down_revision = "0006"

_TABLES = (
    """
    CREATE TABLE organisation (
        id uuid PRIMARY KEY,
        version int NOT NULL CHECK (version > 0),
        name varchar NOT NULL CHECK (name <> ''),
        kind varchar NOT NULL CHECK (kind IN ('company', 'sole_trader', 'public', 'association')),
        number varchar NOT NULL,
        number_as_given varchar NOT NULL,
        country varchar NOT NULL,
        parent_id uuid REFERENCES organisation (id),
        email varchar NOT NULL,
        phone varchar NOT NULL,
        website varchar NOT NULL,
        street varchar NOT NULL,
        postal_code varchar NOT NULL,
        city varchar NOT NULL,
        address_country varchar NOT NULL,
        address_as_given varchar NOT NULL,
        source varchar NOT NULL,
        note varchar NOT NULL,
        do_not_contact boolean NOT NULL,
        not_before date,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CHECK (parent_id <> id)
    )
    """,
    "CREATE UNIQUE INDEX ix_organisation_number ON organisation (country, number) WHERE number <> ''",
    "CREATE INDEX ix_organisation_parent ON organisation (parent_id) WHERE parent_id IS NOT NULL",
    "CREATE INDEX ix_organisation_name ON organisation (lower(name))",
    "CREATE INDEX ix_organisation_not_before ON organisation (not_before) WHERE not_before IS NOT NULL",
    """
    CREATE TABLE organisation_change (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        organisation_id uuid NOT NULL,
        version int NOT NULL,
        at timestamptz NOT NULL,
        actor varchar NOT NULL,
        reason varchar NOT NULL,
        changes jsonb NOT NULL
    )
    """,
    "CREATE INDEX ix_organisation_change_organisation ON organisation_change (organisation_id, id)",
    """
    CREATE TABLE person_link (
        id uuid PRIMARY KEY,
        version int NOT NULL CHECK (version > 0),
        person_id uuid NOT NULL REFERENCES person (id),
        organisation_id uuid NOT NULL REFERENCES organisation (id),
        role varchar NOT NULL CHECK (role <> ''),
        title varchar NOT NULL,
        relevance int NOT NULL CHECK (relevance BETWEEN 0 AND 100),
        is_main boolean NOT NULL,
        do_not_contact boolean NOT NULL,
        do_not_contact_reason varchar NOT NULL,
        not_before date,
        valid_from date,
        valid_to date,
        source varchar NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        UNIQUE (person_id, organisation_id, role),
        CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to)
    )
    """,
    "CREATE UNIQUE INDEX ix_person_link_main ON person_link (person_id) WHERE is_main",
    "CREATE INDEX ix_person_link_organisation ON person_link (organisation_id, role)",
    "CREATE INDEX ix_person_link_not_before ON person_link (not_before) WHERE not_before IS NOT NULL",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE person_link, organisation_change, organisation")
