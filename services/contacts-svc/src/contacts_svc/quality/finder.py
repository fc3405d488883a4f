"""Finds people who may be the same: whoever has changed is compared with those who share a key with them.

Taking what was touched and comparing are transactions of their own, so that nobody waits for a comparison. Each works on
a bounded number of people, and each person meets a bounded number of others, however many there are. While people are
compared no row is locked; what was found is written at the end, of those who are there still.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import nlargest
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.people.model import Person
from contacts_svc.people.queries import any_of
from contacts_svc.quality import keeping, merging
from contacts_svc.quality.keeping import Found, Pair
from contacts_svc.quality.kinds import PairState
from contacts_svc.quality.model import DuplicateDue, DuplicatePair
from contacts_svc.quality.rules import BLOCK, LIKELY, VERSION, Looks, kinds_of, score
from contacts_svc.touched import Family, Follower, take_touched
from kantis_kit.tx import ReadTx, Tx

TAKEN = 2_000
"""Touched rows that are taken at once."""
SLICE = 500
"""People who are compared in one transaction."""
MOST_PAIRS = 20
"""How many pairs of one person are put to a decision: the likeliest."""
AT_ONCE = 2_000
"""Pairs that are held in memory with what is compared of both."""
_BREATH = 100
"""Pairs that are compared before others get their turn on the loop: about a millisecond."""
_BREATH_PEOPLE = 20
"""People who are read or whose keys are made before others get theirs: about as long."""
_LOOKS = Family.PROFILE | Family.REACH
_FINDER = 7_310_016
"""The advisory lock of the one process that compares, of however many run."""
_due = table_of(DuplicateDue)
_pair = table_of(DuplicatePair)
_READ_LOOKS = """
SELECT p.id, coalesce(nullif(p.full_name, ''), p.preferred_name), p.given_name, p.postal_code, p.street,
    held.emails, held.phones
FROM unnest($1::uuid[]) asked (id) JOIN person p ON p.id = asked.id CROSS JOIN LATERAL (
    SELECT string_agg(value, E'\\n') FILTER (WHERE kind = 'email') AS emails,
        string_agg(value, E'\\n') FILTER (WHERE kind = 'phone') AS phones
    FROM identifier WHERE person_id = p.id) held
WHERE NOT p.is_erased
"""
_READ_NEAR = """
SELECT asked.key, near.person_id FROM unnest($1::bigint[]) asked (key) CROSS JOIN LATERAL (
    SELECT person_id FROM duplicate_key WHERE key = asked.key ORDER BY person_id DESC LIMIT $2) near
