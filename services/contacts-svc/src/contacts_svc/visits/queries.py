"""Reads of sites and visits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, select, tuple_
from sqlmodel import col

from contacts_svc.base import Moment, plain
from contacts_svc.visits.errors import SiteUnknown
from contacts_svc.visits.model import PageView, Site, Visitor, VisitorPerson
from contacts_svc.visits.schemas import VisitOut
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, moment, read_cursor


async def get_site(tx: ReadTx, key: str) -> Site:
    """Return a site by its key. Raises `SiteUnknown`."""
    site = await tx.get(Site, key) if "\x00" not in key else None
    if site is None:
        raise SiteUnknown(f"Make it by PUT /v1/visits/sites/{key[:63]}")
    return site


async def list_sites(tx: ReadTx) -> list[Site]:
    """Return every site by its key."""
    return list(await tx.scalars(select(Site).order_by(col(Site.key)).limit(1_000)))


async def person_of(tx: ReadTx, visitor_id: UUID) -> UUID | None:
    """Return who a visitor is, or None."""
    person_id: UUID | None = await tx.scalar(
        select(col(VisitorPerson.person_id)).where(col(VisitorPerson.visitor_id) == visitor_id)
    )
    return person_id


async def list_visits(
    tx: ReadTx, person_id: UUID, *, cursor: str | None, limit: int
) -> Page[VisitOut]:
    """Return what a person has looked at, the newest first."""
    wanted: Select[*tuple[Any, ...]] = (
        select(
            col(PageView.id),
            col(PageView.visitor_id),
            col(Visitor.site_key).label("site"),
            col(PageView.path),
            col(PageView.title),
            col(PageView.came_from),
            col(PageView.campaign),
            col(PageView.seen_at),
        )
        .join(VisitorPerson, col(VisitorPerson.visitor_id) == col(PageView.visitor_id))
        .join(Visitor, col(Visitor.id) == col(PageView.visitor_id))
        .where(col(VisitorPerson.person_id) == person_id)
        .order_by(col(PageView.seen_at).desc(), col(PageView.id).desc())
        .limit(limit)
    )
    before = read_cursor(cursor, moment, UUID)
    if before is not None:
        place: tuple[datetime, UUID] = (before[0], before[1])
        wanted = wanted.where(
            tuple_(col(PageView.seen_at), col(PageView.id)) < tuple_(*place, types=(Moment, Uuid()))
        )
    rows = (await tx.execute(wanted)).all()
    visits = [VisitOut.model_validate(row) for row in rows]
    last = visits[-1] if len(visits) == limit else None
    return Page(items=visits, next_cursor=encode_cursor(last.seen_at, last.id) if last else None)


async def old_visitors(tx: ReadTx, before: datetime, limit: int) -> list[UUID]:
    """Return visitors nobody knows who have not come since a moment."""
    rows = plain(
        await tx.execute(
            select(col(Visitor.id))
            .outerjoin(VisitorPerson, col(VisitorPerson.visitor_id) == col(Visitor.id))
            .where(col(Visitor.last_at) < before, col(VisitorPerson.visitor_id).is_(None))
            .limit(limit)
        )
    )
    return [visitor_id for (visitor_id,) in rows]
