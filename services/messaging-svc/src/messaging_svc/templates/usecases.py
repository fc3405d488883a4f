"""Save templates: every save is a new version, checked and compiled before it is stored."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from kantis_contracts.values import ADVERTISING, Language, MessageClass
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.products.queries import find_unknown
from messaging_svc.templates import events, queries
from messaging_svc.templates.compiling import LanguageSource, LanguageTemplate, compile_language
from messaging_svc.templates.errors import (
    CannotRender,
    Flaw,
    TemplateArchived,
    TemplateNotFound,
    TemplateRefused,
)
from messaging_svc.templates.imagined import try_out
from messaging_svc.templates.linting import Finding, lint
from messaging_svc.templates.model import template, template_version
from messaging_svc.templates.schemas import LanguageIn, SaveIn, Severity, TemplateIn, VersionIn

_CARDS = select(
    template.c.id,
    template.c.revision,
    template.c.name,
    template_version.c.number,
    template_version.c.message_class,
).join(
    template_version,
    (template_version.c.template_id == template.c.id)
    & (template_version.c.number == template.c.version),
)


def compile_all(
    languages: Mapping[Language, LanguageIn],
    message_class: MessageClass = MessageClass.MARKETING,
) -> dict[Language, LanguageTemplate]:
    """Check and compile every language.

    Raises:
        TemplateRefused: with one line per language that has a flaw.
    """
    ready: dict[Language, LanguageTemplate] = {}
    errors: list[dict[str, Any]] = []
    for language, written in sorted(languages.items()):
        try:
            ready[language] = compile_language(
                LanguageSource(**written.model_dump()),
                language,
                is_marketing=message_class in ADVERTISING,
            )
            try_out(language, ready[language])
        except (Flaw, CannotRender) as flaw:
            errors.append(
                {"in": "body", "field": f"languages.{language.value}", "message": str(flaw)}
            )
    _refuse(errors)
    return ready


def find_faults(
    languages: Mapping[Language, LanguageIn], message_class: MessageClass
) -> list[Finding]:
    """Return what the linter finds."""
    sources = {name: LanguageSource(**one.model_dump()) for name, one in languages.items()}
    return lint(sources, message_class)


def refuse_errors(languages: Mapping[Language, LanguageIn], message_class: MessageClass) -> None:
    """Refuse what must not be sent to anybody.

    Raises:
        TemplateRefused: with one line per error; warnings need nothing.
    """
    _refuse(
        [
            {
                "in": "body",
                "field": f"languages.{one.language}.{one.place}",
                "message": f"{one.message}; {one.mend}",
                "code": one.code,
            }
            for one in find_faults(languages, message_class)
            if one.severity == Severity.ERROR
        ]
    )


def _refuse(errors: list[dict[str, Any]]) -> None:
    if errors:
        first = errors[0]
        raise TemplateRefused(f"{first['field']}: {first['message']}", errors=errors)


async def _refuse_unknown(tx: Tx, body: VersionIn) -> None:
    _refuse(
        [
            {
                "in": "body",
                "field": "products",
                "message": f"the catalogue has no product {sku}; add it under /v1/products, or wait a moment if it is new",
            }
            for sku in await find_unknown(tx, body.products)
        ]
    )


async def create_template(tx: Tx, body: TemplateIn) -> UUID:
    """Save a new template with its first version.

    Raises:
        TemplateRefused: something in it cannot be sent.
    """
    compiled = compile_all(body.languages, body.message_class)
    refuse_errors(body.languages, body.message_class)
    await _refuse_unknown(tx, body)
    template_id, now = new_id(), tx.clock.now()
    await tx.execute(
        insert(template).values(
            id=template_id, name=body.name, version=1, created_at=now, changed_at=now
        )
    )
    await _add_version(tx, template_id, 1, body, compiled)
    await _tell(tx, template_id)
    return template_id


async def save_version(tx: Tx, template_id: UUID, body: SaveIn) -> int:
    """Save a new version, and let it stand unless it is a draft; launches that have begun keep theirs.

    Raises:
        TemplateNotFound: there is no such template.
        TemplateArchived: it takes no new versions.
        TemplateRefused: something in it cannot be sent; a draft only has to compile.
    """
    compiled = compile_all(body.languages, body.message_class)
    if not body.is_draft:
        refuse_errors(body.languages, body.message_class)
    await _refuse_unknown(tx, body)
    await _lock(tx, template_id)
    number = await tx.scalar(
        select(func.max(template_version.c.number) + 1).where(
            template_version.c.template_id == template_id
        )
    )
    await _add_version(tx, template_id, number, body, compiled)
    if not body.is_draft:
        await _let_stand(tx, template_id, number)
    return int(number)


async def activate_version(tx: Tx, template_id: UUID, number: int) -> None:
    """Let a version stand, a draft or an older one; launches that have begun keep theirs.

    Raises:
        TemplateNotFound: there is no such version.
        TemplateArchived: the template is out of use.
        TemplateRefused: the linter finds errors in it.
    """
    await _lock(tx, template_id)
    version, _ = await queries.get_version(tx, template_id, number)
    refuse_errors(version.languages, version.message_class)
    await _let_stand(tx, template_id, number)
    tx.audit("templates.activate", str(template_id), number=number)


async def _lock(tx: Tx, template_id: UUID) -> None:
    """Have two who save at once make two versions."""
    row = (
        await tx.execute(
            select(template.c.archived_at).where(template.c.id == template_id).with_for_update()
        )
    ).first()
    if row is None:
        raise TemplateNotFound("No template has this id")
    if row.archived_at is not None:
        raise TemplateArchived("Create a new template instead")


async def _let_stand(tx: Tx, template_id: UUID, number: int) -> None:
    await tx.execute(
        update(template)
        .where(template.c.id == template_id)
        .values(version=number, revision=template.c.revision + 1, changed_at=tx.clock.now())
    )
    await _tell(tx, template_id)


async def _tell(tx: Tx, template_id: UUID) -> None:
    """Tell others which version stands, and for which class of messages it was checked."""
    rows = await tx.execute(_CARDS.where(template.c.id == template_id))
    tx.stage(events.changed([rows.one()]))


async def tell_all(tx: Tx) -> None:
    """Tell the same of every template; of one that is changed at this moment its own news is enough."""
    rows = await tx.execute(
        _CARDS.where(template.c.changed_at < tx.clock.now()).order_by(template.c.id)
    )
    tx.stage(events.changed(rows.all()))


async def _add_version(
    tx: Tx,
    template_id: UUID,
    number: int,
    body: VersionIn,
    compiled: Mapping[Language, LanguageTemplate],
) -> None:
    await tx.execute(
        insert(template_version).values(
            id=new_id(),
            template_id=template_id,
            number=number,
            source={language.value: one.model_dump() for language, one in body.languages.items()},
            compiled={language.value: one.model_dump() for language, one in compiled.items()},
            message_class=body.message_class.value,
            products=body.products,
            created_by=tx.actor,
            created_at=tx.clock.now(),
        )
    )


async def archive_template(tx: Tx, template_id: UUID) -> None:
    """Take a template out of use; what was planned with it is still sent.

    Raises:
        TemplateNotFound: there is no such template.
    """
    found = await tx.scalar(
        update(template)
        .where(template.c.id == template_id)
        .values(archived_at=tx.clock.now())
        .returning(template.c.id)
    )
    if found is None:
        raise TemplateNotFound("No template has this id")