"""


async def take(tx: Tx) -> bool:
    """Note who has changed; what still comes for a merged id follows to the one who is known."""
    touched = await take_touched(tx, Follower.DUPLICATES, limit=TAKEN)
    if not touched:
        return False
    await merging.follow(tx, {one.person_id for one in touched})
    changed = {one.person_id for one in touched if one.families & _LOOKS}
    if changed:
        await keeping.mark_due(tx, changed)
    return True


async def compare(tx: Tx, *, slice_size: int = SLICE) -> bool:
    """Compare the next people who have changed; return whether there were any."""
    is_due = select(_due.c.person_id).exists()
    if not await tx.scalar(select(func.pg_try_advisory_xact_lock(_FINDER)).where(is_due)):
        return False  # or another process compares
    chosen = select(_due.c.person_id, _due.c.times).order_by(_due.c.person_id).limit(slice_size)
    people = {row[0]: row[1] for row in plain(await tx.execute(chosen))}
    if not people:
        return False
    mine = await _looks(tx, people)
    kinds = await _kinds(mine)
    candidates, crowded = await _candidates(tx, kinds)
    found: Found = {}
    for start in range(0, len(candidates), AT_ONCE):
        found |= await _score(tx, candidates[start : start + AT_ONCE], mine)
    found = _likeliest(found)
    await keeping.hold(tx)
    there = await _still_there(tx, {*mine, *(one for pair in found for one in pair)})
    await keeping.keep_keys(tx, people, {id_: kinds[id_] for id_ in kinds if id_ in there})
    await keeping.keep_pairs(
        tx, people, {pair: told for pair, told in found.items() if there.issuperset(pair)}
    )
    await keeping.keep_blocks(tx, crowded)
    await keeping.settle_due(tx, people)
    return True


async def renew(tx: Tx) -> bool:
    """Have people compared anew whose pairs wait with points of older rules; return whether there were any.

    Only while nobody else is due: who has changed comes first.
    """
    if await tx.scalar(select(select(_due.c.person_id).exists())):
        return False
    old = select(_pair.c.one_id).where(_pair.c.state == PairState.OPEN, _pair.c.rules < VERSION)
    people = set(await tx.scalars(old.limit(SLICE)))
    if people:
        await keeping.mark_due(tx, people)
    return bool(people)


async def _kinds(people: Mapping[UUID, Looks]) -> dict[UUID, dict[int, str]]:
    """Return the keys of people, each with what it is made of."""
    kinds: dict[UUID, dict[int, str]] = {}
    for number, (id_, one) in enumerate(people.items(), 1):
        if number % _BREATH_PEOPLE == 0:
            await asyncio.sleep(0)
        kinds[id_] = kinds_of(one)
    return kinds


async def _candidates(
    tx: Tx, kinds: Mapping[UUID, Mapping[int, str]]
) -> tuple[list[Pair], dict[int, str]]:
    """Return pairs that share a key, and the keys that more people share than each is compared with.

    Of each key, a person meets the newest of those who have it.
    """
    holders: dict[int, set[UUID]] = defaultdict(set)
    kind_of: dict[int, str] = {}
    for id_, keys in kinds.items():
        kind_of.update(keys)
        for key in keys:
            holders[key].add(id_)
    mine = {key: list(held) for key, held in holders.items()}
    for key, person_id in await tx.fetch(_READ_NEAR, list(mine), BLOCK + 2):
        # Of those who are compared now, the keys that they have now count.
        if person_id not in kinds:
            holders[key].add(person_id)
    pairs: set[Pair] = set()
    for key, held in holders.items():
        if len(held) > 1:
            near = nlargest(BLOCK + 1, held)
            for one in mine[key]:
                met = [other for other in near if other != one][:BLOCK]
                pairs.update((one, other) if one < other else (other, one) for other in met)
    crowded = {key: kind_of[key] for key, held in holders.items() if len(held) > BLOCK + 1}
    return sorted(pairs), crowded


async def _score(tx: Tx, candidates: Sequence[Pair], mine: Mapping[UUID, Looks]) -> Found:
    """Return those of these pairs that are likely one."""
    others = {one for pair in candidates for one in pair} - mine.keys()
    looks = {**mine, **await _looks(tx, others)}
    found: Found = {}
    for number, (one, other) in enumerate(candidates, 1):
        if number % _BREATH == 0:
            await asyncio.sleep(0)
        if one in looks and other in looks:
            points, reasons = score(looks[one], looks[other])
            if points >= LIKELY:
                found[one, other] = (points, reasons)
    return found


def _likeliest(found: Found) -> Found:
    """Leave each person the likeliest pairs: who looks like everybody would fill the queue alone."""
    held: Counter[UUID] = Counter()
    kept: Found = {}
    for pair in sorted(found, key=lambda one: (-found[one][0], one)):
        if max(held[pair[0]], held[pair[1]]) < MOST_PAIRS:
            held.update(pair)
            kept[pair] = found[pair]
    return kept


async def _looks(tx: Tx, person_ids: Iterable[UUID]) -> dict[UUID, Looks]:
    looks: dict[UUID, Looks] = {}
    rows = await tx.fetch(_READ_LOOKS, sorted(person_ids))
    for number, (id_, name, given, code, street, emails, phones) in enumerate(rows, 1):
        if number % _BREATH_PEOPLE == 0:
            await asyncio.sleep(0)
        looks[id_] = Looks(
            id_,
            name,
            given,
            code,
            street,
            emails.split("\n") if emails else (),
            phones.split("\n") if phones else (),
        )
    return looks


async def _still_there(tx: ReadTx, person_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these people who were neither merged nor erased while they were compared."""
    rows = await tx.scalars(
        select(col(Person.id)).where(
            col(Person.id) == any_of(sorted(person_ids)), ~col(Person.is_erased)
        )
    )
    return set(rows)
