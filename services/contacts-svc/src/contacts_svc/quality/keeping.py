"""What the search for duplicates writes: keys, pairs and blocks; and who may write them now.

The search, merges and erasures each change many of these rows, each in an order of its own: two at once could wait for
each other in a circle. They hold one lock instead, and take it when they have little left to do.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from contacts_svc.base import Moment, table_of
from contacts_svc.people.queries import any_of
from contacts_svc.quality.kinds import PairState
from contacts_svc.quality.model import DuplicateBlock, DuplicateDue, DuplicateKey, DuplicatePair
from contacts_svc.quality.rules import VERSION
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

Pair = tuple[UUID, UUID]
"""Two people, the lower id first."""
Found = dict[Pair, tuple[int, Sequence[str]]]
"""Pairs with points and reasons."""
_WRITER = 7_310_017
"""The advisory lock of whoever writes keys, pairs and who is due, of however many processes run."""
_due = table_of(DuplicateDue)
_block = table_of(DuplicateBlock)
_key = table_of(DuplicateKey)
_pair = table_of(DuplicatePair)


async def hold(tx: Tx) -> None:
    """Wait until nobody else writes keys and pairs; nobody else does until this transaction ends.

    Whoever waits here has touched none of these rows yet, and whoever has come through locks no person any more.
    """
    await tx.execute(select(func.pg_advisory_xact_lock(_WRITER)))


async def mark_due(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Have these people compared; who is being compared just now is compared once more."""
    rows = column_set("changed", {"person_id": (Uuid(), sorted(person_ids))})
    await tx.execute(
        insert(_due)
        .from_select(["person_id", "times"], select(rows.c.person_id, literal(1, Integer())))
        .on_conflict_do_update(index_elements=["person_id"], set_={"times": _due.c.times + 1})
    )


async def settle_due(tx: Tx, compared: Mapping[UUID, int]) -> None:
    """Strike those off who were compared, each as often as it had changed by then."""
    rows = column_set(
        "compared",
        {
            "person_id": (Uuid(), list(compared)),
            "times": (Integer(), list(compared.values())),
        },
    )
    await tx.execute(
        delete(_due).where(_due.c.person_id == rows.c.person_id, _due.c.times == rows.c.times)
    )


async def keep_keys(tx: Tx, people: Collection[UUID], held: Mapping[UUID, Iterable[int]]) -> None:
    """Write the keys of these people in place of those they had; who is not among the held ones has none any more."""
    await tx.execute(delete(_key).where(_key.c.person_id == any_of(people)))
    pairs = [(id_, key) for id_, keys in sorted(held.items()) for key in sorted(keys)]
    rows = column_set(
        "held",
        {
            "person_id": (Uuid(), [id_ for id_, _ in pairs]),
            "key": (BigInteger(), [key for _, key in pairs]),
        },
    )
    await tx.execute(insert(_key).from_select(["person_id", "key"], select(*rows.c)))


async def keep_pairs(tx: Tx, people: Collection[UUID], found: Found) -> None:
    """Write what was found of these people in place of the pairs that waited for a decision."""
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
        [
            "id",
            "one_id",
            "other_id",
            "score",
            "reasons",
            "state",
            "found_at",
            "decided_by",
            "rules",
        ],
        select(
            rows.c.id,
            rows.c.one_id,
            rows.c.other_id,
            rows.c.score,
            cast(told, JSONB()),
            literal(PairState.OPEN.value),
            literal(tx.clock.now(), Moment),
            literal(""),
            literal(VERSION, Integer()),
        ),
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["one_id", "other_id"],
            set_={name: new.excluded[name] for name in ("score", "reasons", "rules")},
            # What somebody has decided is not asked again.
            where=_pair.c.state == PairState.OPEN,
        )
    )


async def keep_blocks(tx: Tx, kinds: Mapping[int, str]) -> None:
    """Note keys that more people share than each is compared with, so that it is known where nobody looks."""
    if not kinds:
        return
    keys = sorted(kinds)
    rows = column_set(
        "crowded", {"key": (BigInteger(), keys), "kind": (Text(), [kinds[key] for key in keys])}
    )
    await tx.execute(
        insert(_block)
        .from_select(["key", "kind", "seen_at"], select(*rows.c, literal(tx.clock.now(), Moment)))
        .on_conflict_do_nothing()
    )
