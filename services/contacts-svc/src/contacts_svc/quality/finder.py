"""Finds people who may be the same: whoever has changed is compared with those who share a key with them.

Taking what was touched and comparing are transactions of their own, so that nobody waits for a comparison. Each works on
a bounded number of people, and each person meets a bounded number of others, however many there are.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Integer,
    Text,
    Uuid,
    cast,
    delete,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.people.model import Identifier, Person
from contacts_svc.people.queries import any_of
from contacts_svc.quality import merging
from contacts_svc.quality.kinds import PairState
from contacts_svc.quality.model import DuplicateBlock, DuplicateDue, DuplicateKey, DuplicatePair
from contacts_svc.quality.rules import BLOCK, LIKELY, Looks, keys_of, kinds_of, score
from contacts_svc.touched import Family, Follower, take_touched
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx

TAKEN = 2_000
"""Touched rows that are taken at once."""
SLICE = 200
"""People who are compared in one transaction."""
MOST_PAIRS = 20
"""How many pairs of one person are put to a decision: the likeliest."""
AT_ONCE = 2_000
"""Pairs that are held in memory with what is compared of both."""
_BREATH = 100
"""Pairs that are compared before others get their turn on the loop: about a millisecond."""
_LOOKS = Family.PROFILE | Family.REACH
_FINDER = 7_310_016
"""The advisory lock of the one process that compares, of however many run."""

Found = dict[tuple[UUID, UUID], tuple[int, Sequence[str]]]
"""Pairs, the lower id first, with points and reasons."""
_due = table_of(DuplicateDue)
_block = table_of(DuplicateBlock)
_key = table_of(DuplicateKey)
_pair = table_of(DuplicatePair)


async def take(tx: Tx) -> bool:
    """Note who has changed; what still comes for a merged id follows to the one who is known."""
    touched = await take_touched(tx, Follower.DUPLICATES, limit=TAKEN)
    if not touched:
        return False
    await merging.follow(tx, {one.person_id for one in touched})
    changed = sorted({one.person_id for one in touched if one.families & _LOOKS})
    if changed:
        rows = column_set("changed", {"person_id": (Uuid(), changed)})
        await tx.execute(
            insert(_due)
            .from_select(["person_id"], select(rows.c.person_id))
            .on_conflict_do_nothing()
        )
    return True


async def compare(tx: Tx, *, slice_size: int = SLICE) -> bool:
    """Compare the next people who have changed; return whether there were any."""
    if not await tx.scalar(select(select(_due.c.person_id).exists())):
        return False
    if not await tx.scalar(select(func.pg_try_advisory_xact_lock(_FINDER))):
        return False  # another process compares
    chosen = (
        select(_due.c.person_id)
        .order_by(_due.c.person_id)
        .limit(slice_size)
        .with_for_update(skip_locked=True)
    )
    people = list(
        await tx.scalars(
            delete(_due).where(_due.c.person_id.in_(chosen)).returning(_due.c.person_id)
        )
    )
    if not people:
        return False
    mine = await _looks(tx, people)
    await _keep_keys(tx, mine, people)
    candidates = await _candidates(tx, people)
    found: Found = {}
    for start in range(0, len(candidates), AT_ONCE):
        found |= await _score(tx, candidates[start : start + AT_ONCE], mine)
    await _keep_pairs(tx, _likeliest(found), people)
    await _note_blocks(tx, mine)
    return True


async def _score(
    tx: ReadTx, candidates: Sequence[tuple[UUID, UUID]], mine: Mapping[UUID, Looks]
) -> Found:
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


async def _note_blocks(tx: Tx, looks: Mapping[UUID, Looks]) -> None:
    """Note the keys that more people share than each is compared with, so that it is known where nobody looks."""
    kinds = {key: kind for one in looks.values() for key, kind in kinds_of(one).items()}
    rows = column_set(
        "mine", {"key": (BigInteger(), list(kinds)), "kind": (Text(), list(kinds.values()))}
    )
    beyond = select(_key.c.person_id).where(_key.c.key == rows.c.key).offset(BLOCK + 1).limit(1)
    await tx.execute(
        insert(_block)
        .from_select(
            ["key", "kind", "seen_at"],
            select(rows.c.key, rows.c.kind, literal(tx.clock.now(), Moment))
            .where(beyond.correlate(rows).exists())
            .order_by(rows.c.key),
        )
        .on_conflict_do_nothing()
    )


async def _looks(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, Looks]:
    chosen = sorted(set(person_ids))
    addresses: dict[tuple[UUID, str], list[str]] = defaultdict(list)
    rows = await tx.execute(
        select(col(Identifier.person_id), col(Identifier.kind), col(Identifier.value)).where(
            col(Identifier.person_id) == any_of(chosen)
        )
    )
    for person_id, kind, value in plain(rows):
        addresses[person_id, kind].append(value)
    people = await tx.execute(
        select(
            col(Person.id),
            col(Person.full_name),
            col(Person.preferred_name),
            col(Person.given_name),
            col(Person.postal_code),
            col(Person.street),
        ).where(col(Person.id) == any_of(chosen), ~col(Person.is_erased))
    )
    return {
        id_: Looks(
            id_,
            full or preferred,
            given,
            code,
            street,
            addresses[id_, "email"],
            addresses[id_, "phone"],
        )
        for id_, full, preferred, given, code, street in plain(people)
    }


async def _keep_keys(tx: Tx, looks: Mapping[UUID, Looks], people: Sequence[UUID]) -> None:
    await tx.execute(delete(_key).where(_key.c.person_id == any_of(people)))
    held = [(id_, key) for id_, one in sorted(looks.items()) for key in sorted(keys_of(one))]
    rows = column_set(
        "held",
        {
            "person_id": (Uuid(), [id_ for id_, _ in held]),
            "key": (BigInteger(), [key for _, key in held]),
        },
    )
    await tx.execute(insert(_key).from_select(["person_id", "key"], select(*rows.c)))


async def _candidates(tx: ReadTx, people: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Return pairs that share a key, the lower id first."""
    mine, theirs = _key.alias("mine"), _key.alias("theirs")
    near = (
        select(theirs.c.person_id)
        .where(theirs.c.key == mine.c.key, theirs.c.person_id != mine.c.person_id)
        .order_by(theirs.c.person_id.desc())
        .limit(BLOCK)
        .lateral("near")
    )
    rows = await tx.execute(
        select(
            func.least(mine.c.person_id, near.c.person_id, type_=Uuid()),
            func.greatest(mine.c.person_id, near.c.person_id, type_=Uuid()),
        )
        .select_from(mine.join(near, true()))
        .where(mine.c.person_id == any_of(people))
        .distinct()
    )
    return [(one, other) for one, other in plain(rows)]


