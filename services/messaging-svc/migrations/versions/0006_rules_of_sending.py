"""Hours, caps and holds: what decides when a message that is allowed may go.

Additive: a message planned before has no cost and the middle priority; a card that came before stands in the zone of
its country until its person changes again.
"""

from alembic import op

from messaging_svc.hours.defaults import HOURS, Hours, holidays

revision = "0006"
down_revision = "0005"

_NEXT_OPENING = """
    CREATE FUNCTION next_opening(
        at timestamptz, zone text, country_ text, opens smallint[], closes smallint[], rests boolean,
        hour_from int, hour_to int, days jsonb
    ) RETURNS timestamptz LANGUAGE plpgsql STABLE PARALLEL SAFE AS
    $$
    DECLARE
        local timestamp := at AT TIME ZONE zone;
        that date;
        dow int;
        first timestamp;
        last timestamp;
    BEGIN
        FOR n IN 0..28 LOOP
            that := local::date + n;
            dow := extract(isodow FROM that);
            CONTINUE WHEN (opens IS NOT NULL AND opens[dow] IS NULL)
                OR (jsonb_array_length(coalesce(days, '[]')) > 0 AND NOT days @> to_jsonb(dow))
                OR (rests AND EXISTS (SELECT FROM public_holiday h WHERE h.country = country_ AND h.day = that));
            first := that + make_interval(mins => greatest(coalesce(opens[dow], 0), coalesce(hour_from, 0) * 60));
            last := that + make_interval(mins => least(coalesce(closes[dow], 1440), coalesce(hour_to, 24) * 60));
            first := greatest(first, local);
            IF first < last THEN
                RETURN CASE WHEN first = local THEN at ELSE greatest(at, first AT TIME ZONE zone) END;
            END IF;
        END LOOP;
        RETURN NULL;
    END
    $$
"""

