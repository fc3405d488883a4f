"""The club and what belongs to it: coupons, members and points, competitions, surveys, referrals, care, community."""

from alembic import op

revision = "0010"
down_revision = "0009"

_TABLES = {
    "coupon_series": """
    CREATE TABLE coupon_series (
        id          uuid PRIMARY KEY,
        name        text NOT NULL,
        kind        text NOT NULL CHECK (kind IN ('percent', 'amount', 'gift')),
        value_pct   int CHECK (value_pct BETWEEN 1 AND 100),
        value_minor bigint CHECK (value_minor > 0),
        currency    text,
        gift        text NOT NULL DEFAULT '',
        least_minor bigint NOT NULL DEFAULT 0 CHECK (least_minor >= 0),
        valid_from  timestamptz NOT NULL,
        valid_until timestamptz,
        closed_at   timestamptz,
        made_by     text NOT NULL,
        made_at     timestamptz NOT NULL,
        CHECK (valid_until > valid_from)
    )
    """,
    "coupon": """
    CREATE TABLE coupon (
        code        text PRIMARY KEY CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{10}$'),
        series_id   uuid NOT NULL REFERENCES coupon_series,
        person_id   uuid,
        merged_id   uuid,
        reason      text NOT NULL DEFAULT '',
        made_at     timestamptz NOT NULL,
        redeemed_at timestamptz,
        redeemed_by text NOT NULL DEFAULT '',
        place       text NOT NULL DEFAULT '',
        receipt     text NOT NULL DEFAULT ''
    )
    """,
    "person_mark": """
    CREATE TABLE person_mark (
        person_id uuid PRIMARY KEY,
        version   int NOT NULL,
        full_name text NOT NULL DEFAULT '',
        name_key  text NOT NULL DEFAULT '',
        phone     text NOT NULL DEFAULT '',
        mailbox   text NOT NULL DEFAULT '',
        household text NOT NULL DEFAULT '',
        language  text NOT NULL DEFAULT 'en'
    )
    """,
    "club_terms": """
    CREATE TABLE club_terms (
        version      int PRIMARY KEY,
        texts        jsonb NOT NULL,
        published_by text NOT NULL,
        published_at timestamptz NOT NULL
    )
    """,
    "club_rules": """
    CREATE TABLE club_rules (
        id                 int PRIMARY KEY CHECK (id = 1),
        currency           text NOT NULL,
        minor_per_point    bigint NOT NULL CHECK (minor_per_point > 0),
        expires_after_days int NOT NULL CHECK (expires_after_days > 0),
        tiers              jsonb NOT NULL,
        benefits           jsonb NOT NULL,
        expired_until      timestamptz NOT NULL,
        changed_at         timestamptz NOT NULL
    )
    """,
    "member": """
    CREATE TABLE member (
        number        text PRIMARY KEY CHECK (number ~ '^[0-9A-HJKMNP-TV-Z]{10}$'),
        person_id     uuid NOT NULL,
        merged_id     uuid,
        terms_version int NOT NULL REFERENCES club_terms,
        place         text NOT NULL DEFAULT '',
        joined_at     timestamptz NOT NULL,
        left_at       timestamptz CHECK (left_at >= joined_at)
    )
    """,
    "club_order": """
    CREATE TABLE club_order (
        order_id        uuid PRIMARY KEY,
        person_id       uuid NOT NULL,
        merged_id       uuid,
        paid_minor      bigint NOT NULL DEFAULT 0,
        returned_minor  bigint NOT NULL DEFAULT 0,
        is_cancelled    boolean NOT NULL DEFAULT false,
        minor_per_point bigint NOT NULL DEFAULT 0,
        earn_pct        int NOT NULL DEFAULT 100,
        paid_at         timestamptz,
        CHECK ((paid_at IS NULL) = (minor_per_point = 0))
    )
    """,
    "points_entry": """
    CREATE TABLE points_entry (
        id         uuid PRIMARY KEY,
        person_id  uuid NOT NULL,
        merged_id  uuid,
        kind       text NOT NULL CHECK (kind IN ('earned', 'taken_back', 'spent', 'adjusted', 'expired')),
        points     bigint NOT NULL CHECK (points <> 0),
        order_id   uuid,
        reason     text NOT NULL DEFAULT '',
        by         text NOT NULL DEFAULT '',
        at         timestamptz NOT NULL,
        expires_at timestamptz,
        CHECK (kind NOT IN ('taken_back', 'spent', 'expired') OR points < 0),
        CHECK (kind <> 'earned' OR (points > 0 AND expires_at IS NOT NULL))
    )
    """,
    "competition": """
    CREATE TABLE competition (
        id             uuid PRIMARY KEY,
        name           text NOT NULL,
        prizes         int NOT NULL CHECK (prizes > 0),
        is_for_members boolean NOT NULL,
        beacon_source  text NOT NULL DEFAULT '',
        seed           text NOT NULL,
        commitment     text NOT NULL,
        closes_at      timestamptz NOT NULL,
        made_by        text NOT NULL,
        made_at        timestamptz NOT NULL,
        beacon         text NOT NULL DEFAULT '',
        drawn_by       text NOT NULL DEFAULT '',
        drawn_at       timestamptz CHECK (drawn_at >= closes_at)
    )
    """,
    "competition_entry": """
    CREATE TABLE competition_entry (
        ticket         text PRIMARY KEY,
        competition_id uuid NOT NULL REFERENCES competition,
        person_id      uuid,
        merged_id      uuid,
        entered_at     timestamptz NOT NULL,
        rank           int CHECK (rank > 0),
        UNIQUE (competition_id, rank)
    )
    """,
    "survey": """
    CREATE TABLE survey (
        id        uuid PRIMARY KEY,
        name      text NOT NULL,
        kind      text NOT NULL CHECK (kind IN ('questions', 'beta', 'panel')),
        titles    jsonb NOT NULL,
        questions jsonb NOT NULL,
        seats     int CHECK (seats > 0),
        made_by   text NOT NULL,
        made_at   timestamptz NOT NULL,
        closes_at timestamptz,
        CHECK ((kind = 'beta') = (seats IS NOT NULL))
    )
    """,
    "survey_answer": """
    CREATE TABLE survey_answer (
        id          uuid PRIMARY KEY,
        survey_id   uuid NOT NULL REFERENCES survey,
        person_id   uuid,
        merged_id   uuid,
        way         text NOT NULL CHECK (way IN ('link', 'api')),
        language    text NOT NULL,
        answers     jsonb NOT NULL,
        texts       jsonb NOT NULL,
        seat        int CHECK (seat > 0),
        answered_at timestamptz NOT NULL,
        UNIQUE (survey_id, seat)
    )
    """,
    "idea": """
    CREATE TABLE idea (
        id        uuid PRIMARY KEY,
        survey_id uuid NOT NULL REFERENCES survey,
        person_id uuid,
        merged_id uuid,
        text      text NOT NULL,
        is_hidden boolean NOT NULL DEFAULT false,
        told_at   timestamptz NOT NULL
    )
    """,
    "idea_vote": """
    CREATE TABLE idea_vote (
        id        uuid PRIMARY KEY,
        idea_id   uuid NOT NULL REFERENCES idea,
        person_id uuid,
        merged_id uuid,
        voted_at  timestamptz NOT NULL
    )
    """,
    "referral_rules": """
    CREATE TABLE referral_rules (
        id                 int PRIMARY KEY CHECK (id = 1),
        landing_url        text NOT NULL,
        points             int NOT NULL CHECK (points >= 0),
        referrer_series_id uuid REFERENCES coupon_series,
        referred_series_id uuid REFERENCES coupon_series,
        most_per_day       int NOT NULL CHECK (most_per_day > 0),
        changed_at         timestamptz NOT NULL
    )
    """,
    "referrer": """
    CREATE TABLE referrer (
        code      text PRIMARY KEY CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{10}$'),
        person_id uuid NOT NULL,
        merged_id uuid,
        made_at   timestamptz NOT NULL
    )
    """,
    "referral": """
    CREATE TABLE referral (
        id          uuid PRIMARY KEY,
        code        text NOT NULL REFERENCES referrer ON DELETE CASCADE,
        person_id   uuid NOT NULL,
        merged_id   uuid,
        state       text NOT NULL CHECK (state IN ('claimed', 'held', 'refused', 'rewarded', 'taken_back')),
        why         text NOT NULL DEFAULT '',
        claimed_at  timestamptz NOT NULL,
        decided_by  text NOT NULL DEFAULT '',
        order_id    uuid,
        points      int NOT NULL DEFAULT 0 CHECK (points >= 0),
        rewarded_at timestamptz,
        CHECK ((state IN ('rewarded', 'taken_back')) = (order_id IS NOT NULL))
    )
    """,
    "paid_order": """
    CREATE TABLE paid_order (
        order_id     uuid PRIMARY KEY,
        person_id    uuid NOT NULL,
        merged_id    uuid,
        paid_at      timestamptz NOT NULL,
        is_cancelled boolean NOT NULL DEFAULT false
    )
    """,
    "care_model": """
    CREATE TABLE care_model (
        id             uuid PRIMARY KEY,
        segment_id     uuid NOT NULL UNIQUE,
        name           text NOT NULL,
        version        int NOT NULL,
        goals          jsonb NOT NULL,
        offering       jsonb NOT NULL,
        cadence        jsonb NOT NULL,
        channel_mix    jsonb NOT NULL,
        most_per_month int NOT NULL CHECK (most_per_month >= 0),
        changed_by     text NOT NULL,
        changed_at     timestamptz NOT NULL
    )
    """,
    "care_member": """
    CREATE TABLE care_member (
        id         uuid PRIMARY KEY,
        segment_id uuid NOT NULL,
        person_id  uuid NOT NULL,
        merged_id  uuid,
        revision   bigint NOT NULL,
        is_in      boolean NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
    "community_post": """
    CREATE TABLE community_post (
        id          uuid PRIMARY KEY,
        kind        text NOT NULL CHECK (kind IN ('question', 'answer', 'review')),
        question_id uuid REFERENCES community_post,
        product_id  uuid,
        person_id   uuid,
        merged_id   uuid,
        is_ours     boolean NOT NULL DEFAULT false,
        nickname    text NOT NULL DEFAULT '',
        title       text NOT NULL DEFAULT '',
        text        text NOT NULL,
        stars       int CHECK (stars BETWEEN 1 AND 5),
        language    text NOT NULL,
        is_buyer    boolean NOT NULL DEFAULT false,
        state       text NOT NULL CHECK (state IN ('waiting', 'shown', 'refused')),
        caution     text NOT NULL DEFAULT '',
        reason      text NOT NULL DEFAULT '',
        decided_by  text NOT NULL DEFAULT '',
        decided_at  timestamptz,
        written_at  timestamptz NOT NULL,
        CHECK ((kind = 'answer') = (question_id IS NOT NULL)),
        CHECK ((kind = 'review') = (stars IS NOT NULL))
    )
    """,
    "community_report": """
    CREATE TABLE community_report (
        id          uuid PRIMARY KEY,
        post_id     uuid NOT NULL REFERENCES community_post,
        person_id   uuid NOT NULL,
        merged_id   uuid,
        reason      text NOT NULL,
        reported_at timestamptz NOT NULL
    )
    """,
}
_INDEXES = (
    "CREATE UNIQUE INDEX community_review ON community_post (product_id, coalesce(merged_id, person_id)) WHERE kind = 'review'",
    "CREATE INDEX community_post_state ON community_post (state, id)",
    "CREATE INDEX community_post_product ON community_post (product_id, kind, id)",
    "CREATE INDEX community_post_question ON community_post (question_id) WHERE question_id IS NOT NULL",
    "CREATE INDEX community_post_person ON community_post (person_id) WHERE person_id IS NOT NULL",
    "CREATE UNIQUE INDEX community_reported ON community_report (post_id, coalesce(merged_id, person_id))",
    "CREATE INDEX community_report_person ON community_report (person_id)",
    "CREATE UNIQUE INDEX referrer_given ON referrer (coalesce(merged_id, person_id))",
    "CREATE INDEX referrer_person ON referrer (person_id)",
    "CREATE INDEX referral_code ON referral (code, claimed_at)",
    "CREATE UNIQUE INDEX referral_claimed ON referral (coalesce(merged_id, person_id)) WHERE state <> 'refused'",
    "CREATE INDEX referral_person ON referral (person_id)",
    "CREATE INDEX referral_order ON referral (order_id) WHERE order_id IS NOT NULL",
    "CREATE INDEX paid_order_person ON paid_order (person_id, paid_at)",
    "CREATE UNIQUE INDEX care_member_named ON care_member (segment_id, coalesce(merged_id, person_id))",
    "CREATE INDEX care_member_person ON care_member (person_id)",
    "CREATE UNIQUE INDEX survey_answered ON survey_answer (survey_id, coalesce(merged_id, person_id))",
    "CREATE INDEX survey_answer_person ON survey_answer (person_id) WHERE person_id IS NOT NULL",
    "CREATE INDEX survey_answer_survey ON survey_answer (survey_id, id)",
    "CREATE INDEX idea_survey ON idea (survey_id, id)",
    "CREATE INDEX idea_person ON idea (person_id) WHERE person_id IS NOT NULL",
    "CREATE UNIQUE INDEX idea_voted ON idea_vote (idea_id, coalesce(merged_id, person_id))",
    "CREATE INDEX idea_vote_person ON idea_vote (person_id) WHERE person_id IS NOT NULL",
    "CREATE UNIQUE INDEX competition_entered ON competition_entry (competition_id, coalesce(merged_id, person_id))",
    "CREATE INDEX competition_entry_person ON competition_entry (person_id) WHERE person_id IS NOT NULL",
    "CREATE INDEX person_mark_name ON person_mark (name_key text_pattern_ops)",
    "CREATE INDEX person_mark_phone ON person_mark (phone) WHERE phone <> ''",
    "CREATE INDEX person_mark_mailbox ON person_mark (mailbox) WHERE mailbox <> ''",
    "CREATE INDEX person_mark_household ON person_mark (household) WHERE household <> ''",
    "CREATE UNIQUE INDEX member_joined ON member (coalesce(merged_id, person_id)) WHERE left_at IS NULL",
    "CREATE INDEX member_person ON member (person_id)",
    "CREATE INDEX club_order_person ON club_order (person_id)",
    "CREATE INDEX points_entry_person ON points_entry (person_id, at)",
    "CREATE INDEX points_entry_order ON points_entry (order_id) WHERE order_id IS NOT NULL",
    "CREATE INDEX points_entry_expires ON points_entry (expires_at) WHERE expires_at IS NOT NULL",
    "CREATE INDEX coupon_series_code ON coupon (series_id, code)",
    "CREATE INDEX coupon_person ON coupon (person_id, series_id) WHERE person_id IS NOT NULL",
    # Under the id with which it was given: a merge moves the row and frees nothing.
    "CREATE UNIQUE INDEX coupon_given ON coupon (series_id, coalesce(merged_id, person_id)) WHERE person_id IS NOT NULL",
)


_LEDGER = (
    """
    CREATE FUNCTION refuse_points_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'entries of the ledger are never changed' USING ERRCODE = 'check_violation'; END $$
    """,
    # Whose entry it is follows a merge of people; nothing else of it ever changes.
    """
    CREATE TRIGGER points_entry_kept BEFORE UPDATE ON points_entry FOR EACH ROW
    WHEN ((OLD.id, OLD.kind, OLD.points, OLD.order_id, OLD.at, OLD.expires_at)
          IS DISTINCT FROM (NEW.id, NEW.kind, NEW.points, NEW.order_id, NEW.at, NEW.expires_at))
    EXECUTE FUNCTION refuse_points_change()
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in (*_TABLES.values(), *_INDEXES, *_LEDGER):
        op.execute(statement)


def downgrade() -> None:
    """Drop them, those first that refer to others."""
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION refuse_points_change")
