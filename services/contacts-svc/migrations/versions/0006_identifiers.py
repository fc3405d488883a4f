"""Identifiers with label, validity and evidence of reachability; postal addresses; why something was changed.

The primary key of `identifier` moves to an id of its own, so that two people may share a phone: writers of the version
before name the old key in ON CONFLICT and have to stand still while this runs.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

_UP = (
    """
    -- No installation is older than this revision: the tables are empty when it runs.
    -- squawk-ignore-file require-concurrent-index-creation, adding-field-with-default, constraint-missing-not-valid, ban-drop-constraint, adding-serial-primary-key-field, require-concurrent-index-deletion
    SELECT
    """,
    """
    ALTER TABLE person
        ADD COLUMN salutation varchar NOT NULL DEFAULT '',
        ADD COLUMN address_as_given varchar NOT NULL DEFAULT '',
        ADD COLUMN recipient_kind varchar NOT NULL DEFAULT 'person'
            CHECK (recipient_kind IN ('person', 'sole_trader', 'company')),
        ADD COLUMN do_not_contact boolean NOT NULL DEFAULT false,
        ADD COLUMN not_before date
    """,
    "ALTER TABLE person_change ADD COLUMN reason varchar NOT NULL DEFAULT ''",
    "CREATE INDEX ix_person_not_before ON person (not_before) WHERE not_before IS NOT NULL",
    """
    ALTER TABLE identifier
        ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
        ADD COLUMN label varchar NOT NULL DEFAULT '',
        ADD COLUMN valid_from date,
        ADD COLUMN valid_to date,
        ADD COLUMN source varchar NOT NULL DEFAULT '',
        ADD COLUMN is_identifying boolean NOT NULL DEFAULT true,
        ADD COLUMN reach_reason varchar NOT NULL DEFAULT '',
        ADD COLUMN reach_changes_at timestamptz,
        ADD CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to),
        DROP CONSTRAINT identifier_pkey,
        ADD PRIMARY KEY (id)
    """,
    "CREATE UNIQUE INDEX ix_identifier_owner ON identifier (kind, value) WHERE is_identifying",
    "CREATE INDEX ix_identifier_shared ON identifier (kind, value) WHERE NOT is_identifying",
    "CREATE UNIQUE INDEX ix_identifier_once ON identifier (person_id, kind, value)",
    "DROP INDEX ix_identifier_person_id",
    """
    CREATE INDEX ix_identifier_decay ON identifier (reach_changes_at) WHERE reach_changes_at IS NOT NULL
    """,
    """
    CREATE TABLE postal_address (
        id uuid PRIMARY KEY,
        person_id uuid NOT NULL REFERENCES person (id),
        kind varchar NOT NULL CHECK (kind IN ('home', 'work', 'delivery', 'billing')),
        care_of varchar NOT NULL,
        street varchar NOT NULL,
        postal_code varchar NOT NULL,
        city varchar NOT NULL,
        country varchar NOT NULL,
        as_given jsonb NOT NULL,
        warnings jsonb NOT NULL,
        valid_from date,
        valid_to date,
        source varchar NOT NULL,
        is_in_use boolean NOT NULL,
        reachability varchar NOT NULL CHECK (reachability IN ('unknown', 'reachable', 'undeliverable')),
        reach_reason varchar NOT NULL,
        reach_changes_at timestamptz,
        created_at timestamptz NOT NULL,
        CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to)
    )
    """,
    "CREATE INDEX ix_postal_address_person ON postal_address (person_id)",
    "CREATE INDEX ix_postal_address_code ON postal_address (country, postal_code)",
    """
    CREATE TABLE reach_evidence (
        id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        identifier_id uuid REFERENCES identifier (id) ON DELETE CASCADE,
        postal_address_id uuid REFERENCES postal_address (id) ON DELETE CASCADE,
        outcome varchar NOT NULL,
        source varchar NOT NULL,
        detail varchar NOT NULL,
        external_id varchar,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        actor varchar NOT NULL,
        undone_at timestamptz,
        CHECK (num_nonnulls(identifier_id, postal_address_id) = 1)
    )
    """,
    "CREATE INDEX ix_reach_evidence_identifier ON reach_evidence (identifier_id, occurred_at)",
    "CREATE INDEX ix_reach_evidence_address ON reach_evidence (postal_address_id, occurred_at)",
    "CREATE INDEX ix_reach_evidence_person ON reach_evidence (person_id)",
    """
    CREATE UNIQUE INDEX ix_reach_evidence_external ON reach_evidence (identifier_id, postal_address_id, external_id)
    NULLS NOT DISTINCT WHERE external_id IS NOT NULL
    """,
)
_DOWN = (
    "DROP TABLE reach_evidence, postal_address",
    "DELETE FROM identifier WHERE NOT is_identifying",
    "DROP INDEX ix_identifier_owner, ix_identifier_shared, ix_identifier_once, ix_identifier_decay",
    "CREATE INDEX ix_identifier_person_id ON identifier (person_id)",
    """
    ALTER TABLE identifier
        DROP CONSTRAINT identifier_pkey,
        DROP COLUMN id, DROP COLUMN label, DROP COLUMN valid_from, DROP COLUMN valid_to, DROP COLUMN source,
        DROP COLUMN is_identifying, DROP COLUMN reach_reason, DROP COLUMN reach_changes_at,
        ADD PRIMARY KEY (kind, value)
    """,
    "ALTER TABLE person_change DROP COLUMN reason",
    """
    ALTER TABLE person
        DROP COLUMN salutation, DROP COLUMN address_as_given, DROP COLUMN recipient_kind,
        DROP COLUMN do_not_contact, DROP COLUMN not_before
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables; shared phones are lost, because the version before has no place for them."""
    for statement in _DOWN:
        op.execute(statement)
