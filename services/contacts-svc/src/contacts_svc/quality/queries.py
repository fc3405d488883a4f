"""Reads of duplicates and merges."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.people.model import Person
from contacts_svc.people.queries import any_of, list_identifiers
from contacts_svc.quality.errors import MergeUnknown
from contacts_svc.quality.kinds import MergeState, PairState
from contacts_svc.quality.model import DuplicateBlock, DuplicateKey, DuplicatePair, Merge
from contacts_svc.quality.rules import BLOCK
from contacts_svc.quality.schemas import AlikeOut, BlockOut, DuplicateOut, MergeOut
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, read_cursor

MAX_BLOCKS = 100
COUNTED = 10_000
"""As far as the people of a block are counted."""


async def list_duplicates(
    tx: ReadTx, *, state: PairState, least: int, cursor: str | None, limit: int
) -> Page[DuplicateOut]:
    """Return pairs, the likeliest first."""
    points, id_ = col(DuplicatePair.score), col(DuplicatePair.id)
    wanted = (
        select(DuplicatePair)
        .where(col(DuplicatePair.state) == state.value, points >= least)
        .order_by(points.desc(), id_)
        .limit(limit + 1)
    )
    after = read_cursor(cursor, int, UUID)
    if after:
        wanted = wanted.where((points < after[0]) | ((points == after[0]) & (id_ > after[1])))
    found = (await tx.scalars(wanted)).all()
    shown = found[:limit]
    people = await _alike(tx, {one for pair in shown for one in (pair.one_id, pair.other_id)})
    more = encode_cursor(shown[-1].score, shown[-1].id) if len(found) > limit else None
    return Page(items=[pair_out(pair, people) for pair in shown], next_cursor=more)


async def get_duplicate(tx: ReadTx, pair: DuplicatePair) -> DuplicateOut:
    """Return one pair."""
    return pair_out(pair, await _alike(tx, {pair.one_id, pair.other_id}))


def pair_out(pair: DuplicatePair, people: dict[UUID, AlikeOut]) -> DuplicateOut:
    """Shape a pair; who is gone meanwhile is left out."""
    return DuplicateOut(
        id=pair.id,
        score=pair.score,
        reasons=pair.reasons,
        state=PairState(pair.state),
        found_at=pair.found_at,
        decided_at=pair.decided_at,
        contacts=[people[one] for one in (pair.one_id, pair.other_id) if one in people],
    )


async def _alike(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, AlikeOut]:
    chosen = sorted(person_ids)
    held = await list_identifiers(tx, chosen)
    rows = await tx.scalars(
        select(Person).where(col(Person.id) == any_of(chosen), ~col(Person.is_erased))
    )
    return {
        person.id: AlikeOut(
            id=person.id,
            full_name=person.full_name,
            preferred_name=person.preferred_name,
            street=person.street,
            postal_code=person.postal_code,
            city=person.city,
            emails=[one.value for one in held[person.id] if one.kind == "email"],
            phones=[one.value for one in held[person.id] if one.kind == "phone"],
            created_at=person.created_at,
        )
        for person in rows
    }


async def list_blocks(tx: ReadTx) -> list[BlockOut]:
    """Return keys that more people share than each is compared with, the newest first; shrunk ones are left out."""
    block, key = table_of(DuplicateBlock), table_of(DuplicateKey)
    held = (
        select(key.c.person_id).where(key.c.key == block.c.key).limit(COUNTED).correlate(block)
    ).lateral("held")
    people = select(func.count()).select_from(held).scalar_subquery()
    rows = await tx.execute(
        select(block.c.kind, people.label("people"), block.c.seen_at)
        .order_by(block.c.seen_at.desc(), block.c.key)
        .limit(MAX_BLOCKS)
    )
    return [
        BlockOut(kind=kind, people=number, is_more=number == COUNTED, seen_at=at)
        for kind, number, at in plain(rows)
        if number > BLOCK
    ]


async def get_merge(tx: ReadTx, merge_id: UUID) -> MergeOut:
    """Return a merge. Raises `MergeUnknown`."""
    merge = await tx.get(Merge, merge_id)
    if merge is None:
        raise MergeUnknown("GET /v1/merges lists those that were made")
    return merge_out(merge)


async def list_merges(
    tx: ReadTx, *, contact_id: UUID | None, cursor: str | None, limit: int
) -> Page[MergeOut]:
    """Return merges, the newest first."""
    id_ = col(Merge.id)
    wanted = select(Merge).order_by(id_.desc()).limit(limit + 1)
    if contact_id:
        wanted = wanted.where(
            (col(Merge.known_id) == contact_id) | (col(Merge.merged_id) == contact_id)
        )
    after = read_cursor(cursor, UUID)
    if after:
        wanted = wanted.where(id_ < after[0])
    found = (await tx.scalars(wanted)).all()
    more = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[merge_out(one) for one in found[:limit]], next_cursor=more)


def merge_out(merge: Merge) -> MergeOut:
    """Shape a merge."""
    moved = merge.kept.get("moved", {})
    return MergeOut(
        id=merge.id,
        known_id=merge.known_id,
        merged_id=merge.merged_id,
        reason=merge.reason,
        state=MergeState(merge.state),
        moved={name: len(rows) for name, rows in sorted(moved.items())},
        merged_at=merge.merged_at,
        merged_by=merge.merged_by,
        undone_at=merge.undone_at,
        undone_by=merge.undone_by,
    )
