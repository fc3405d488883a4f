"""What is done with visits: kept with consent, joined to people, never mixed, forgotten in time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, delete, exists, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import Moment, table_of
from contacts_svc.people.queries import any_of
from contacts_svc.settings import ContactsSettings
from contacts_svc.touched import Family, touch
from contacts_svc.visits import queries
from contacts_svc.visits.model import PageView, Site, Visitor, VisitorPerson, moment_of
from contacts_svc.visits.schemas import SeenIn, SiteIn, ViewIn
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

LINK = "visit"
MOST_HOPS = 20
_BATCH = 10_000


async def save_site(tx: Tx, key: str, body: SiteIn) -> Site:
    """Make a site, or say anew from where its script may report."""
    now = tx.clock.now()
    table = table_of(Site)
    new = insert(table).values(key=key, origins=list(body.origins), created_at=now, updated_at=now)
    kept = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["key"],
            set_={"origins": new.excluded.origins, "updated_at": new.excluded.updated_at},
        ).returning(*table.c)
    )
    return Site(**kept.one()._asdict())


async def keep_views(
    tx: Tx, body: SeenIn, *, evidence: Mapping[str, Any], person_id: UUID | None = None
) -> UUID:
    """Keep what a visitor has looked at; return who they are from now on.

    `person_id` is whom a signed link names. When the browser was somebody else's, what they looked at stays theirs,
    and what comes now is of a new visitor. Reporting the same again changes nothing.
    """
    visitor_id = await _present(tx, body, evidence)
    if person_id is not None:
        visitor_id = await identify(tx, visitor_id, person_id, by="link")
    if await _insert(tx, visitor_id, body.views):
        owner = await queries.person_of(tx, visitor_id)
        if owner is not None:
            await touch(tx, [owner], Family.VISIT)
    return visitor_id


async def _present(tx: Tx, body: SeenIn, evidence: Mapping[str, Any]) -> UUID:
    """Return the visitor who uses the browser now, locked; made when they are new."""
    now = tx.clock.now()
    table = table_of(Visitor)
    visitor_id = body.visitor
    for _ in range(MOST_HOPS):
        new = insert(table).values(
            id=visitor_id,
            site_key=body.site,
            consent_version=body.consent_version,
            consented_at=now,
            evidence=dict(evidence),
            first_at=now,
            last_at=now,
        )
        continued = await tx.scalar(
            new.on_conflict_do_update(
                index_elements=["id"], set_={"last_at": new.excluded.last_at}
            ).returning(table.c.continued_as)
        )
        if continued is None:
            break
        visitor_id = continued
    return visitor_id


async def _insert(tx: Tx, visitor_id: UUID, views: Sequence[ViewIn]) -> int:
    if not views:
        return 0
    now = tx.clock.now()
    first = {view.id: view for view in reversed(views)}
    chosen = [first[view_id] for view_id in sorted(first)]
    rows = column_set(
        "seen",
        {
            "id": (Uuid(), [view.id for view in chosen]),
            "path": (Text(), [_path(view.path) for view in chosen]),
            "title": (Text(), [view.title for view in chosen]),
            "came_from": (Text(), [view.came_from for view in chosen]),
            "campaign": (Text(), [view.campaign for view in chosen]),
            "seen_at": (Moment, [moment_of(now, view.ago_ms) for view in chosen]),
        },
    )
    new = await tx.scalars(
        insert(table_of(PageView))
        .from_select(["visitor_id", *rows.c.keys()], select(literal(visitor_id, Uuid()), *rows.c))
        .on_conflict_do_nothing()
        .returning(table_of(PageView).c.id)
    )
    return len(list(new))


def _path(given: str) -> str:
    """Return a path without what stands behind it: addresses and names are put there."""
    return given.split("?", 1)[0].split("#", 1)[0][:500] or "/"


async def identify(tx: Tx, visitor_id: UUID, person_id: UUID, *, by: str) -> UUID:
    """Join a visitor to a person; return the visitor that the browser's user is from now on.

    A visitor who is somebody else already stays that: the one who came now becomes a new visitor.
    """
    visitor = await _current(tx, visitor_id)
    if visitor is None:
        return visitor_id  # never consented, or has taken it back: nothing is joined
    mine = await _join(tx, visitor.id, person_id, by)
    if not mine and await queries.person_of(tx, visitor.id) == person_id:
        return visitor.id
    if not mine:
        visitor = await _follow(tx, visitor)
        await _join(tx, visitor.id, person_id, by)
    await touch(tx, [person_id], Family.VISIT)
    return visitor.id


async def part(tx: Tx, visitor_id: UUID, person_id: UUID) -> UUID:
    """Say that somebody who claims to be this person is at the browser now.

    What they look at from here on is not of the one who was there before; it is theirs when they have shown who they
    are.
    """
    visitor = await _current(tx, visitor_id)
    if visitor is None:
        return visitor_id
    owner = await queries.person_of(tx, visitor.id)
    if owner is None or owner == person_id:
        return visitor.id
    return (await _follow(tx, visitor)).id


async def _current(tx: Tx, visitor_id: UUID) -> Visitor | None:
    """Return who uses the browser now, locked; None when nothing is kept of it."""
    visitor: Visitor | None = None
    sought: UUID | None = visitor_id
    for _ in range(MOST_HOPS):
        if sought is None:
            break
        visitor = await tx.scalar(
            select(Visitor).where(col(Visitor.id) == sought).with_for_update()
        )
        sought = visitor.continued_as if visitor is not None else None
    return visitor


async def _join(tx: Tx, visitor_id: UUID, person_id: UUID, by: str) -> bool:
    joined = table_of(VisitorPerson)
    mine = await tx.scalar(
        insert(joined)
        .values(visitor_id=visitor_id, person_id=person_id, joined_by=by, joined_at=tx.clock.now())
        .on_conflict_do_nothing()
        .returning(joined.c.visitor_id)
    )
    return mine is not None


async def _follow(tx: Tx, visitor: Visitor) -> Visitor:
    """Make the visitor who comes after this one at the same browser, with the consent that was given there."""
    now = tx.clock.now()
    heir = Visitor(
        id=new_id(),
        site_key=visitor.site_key,
        consent_version=visitor.consent_version,
        consented_at=visitor.consented_at,
        evidence=visitor.evidence,
        first_at=now,
        last_at=now,
    )
    await tx.execute(insert(table_of(Visitor)).values(**heir.model_dump()))
    await tx.execute(
        update(table_of(Visitor)).where(col(Visitor.id) == visitor.id).values(continued_as=heir.id)
    )
    return heir


async def forget_visitor(tx: Tx, visitor_id: UUID) -> None:
    """Delete everything of the one who uses a browser now, and has taken the consent back.

    Whoever used it before is another visitor, and has not said no.
    """
    visitor = await _current(tx, visitor_id)
    if visitor is not None:
        await _forget(tx, [visitor.id])


async def forget_visits(tx: Tx, person_id: UUID) -> None:
    """Delete every visit of a person."""
    visitors = await tx.scalars(
        select(col(VisitorPerson.visitor_id)).where(col(VisitorPerson.person_id) == person_id)
    )
    await _forget(tx, list(visitors))


async def _forget(tx: Tx, visitor_ids: Iterable[UUID]) -> None:
    chosen = sorted(set(visitor_ids))
    if not chosen:
        return
    owners = await tx.scalars(
        delete(table_of(VisitorPerson))
        .where(col(VisitorPerson.visitor_id) == any_of(chosen))
        .returning(col(VisitorPerson.person_id))
    )
    await touch(tx, list(owners), Family.VISIT)
    await tx.execute(delete(table_of(PageView)).where(col(PageView.visitor_id) == any_of(chosen)))
    await tx.execute(delete(table_of(Visitor)).where(col(Visitor.id) == any_of(chosen)))


async def forget_old(tx: Tx) -> None:
    """Delete views that are older than they may be, and strangers who do not come any more."""
    settings = tx.settings(ContactsSettings)
    now = tx.clock.now()
    views = table_of(PageView)
    await tx.execute(
        delete(views).where(views.c.seen_at < now - timedelta(days=settings.visit_days))
    )
    strangers = await queries.old_visitors(
        tx, now - timedelta(days=settings.visit_stranger_days), _BATCH
    )
    await _forget(tx, strangers)
    # A visitor of a person stays as long as there is a view, or they come.
    gone = await tx.scalars(
        select(col(Visitor.id))
        .where(
            col(Visitor.last_at) < now - timedelta(days=settings.visit_days),
            ~exists().where(col(PageView.visitor_id) == col(Visitor.id)),
        )
        .limit(_BATCH)
    )
    await _forget(tx, list(gone))
