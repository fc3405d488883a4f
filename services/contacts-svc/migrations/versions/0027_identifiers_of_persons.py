"""That an address has its person is seen to by triggers: at once for many, at the commit for those that come first.

The foreign key looked each address up by a query of its own and locked the person's row, a third of what a row of an
import cost the server. The decision and what is different is told in docs/decisions/0022-addresses-without-a-foreign-key.md.
"""

from alembic import op

revision = "0027"
down_revision = "0026"

_UP = (
    """
    -- The triggers are there before the key is gone, in the same transaction: at no moment does nobody look.
    -- squawk-ignore-file ban-drop-constraint
    SELECT
    """,
    """
    CREATE FUNCTION identifier_has_person() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF NOT EXISTS (SELECT FROM person WHERE id = NEW.person_id)
        THEN RAISE foreign_key_violation USING MESSAGE = 'an identifier names a person who is not there'; END IF;
        RETURN NULL;
    END $$
    """,
    # An address is claimed before its person is written, so that of two who come at once one knows that it lost.
    """
    CREATE CONSTRAINT TRIGGER identifier_has_person AFTER INSERT OR UPDATE OF person_id ON identifier
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_setting('kantis.persons_first', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION identifier_has_person()
    """,
    # Of the rows that have just arrived the planner knows too little: it would read the whole register for them.
    """
    CREATE FUNCTION identifiers_have_persons() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS
    $$ BEGIN
        IF EXISTS (
            SELECT FROM (SELECT DISTINCT person_id FROM arrived) AS one
            WHERE NOT EXISTS (SELECT FROM person WHERE id = one.person_id)
        ) THEN RAISE foreign_key_violation USING MESSAGE = 'an identifier names a person who is not there'; END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER identifiers_have_persons AFTER INSERT ON identifier
    REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT
    WHEN (current_setting('kantis.persons_first', true) = 'on')
    EXECUTE FUNCTION identifiers_have_persons()
    """,
    """
    CREATE FUNCTION person_leaves_no_identifier() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF EXISTS (SELECT FROM identifier WHERE person_id = OLD.id) THEN
            RAISE foreign_key_violation USING MESSAGE = 'the person still has identifiers';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER person_leaves_no_identifier AFTER DELETE OR UPDATE OF id ON person
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION person_leaves_no_identifier()
    """,
    "ALTER TABLE identifier DROP CONSTRAINT identifier_person_id_fkey",
)
_DOWN = (
    """
    ALTER TABLE identifier ADD CONSTRAINT identifier_person_id_fkey
        FOREIGN KEY (person_id) REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED
    """,
    "DROP TRIGGER person_leaves_no_identifier ON person",
    "DROP TRIGGER identifiers_have_persons ON identifier",
    "DROP TRIGGER identifier_has_person ON identifier",
    "DROP FUNCTION person_leaves_no_identifier, identifiers_have_persons, identifier_has_person",
)


def upgrade() -> None:
    """Put the triggers in the place of the key."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Put the key back."""
    for statement in _DOWN:
        op.execute(statement)
