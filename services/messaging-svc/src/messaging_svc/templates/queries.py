"""Read templates."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, func, select

from kantis_contracts.values import Language, MessageClass
from kantis_kit.tx import ReadTx
from messaging_svc.base import metadata
from messaging_svc.templates.errors import PersonUnknown, TemplateNotFound
from messaging_svc.templates.model import template, template_version
from messaging_svc.templates.schemas import LanguageIn, TemplateOut, VersionOut


def _templates() -> Select[Any]:
    return select(template, template_version.c.source).join(
        template_version,
        (template_version.c.template_id == template.c.id)
        & (template_version.c.number == template.c.version),
    )


def _out(row: Row[Any]) -> TemplateOut:
    return TemplateOut(
        id=row.id,
        name=row.name,
        version=row.version,
        languages=sorted(Language(name) for name in row.source),
        created_at=row.created_at,
        changed_at=row.changed_at,
        archived_at=row.archived_at,
    )


async def list_templates(tx: ReadTx, *, after: UUID | None, limit: int) -> list[TemplateOut]:
    """Return a page of the templates that are in use."""
    statement = (
        _templates().where(template.c.archived_at.is_(None)).order_by(template.c.id).limit(limit)
    )
    if after:
        statement = statement.where(template.c.id > after)
    return [_out(row) for row in await tx.execute(statement)]


async def get_template(tx: ReadTx, template_id: UUID) -> TemplateOut:
    """Return a template.

    Raises:
        TemplateNotFound: there is none.
    """
    row = (await tx.execute(_templates().where(template.c.id == template_id))).first()
    if row is None:
        raise TemplateNotFound("No template has this id")
    return _out(row)


async def get_version(
    tx: ReadTx, template_id: UUID, number: int | None = None
) -> tuple[VersionOut, dict[str, Any]]:
    """Return a version and its compiled form; the one that stands when no number is given.

    Raises:
        TemplateNotFound: there is no such version.
    """
    standing = select(template.c.version).where(template.c.id == template_id)
    row = (
        await tx.execute(
            select(template_version).where(
                template_version.c.template_id == template_id,
                template_version.c.number
                == (standing.scalar_subquery() if number is None else number),
            )
        )
    ).first()
    if row is None:
        raise TemplateNotFound("No such template, or no such version of it")
    shown = VersionOut(
        id=row.id,
        template_id=row.template_id,
        number=row.number,
        languages={
            Language(name): LanguageIn.model_validate(one) for name, one in row.source.items()
        },
        message_class=MessageClass(row.message_class),
        products=row.products,
        created_by=row.created_by,
        created_at=row.created_at,
    )
    return shown, row.compiled


def _cards() -> Table:
    """Return the cards of people: their slice decides on messages that wait, which need templates, so none is imported."""
    return metadata.tables["person_card"]


_ASKED = 10_000
"""People of whom it is asked what is known of them, the latest first; a sample, so that it costs the same for all."""


async def get_reader(tx: ReadTx, person_id: UUID) -> tuple[str, str]:
    """Return language and preferred name of a person, by our own copy.

    Raises:
        PersonUnknown: we have no card of the person, or they were erased.
    """
    person_card = _cards()
    row = (
        await tx.execute(
            select(person_card.c.language, person_card.c.preferred_name).where(
                person_card.c.person_id == person_id, ~person_card.c.is_erased
            )
        )
    ).first()
    if row is None:
        raise PersonUnknown("We know no person with this id")
    return row.language, row.preferred_name


async def count_readers(tx: ReadTx) -> dict[str, tuple[int, int]]:
    """Return by language how many people there are, and how many of them want to be called by a name."""
    person_card = _cards()
    latest = (
        select(person_card.c.language, person_card.c.preferred_name)
        .where(~person_card.c.is_erased)
        .order_by(person_card.c.person_id.desc())
        .limit(_ASKED)
        .subquery()
    )
    rows = await tx.execute(
        select(
            latest.c.language,
            func.count().label("people"),
            func.count().filter(latest.c.preferred_name != "").label("named"),
        ).group_by(latest.c.language)
    )
    return {row.language: (int(row.people), int(row.named)) for row in rows}
