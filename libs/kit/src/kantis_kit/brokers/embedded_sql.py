"""The tables of the embedded broker, and every statement that it runs."""

import asyncpg

# One advisory lock per process that creates the tables: CREATE TABLE IF NOT EXISTS races with itself.
_SCHEMA = """
SELECT pg_advisory_xact_lock(7214, 1);
CREATE TABLE IF NOT EXISTS binding (
    type text NOT NULL,
    queue text NOT NULL,
    PRIMARY KEY (type, queue)
);
CREATE SEQUENCE IF NOT EXISTS consumer_owner;
CREATE TABLE IF NOT EXISTS consumer (
    owner bigint PRIMARY KEY,
    queue text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    owner bigint,
    deliveries integer NOT NULL DEFAULT 0,
    head bytea NOT NULL,
    data bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE message ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX IF NOT EXISTS message_waiting ON message (queue, id) WHERE owner IS NULL;
CREATE INDEX IF NOT EXISTS message_owned ON message (owner) WHERE owner IS NOT NULL;
"""
# EXTERNAL: a message lives for milliseconds; compressing it costs more than the room it saves.
# `message_waiting` serves the claim, `message_owned` the return of what a dead consumer held.

TABLES_EXIST = "SELECT to_regclass('message') IS NOT NULL AND to_regclass('binding') IS NOT NULL"

PUBLISH = """
WITH incoming AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[]) WITH ORDINALITY AS e (type, head, data, position)
), stored AS (
    INSERT INTO message (queue, head, data)
    SELECT b.queue, e.head, e.data
    FROM incoming e JOIN binding b USING (type) CROSS JOIN generate_series(1, $4::int)
    ORDER BY e.position
    RETURNING queue
), told AS (
    SELECT pg_notify('queue.' || queue, '') FROM (SELECT DISTINCT queue FROM stored) AS reached
)
SELECT (SELECT count(*) FROM told) AS queues,
       (SELECT coalesce(array_agg(DISTINCT type), '{}') FROM incoming e
        WHERE NOT EXISTS (SELECT FROM binding b WHERE b.type = e.type)) AS unroutable
"""

# At most $4 bytes are taken at once, but always the first message. Rows that are locked and not taken are free again
# at the end of the statement. $5 is a seed for tests: null means oldest first.
CLAIM = """
WITH candidate AS MATERIALIZED (
    SELECT id, octet_length(data) AS size FROM message
    WHERE queue = $1 AND owner IS NULL
    ORDER BY {order}
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), fitting AS (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM candidate
)
UPDATE message SET owner = $3, deliveries = deliveries + 1
WHERE id = ANY (ARRAY(SELECT id FROM fitting WHERE before < $4))
RETURNING id, deliveries, head, data
"""
CLAIM_IN_ORDER = CLAIM.format(order="id")
CLAIM_SHUFFLED = CLAIM.format(order="hashint8extended(id, $5::bigint)")

ACK = "DELETE FROM message WHERE id = ANY ($1::bigint[]) AND owner = $2"

RELEASE = """
WITH freed AS (
    UPDATE message SET owner = NULL WHERE id = ANY ($1::bigint[]) AND owner = $2 RETURNING queue
)
SELECT pg_notify('queue.' || queue, '') FROM (SELECT DISTINCT queue FROM freed) AS reached
"""

# The lock first, the row after it: a row without its lock means a dead consumer.
NEW_OWNER = "SELECT nextval('consumer_owner')"
LOCK_OWNER = "SELECT pg_advisory_lock($1::bigint)"
ENTER = "INSERT INTO consumer (owner, queue) VALUES ($1, $2)"
UNLOCK_OWNER = "SELECT pg_advisory_unlock($1::bigint)"

LEAVE = """
WITH gone AS (
    DELETE FROM consumer WHERE owner = $1
), freed AS (
    UPDATE message SET owner = NULL WHERE owner = $1 RETURNING queue
)
SELECT pg_notify('queue.' || queue, '') FROM (SELECT DISTINCT queue FROM freed) AS reached
"""

# A consumer is dead when nobody holds its lock (its process or its connection is gone) or when it has not said a word
# for a minute (it is frozen). Must not run on the session that holds the locks: it would get its own.
REAP = """
WITH dead AS MATERIALIZED (
    SELECT owner FROM consumer
    WHERE pg_try_advisory_xact_lock(owner) OR seen_at < clock_timestamp() - interval '60 seconds'
), buried AS (
    DELETE FROM consumer WHERE owner IN (SELECT owner FROM dead)
), freed AS (
    UPDATE message SET owner = NULL WHERE owner IN (SELECT owner FROM dead) RETURNING queue
)
SELECT pg_notify('queue.' || queue, '') FROM (SELECT DISTINCT queue FROM freed) AS reached
"""

SEEN = "UPDATE consumer SET seen_at = clock_timestamp() WHERE owner = ANY ($1::bigint[]) RETURNING owner"

# A claim that was cancelled half-way may commit after its consumer has left.
SWEEP = """
WITH freed AS (
    UPDATE message m SET owner = NULL
    WHERE owner IS NOT NULL AND NOT EXISTS (SELECT FROM consumer c WHERE c.owner = m.owner)
    RETURNING queue
)
SELECT pg_notify('queue.' || queue, '') FROM (SELECT DISTINCT queue FROM freed) AS reached
"""

UNBIND = "DELETE FROM binding WHERE queue = $1 AND NOT type = ANY ($2::text[])"
BIND = "INSERT INTO binding (queue, type) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING"
DEPTH = "SELECT count(*) FROM message WHERE queue = $1"


async def create_schema(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Create the broker's tables in the database that this connection is open to. Idempotent."""
    async with connection.transaction():
        await connection.execute(_SCHEMA)
