"""Letters: postal addresses, batches and their pieces; and what kind of message a template is for."""

from alembic import op

revision = "0007"
down_revision = "0006"

_UP = (
    # The two indexes of the ledger are built in this transaction: a release waits for them while nothing is sent.
    """
    -- squawk-ignore-file require-concurrent-index-creation
    ALTER TABLE template_version ADD COLUMN message_class text NOT NULL DEFAULT 'marketing'
    """,
    """
    CREATE TABLE letter_address (
        person_id        uuid PRIMARY KEY,
        version          bigint NOT NULL,
        name             text NOT NULL,
        street           text NOT NULL,
        postal_code      text NOT NULL,
        city             text NOT NULL,
        country          text NOT NULL,
        is_undeliverable boolean NOT NULL
    )
    """,
    """
    CREATE TABLE letter_batch (
        id               uuid PRIMARY KEY,
        number           bigint NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
        country          text NOT NULL,
        campaign_id      uuid,
        print_on         date NOT NULL,
        state            text NOT NULL CHECK (state IN ('collecting', 'printing', 'ready', 'handed_over', 'discarded')),
        letters          int NOT NULL DEFAULT 0,
        pages            int NOT NULL DEFAULT 0,
        pdf_bytes        bigint NOT NULL DEFAULT 0,
        problem          text NOT NULL DEFAULT '',
        worked_on_until  timestamptz,
        created_by       text NOT NULL,
        created_at       timestamptz NOT NULL,
        ready_at         timestamptz,
        ended_at         timestamptz,
        printing_house   text NOT NULL DEFAULT '',
        files_deleted_at timestamptz,
        CHECK ((state IN ('handed_over', 'discarded')) = (ended_at IS NOT NULL))
    )
    """,
    "CREATE INDEX letter_batch_open ON letter_batch (id) WHERE state IN ('collecting', 'printing')",
    # A message stands in one batch at a time; one that is given back leaves its batch.
    """
    CREATE TABLE letter_piece (
        message_id     uuid PRIMARY KEY REFERENCES dispatch,
        batch_id       uuid NOT NULL REFERENCES letter_batch,
        person_id      uuid NOT NULL,
        position       int,
        language       text NOT NULL,
        preferred_name text NOT NULL,
        name           text NOT NULL,
        street         text NOT NULL,
        postal_code    text NOT NULL,
        city           text NOT NULL,
        country        text NOT NULL,
        return_code    text NOT NULL DEFAULT '',
        pages          int NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX letter_piece_of_batch ON letter_piece (batch_id, position)",
    "CREATE INDEX letter_piece_of_person ON letter_piece (person_id)",
    "CREATE INDEX letter_piece_return ON letter_piece (return_code) WHERE return_code <> ''",
    "CREATE INDEX dispatch_due_letters ON dispatch (next_at, id) WHERE state = 'planned' AND channel = 'letter'",
    "CREATE INDEX dispatch_in_batch ON dispatch (claimed_by) WHERE channel = 'letter' AND claimed_by IS NOT NULL",
)
_DOWN = (
    "DROP INDEX dispatch_in_batch, dispatch_due_letters",
    # What is in a batch is planned again: a version that knows no batches would wait for ever.
    """
    UPDATE dispatch SET state = 'planned', claimed_by = NULL, claimed_until = NULL
    WHERE channel = 'letter' AND state = 'claimed'
    """,
    "DROP TABLE letter_piece",
    "DROP TABLE letter_batch",
    "DROP TABLE letter_address",
    "ALTER TABLE template_version DROP COLUMN message_class",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop them, and plan anew what lay in batches."""
    for statement in _DOWN:
        op.execute(statement)
