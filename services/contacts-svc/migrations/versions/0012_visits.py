"""Visits to the company's sites, by visitors who allow that."""

from alembic import op

revision = "0012"
down_revision = "0011"

_TABLES = (
    """
    CREATE TABLE site (
        key varchar PRIMARY KEY,
        origins jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE visitor (
        id uuid PRIMARY KEY,
        site_key varchar NOT NULL,
        consent_version varchar NOT NULL,
        consented_at timestamptz NOT NULL,
        evidence jsonb NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        continued_as uuid CHECK (continued_as <> id)
    )
    """,
    "CREATE INDEX ix_visitor_last_at ON visitor (last_at)",
    """
    CREATE TABLE visitor_person (
        visitor_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        joined_by varchar NOT NULL,
        joined_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_visitor_person_person_id ON visitor_person (person_id)",
    """
    CREATE TABLE page_view (
        visitor_id uuid NOT NULL,
        id uuid NOT NULL,
        path varchar NOT NULL,
        title varchar NOT NULL,
        came_from varchar NOT NULL,
        campaign varchar NOT NULL,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (visitor_id, id)
    )
    """,
    "CREATE INDEX ix_page_view_visitor ON page_view (visitor_id, seen_at)",
    "CREATE INDEX ix_page_view_seen_at ON page_view USING brin (seen_at)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE page_view, visitor_person, visitor, site")
