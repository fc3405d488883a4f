"""What programmes know of people: who is in which segment, where they live, and what they need."""

from collections.abc import Sequence
from uuid import UUID

from campaign_svc.programmes.moments import FALLBACK
from kantis_contracts.contacts import InsightCard, PersonCard, SegmentChange, SegmentChangedV1
from kantis_kit.calendar import ZONES
from kantis_kit.tx import Tx

NEED = "need"
_MEMBERS = """
    INSERT INTO segment_member (segment_id, person_id, is_in, revision)
    SELECT $1, n.person_id, n.is_in, $2 FROM unnest($3::uuid[], $4::bool[]) AS n (person_id, is_in)
    ON CONFLICT (segment_id, person_id) DO UPDATE SET is_in = excluded.is_in, revision = excluded.revision
      WHERE segment_member.revision < excluded.revision
"""
_ZONES = """
    INSERT INTO person_zone (person_id, version, zone)
    SELECT n.person_id, n.version, n.zone FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS n (person_id, version, zone)
    ON CONFLICT (person_id) DO UPDATE SET version = excluded.version, zone = excluded.zone
      WHERE person_zone.version < excluded.version
"""
_NEEDS = """
    INSERT INTO person_need (insight_id, person_id, merged_id, term, until, is_taken_back)
    SELECT n.id, coalesce(a.known_id, n.person_id), a.merged_id, n.term, n.until, n.is_taken_back
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::bool[])
        AS n (id, person_id, term, until, is_taken_back)
    LEFT JOIN person_alias a ON a.merged_id = n.person_id AND a.known_id IS NOT NULL
    ON CONFLICT (insight_id) DO UPDATE SET is_taken_back = true WHERE excluded.is_taken_back
"""
_ERASED = "DELETE FROM person_zone WHERE person_id = ANY($1::uuid[])"


async def follow_members(tx: Tx, event: SegmentChangedV1) -> None:
    """Keep who is in a segment that announces its changes; of what comes in any order the newest counts."""
    moves: dict[UUID, bool] = {}
    for item in event.items:
        if item.person_id is not None:
            moves[item.person_id] = item.change is SegmentChange.ENTERED
    people = sorted(moves)
    if people:
        states = [moves[one] for one in people]
        await tx.fetch(_MEMBERS, event.segment_id, event.revision, people, states)


async def keep_needs(tx: Tx, cards: Sequence[InsightCard]) -> None:
    """Keep what people need; what was taken back once stays so, in whatever order it comes."""
    needs: dict[UUID, InsightCard] = {}
    for card in cards:
        if card.kind == NEED and not (
            card.insight_id in needs and needs[card.insight_id].is_taken_back
        ):
            needs[card.insight_id] = card
    ids = sorted(needs)
    if ids:
        await tx.fetch(
            _NEEDS,
            ids,
            [needs[one].person_id for one in ids],
            [needs[one].term for one in ids],
            [needs[one].until for one in ids],
            [needs[one].is_taken_back for one in ids],
        )


async def keep_zones(tx: Tx, cards: Sequence[PersonCard]) -> None:
    """Keep where people live, for times of day; of who is erased nothing is kept."""
    newest: dict[UUID, PersonCard] = {}
    for card in cards:
        held = newest.get(card.person_id)
        if held is None or held.version < card.version:
            newest[card.person_id] = card
    people = sorted(one for one, card in newest.items() if not card.is_erased)
    await tx.fetch(
        _ZONES,
        people,
        [newest[one].version for one in people],
        [newest[one].time_zone or ZONES.get(newest[one].country, FALLBACK) for one in people],
    )
    erased = sorted(one for one, card in newest.items() if card.is_erased)
    if erased:
        await tx.fetch(_ERASED, erased)