_UP = (
    # The index over messages by person is exchanged for one that serves the caps too: no write gets dearer, and while
    # it is built nothing is sent. Minutes of a day are small numbers.
    """
    -- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion, prefer-bigint-over-smallint
    CREATE INDEX dispatch_of_person_lately ON dispatch (person_id, handed_over_at)
    """,
    "DROP INDEX dispatch_of_person",
    "CREATE TABLE time_zone (name text PRIMARY KEY)",
    "INSERT INTO time_zone (name) SELECT name FROM pg_timezone_names",
    """
    ALTER TABLE person_card ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC'
    """,
    """
    UPDATE person_card SET time_zone = CASE country WHEN 'NO' THEN 'Europe/Oslo' WHEN 'SE' THEN 'Europe/Stockholm'
        WHEN 'DK' THEN 'Europe/Copenhagen' WHEN 'FI' THEN 'Europe/Helsinki' WHEN 'IS' THEN 'Atlantic/Reykjavik' END
    WHERE country IN ('NO', 'SE', 'DK', 'FI', 'IS')
    """,
    """
    CREATE TABLE public_holiday (
        country text NOT NULL,
        day     date NOT NULL,
        PRIMARY KEY (country, day)
    )
    """,
    # Hours of a channel in a country; an empty country is every one that has no row of its own.
    """
    CREATE TABLE sending_hours (
        country           text NOT NULL,
        channel           text NOT NULL,
        is_own            boolean NOT NULL,
        valid_from        date NOT NULL,
        opens             smallint[] NOT NULL CHECK (cardinality(opens) = 7),
        closes            smallint[] NOT NULL CHECK (cardinality(closes) = 7),
        rests_on_holidays boolean NOT NULL,
        source            text NOT NULL,
        changed_at        timestamptz NOT NULL,
        PRIMARY KEY (channel, country, is_own, valid_from)
    )
    """,
    _NEXT_OPENING,
    """
    CREATE TABLE frequency_cap (
        id             uuid PRIMARY KEY,
        channel        text NOT NULL,
        max_messages   int NOT NULL CHECK (max_messages > 0),
        window_seconds bigint NOT NULL CHECK (window_seconds > 0),
        changed_at     timestamptz NOT NULL,
        UNIQUE (channel, window_seconds)
    )
    """,
    """
    CREATE TABLE spend_cap (
        id          uuid PRIMARY KEY,
        channel     text NOT NULL,
        period      text NOT NULL CHECK (period IN ('day', 'month', 'campaign')),
        campaign_id uuid,
        currency    text NOT NULL,
        limit_minor bigint NOT NULL CHECK (limit_minor >= 0),
        reached_at  timestamptz,
        changed_at  timestamptz NOT NULL,
        UNIQUE NULLS NOT DISTINCT (channel, period, campaign_id, currency),
        CHECK (campaign_id IS NULL OR period = 'campaign')
    )
    """,
    # What was spent under a cap: of a campaign, or since the first day of a period.
    """
    CREATE TABLE spend_count (
        cap_id      uuid NOT NULL REFERENCES spend_cap ON DELETE CASCADE,
        scope       text NOT NULL,
        spent_minor bigint NOT NULL,
        pieces      bigint NOT NULL,
        PRIMARY KEY (cap_id, scope)
    )
    """,
    """
    CREATE TABLE launch_hold (
        launch_id   uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        version     bigint NOT NULL,
        state       text NOT NULL CHECK (state IN ('running', 'paused', 'stopped')),
        reason      text NOT NULL,
        changed_at  timestamptz NOT NULL,
        spiked_at   timestamptz,
        spike       jsonb,
        counts_from timestamptz
    )
    """,
    # What came of a launch's messages, minute by minute: from this a spike is seen.
    """
    CREATE TABLE launch_tally (
        launch_id  uuid NOT NULL,
        minute     timestamptz NOT NULL,
        sent       int NOT NULL,
        bounced    int NOT NULL,
        complained int NOT NULL,
        PRIMARY KEY (launch_id, minute)
    )
    """,
    """
    CREATE TABLE launch_signal (
        message_id uuid NOT NULL,
        kind       text NOT NULL CHECK (kind IN ('bounce', 'complaint')),
        at         timestamptz NOT NULL,
        PRIMARY KEY (message_id, kind)
    )
    """,
    """
    CREATE TABLE spike_limit (
        kind           text PRIMARY KEY CHECK (kind IN ('bounce', 'complaint')),
        rate_pct       numeric(6, 3) NOT NULL CHECK (rate_pct > 0),
        min_messages   int NOT NULL CHECK (min_messages > 0),
        window_minutes int NOT NULL CHECK (window_minutes > 0),
        changed_at     timestamptz NOT NULL
    )
    """,
    "INSERT INTO spike_limit VALUES ('bounce', 5, 200, 60, '2026-01-01Z'), ('complaint', 0.3, 200, 1440, '2026-01-01Z')",
    """
    ALTER TABLE dispatch
        ADD COLUMN priority int NOT NULL DEFAULT 50,
        ADD COLUMN cost_minor bigint NOT NULL DEFAULT 0,
        ADD COLUMN decisions jsonb NOT NULL DEFAULT '[]'
    """,
)
_DOWN = (
    "CREATE INDEX dispatch_of_person ON dispatch (person_id, id)",
    "DROP INDEX dispatch_of_person_lately",
    "ALTER TABLE dispatch DROP COLUMN priority, DROP COLUMN cost_minor, DROP COLUMN decisions",
    "DROP TABLE spike_limit",
    "DROP TABLE launch_signal",
    "DROP TABLE launch_tally",
    "DROP TABLE launch_hold",
    "DROP TABLE spend_count",
    "DROP TABLE spend_cap",
    "DROP TABLE frequency_cap",
    "DROP FUNCTION next_opening",
    "DROP TABLE sending_hours",
    "DROP TABLE public_holiday",
    "ALTER TABLE person_card DROP COLUMN time_zone",
    "DROP TABLE time_zone",
)


def _seeds() -> list[str]:
    """Return the statements that write the dated data of this release."""
    days = ", ".join(f"('{country}', '{day}')" for country, day in holidays())
    written = f"INSERT INTO public_holiday (country, day) VALUES {days}"  # noqa: S608 - our own constants
    return [written, *map(_seed, HOURS)]


def _seed(row: Hours) -> str:
    arrays = [
        "ARRAY["
        + ", ".join("NULL" if one is None else str(one) for one in minutes)
        + "]::smallint[]"
        for minutes in (row.opens, row.closes)
    ]
    return f"""
        INSERT INTO sending_hours VALUES ('{row.country}', '{row.channel}', false, '{row.valid_from}', {arrays[0]},
            {arrays[1]}, {row.rests_on_holidays}, '{row.source}', '{row.valid_from}')
        """  # noqa: S608 - our own constants


def upgrade() -> None:
    for statement in (*_UP, *_seeds()):
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