async def _keep_pairs(
    tx: Tx,
    found: Found,
    people: Sequence[UUID],
) -> None:
    pairs = sorted(found)
    rows = column_set(
        "found",
        {
            "id": (Uuid(), [new_id() for _ in pairs]),
            "one_id": (Uuid(), [one for one, _ in pairs]),
            "other_id": (Uuid(), [other for _, other in pairs]),
            "score": (Integer(), [found[pair][0] for pair in pairs]),
            # A list in an array would become another dimension of it: reasons travel as text.
            "reasons": (Text(), [",".join(found[pair][1]) for pair in pairs]),
        },
    )
    await tx.execute(
        delete(_pair).where(
            (_pair.c.one_id == any_of(people)) | (_pair.c.other_id == any_of(people)),
            _pair.c.state == PairState.OPEN,
            ~select(rows.c.id)
            .where(rows.c.one_id == _pair.c.one_id, rows.c.other_id == _pair.c.other_id)
            .correlate(_pair)
            .exists(),
        )
    )
    told = func.to_jsonb(func.string_to_array(rows.c.reasons, ","))
    new = insert(_pair).from_select(
        ["id", "one_id", "other_id", "score", "reasons", "state", "found_at", "decided_by"],
        select(
            rows.c.id,
            rows.c.one_id,
            rows.c.other_id,
            rows.c.score,
            cast(told, JSONB()),
            literal(PairState.OPEN.value),
            literal(tx.clock.now(), Moment),
            literal(""),
        ),
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["one_id", "other_id"],
            set_={"score": new.excluded.score, "reasons": new.excluded.reasons},
            # What somebody has decided is not asked again.
            where=_pair.c.state == PairState.OPEN,
        )
    )
