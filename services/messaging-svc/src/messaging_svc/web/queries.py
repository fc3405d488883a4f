"""Read places, and what somebody sees at one."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.tx import ReadTx
from messaging_svc.links import LinkMaker
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.errors import CannotRender
from messaging_svc.templates.texts import greeting, price
from messaging_svc.web import sql
from messaging_svc.web.errors import ContentNotFound, PlaceNotFound
from messaging_svc.web.evidence import Evidence
from messaging_svc.web.model import web_content, web_place, web_text
from messaging_svc.web.schemas import AudienceKind, ContentOut, FigureOut, PlaceOut, ShownOut
from messaging_svc.web.writing import filled


def _place(tx: ReadTx, row: Row[Any]) -> PlaceOut:
    base = tx.settings(MessagingSettings).public_url.rstrip("/")
    tag = (
        f'<div data-kantis-place="{row.key}"></div><script src="{base}/w/places.js" defer></script>'
    )
    return PlaceOut(**row._mapping, tag=tag)  # noqa: SLF001 - its public name


async def list_places(tx: ReadTx) -> list[PlaceOut]:
    """Return every place."""
    return [
        _place(tx, row) for row in await tx.execute(select(web_place).order_by(web_place.c.key))
    ]


async def get_place(tx: ReadTx, key: str) -> PlaceOut:
    """Return a place.

    Raises:
        PlaceNotFound: there is none.
    """
    row = (await tx.execute(select(web_place).where(web_place.c.key == key))).first()
    if row is None:
        raise PlaceNotFound(f"No place is called {key!r}")
    return _place(tx, row)


async def list_contents(
    tx: ReadTx, key: str, *, content_id: UUID | None = None
) -> list[ContentOut]:
    """Return what a place shows and has shown, or one of it, with the texts that stand."""
    texts = func.jsonb_object_agg(web_text.c.language, web_text.c.source).label("languages")
    statement = (
        select(web_content, texts)
        .join(
            web_text,
            (web_text.c.content_id == web_content.c.id)
            & (web_text.c.number == web_content.c.number),
        )
        .where(web_content.c.place_key == key)
        .group_by(web_content.c.id)
        .order_by(web_content.c.is_off, web_content.c.priority.desc(), web_content.c.id)
    )
    if content_id is not None:
        statement = statement.where(web_content.c.id == content_id)
    return [ContentOut.model_validate(row) for row in await tx.execute(statement)]


async def get_content(tx: ReadTx, key: str, content_id: UUID) -> ContentOut:
    """Return something that a place shows.

    Raises:
        ContentNotFound: it shows no such thing.
    """
    found = await list_contents(tx, key, content_id=content_id)
    if not found:
        raise ContentNotFound("The place shows nothing with this id")
    return found[0]


async def list_figures(tx: ReadTx, key: str) -> list[FigureOut]:
    """Return how often what a place shows was looked at."""
    return [FigureOut.model_validate(row) for row in await tx.execute(sql.FIGURES, {"place": key})]


async def find_shown(
    tx: ReadTx, key: str, *, language: str, person_id: UUID | None
) -> ShownOut | None:
    """Return what somebody sees at a place, in one read; None when there is nothing to show.

    Whoever is not known sees what everybody sees.
    """
    asked: dict[str, Any] = {"place": key, "language": language, "now": tx.clock.now()}
    if person_id is None:
        found = await tx.execute(sql.FOR_EVERYBODY, asked)
    else:
        found = await tx.execute(sql.FOR_PERSON, asked | {"person": person_id})
    row = found.first()
    if row is None:
        return None
    try:
        return _shown(tx, key, row)
    except CannotRender:
        return None  # a page is shown without it


def _shown(tx: ReadTx, key: str, row: Row[Any]) -> ShownOut:
    is_personal = row.audience != AudienceKind.EVERYBODY
    fields: dict[str, object] = {
        "company": tx.settings(MessagingSettings).company,
        "language": row.language,
    }
    if is_personal:
        fields |= _personal(tx, row)
    evidence = Evidence(
        row.id,
        row.number,
        row.person_id if is_personal else None,
        row.message_id if is_personal else None,
    )
    return ShownOut(
        place=key,
        content_id=row.id,
        version=row.number,
        language=row.language,
        html=filled(row.html, fields),
        is_personal=is_personal,
        evidence=evidence.signed(tx.use(LinkSigner), now=tx.clock.now()),
    )


def _personal(tx: ReadTx, row: Row[Any]) -> dict[str, object]:
    offer, links, language = row.offer, tx.use(LinkMaker), Language(row.language)
    return {
        "preferred_name": (row.preferred_name or "").strip(),
        "greeting": greeting(language, row.preferred_name or ""),
        "offer_name": str(offer["name"]) if offer else "",
        "offer_price": price(int(offer["price_minor"]), str(offer["currency"]), language)
        if offer
        else "",
        "response_code": row.response_code or "",
        "response_url": links.response(row.response_code) if row.response_code else links.base,
    }
