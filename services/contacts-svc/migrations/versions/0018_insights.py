"""Interactions, the vocabulary of insights, insights, and products that answer needs."""

from alembic import op

revision = "0018"
down_revision = "0017"

_TABLES = (
    """
    CREATE TABLE interaction (
        id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        kind varchar NOT NULL,
        direction varchar NOT NULL,
        channel varchar NOT NULL,
        topic varchar NOT NULL,
        outcome varchar NOT NULL,
        place varchar NOT NULL,
        text varchar NOT NULL,
        campaign_id uuid,
        source varchar NOT NULL,
        external_id varchar,
        actor varchar NOT NULL,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        UNIQUE (source, external_id)
    )
    """,
    "CREATE INDEX ix_interaction_person ON interaction (person_id, occurred_at)",
    "CREATE INDEX ix_interaction_kind ON interaction (kind, occurred_at)",
    """
    CREATE TABLE insight_term (
        id uuid PRIMARY KEY,
        key varchar NOT NULL UNIQUE,
        version int NOT NULL,
        kind varchar NOT NULL,
        words jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        closed_at timestamptz
    )
    """,
    "CREATE INDEX ix_insight_term_kind ON insight_term (kind, id)",
    """
    CREATE TABLE insight (
        id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        term_id uuid NOT NULL REFERENCES insight_term (id),
        strength int NOT NULL CHECK (strength BETWEEN 1 AND 5),
        source varchar NOT NULL,
        campaign_id uuid,
        note varchar NOT NULL,
        actor varchar NOT NULL,
        said_at timestamptz NOT NULL,
        until timestamptz,
        recorded_at timestamptz NOT NULL,
        UNIQUE (person_id, term_id, source, said_at)
    )
    """,
    "CREATE INDEX ix_insight_person ON insight (person_id, said_at)",
    "CREATE INDEX ix_insight_term ON insight (term_id, said_at, id)",
    """
    CREATE TABLE need_product (
        term_id uuid NOT NULL REFERENCES insight_term (id),
        product_id uuid NOT NULL,
        weight int NOT NULL CHECK (weight BETWEEN 1 AND 5),
        at timestamptz NOT NULL,
        PRIMARY KEY (term_id, product_id)
    )
    """,
    "CREATE INDEX ix_need_product_product_id ON need_product (product_id)",
    """
    CREATE TABLE product_known (
        product_id uuid PRIMARY KEY,
        version int NOT NULL,
        sku varchar NOT NULL,
        name varchar NOT NULL,
        price_minor bigint NOT NULL,
        currency varchar NOT NULL,
        available int NOT NULL,
        is_active boolean NOT NULL
    )
    """,
    "CREATE INDEX ix_product_known_sku ON product_known (sku)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE product_known, need_product, insight, insight_term, interaction")
