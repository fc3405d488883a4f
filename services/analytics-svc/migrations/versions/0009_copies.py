"""Which facts have changed since a second store of them had them, for those who have one."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables, and have the table of facts tell of its changes while there is a copy."""
    op.execute(
        """
        CREATE TABLE fact_copy (
            id        uuid PRIMARY KEY,
            kind      text NOT NULL DEFAULT '',
            key       uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
            is_filled boolean NOT NULL DEFAULT false
        )
        """
    )
    op.execute(
        """
        CREATE TABLE fact_news (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind     text NOT NULL,
            key      uuid NOT NULL
        )
        """
    )
    op.execute("CREATE SEQUENCE fact_copy_version")
    # For each statement, not for each row: one look whether anybody wants to know.
    op.execute(
        """
        CREATE FUNCTION tell_of_facts() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM fact_copy) THEN
                INSERT INTO fact_news (kind, key) SELECT kind, key FROM told;
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for when in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER told_of_{when.lower()} AFTER {when} ON fact REFERENCING NEW TABLE AS told"
            " FOR EACH STATEMENT EXECUTE FUNCTION tell_of_facts()"
        )


def downgrade() -> None:
    """Drop them."""
    for when in ("insert", "update"):
        op.execute(f"DROP TRIGGER told_of_{when} ON fact")
    op.execute("DROP FUNCTION tell_of_facts()")
    op.execute("DROP SEQUENCE fact_copy_version")
    op.execute("DROP TABLE fact_news")
    op.execute("DROP TABLE fact_copy")
