"""Save templates: every save is a new version, checked and compiled before it is stored."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.templates.blocks import LISTS, shown
from messaging_svc.templates.compiling import LanguageSource, LanguageTemplate, compile_language
from messaging_svc.templates.errors import (
    CannotRender,
    Flaw,
    TemplateArchived,
    TemplateNotFound,
    TemplateRefused,
)
from messaging_svc.templates.model import template, template_version
from messaging_svc.templates.rendering import Compiled
from messaging_svc.templates.schemas import LanguageIn
from messaging_svc.templates.texts import greeting, price

_LONG_NAME = "Ærlighet " * 20


def compile_all(languages: Mapping[Language, LanguageIn]) -> dict[Language, LanguageTemplate]:
    """Check and compile every language.

    Raises:
        TemplateRefused: with one line per language that has a flaw.
    """
    ready: dict[Language, LanguageTemplate] = {}
    errors: list[dict[str, Any]] = []
    for language, written in sorted(languages.items()):
        try:
            ready[language] = compile_language(LanguageSource(**written.model_dump()), language)
            _try_out(language, ready[language])
        except (Flaw, CannotRender) as flaw:
            errors.append(
                {"in": "body", "field": f"languages.{language.value}", "message": str(flaw)}
            )
    if errors:
        first = errors[0]
        raise TemplateRefused(f"{first['field']}: {first['message']}", errors=errors)
    return ready


def _try_out(language: Language, one: LanguageTemplate) -> None:
    """Render with everything given and with everything empty: what fails here would fail for people."""
    compiled = Compiled({language: one})
    for name, offer in (("Kari", "Lampe"), ("", ""), (_LONG_NAME, _LONG_NAME)):
        fields = sample_fields(compiled, language, preferred_name=name, offer_name=offer)
        compiled.render(language, fields)
        if one.letter:
            compiled.render_letter(language, fields)


def sample_fields(
    compiled: Compiled,
    language: Language,
    *,
    preferred_name: str,
    offer_name: str,
    price_minor: int = 49_900,
    currency: str = "NOK",
    company: str = "Kantis",
) -> dict[str, object]:
    """Return the fields of an imagined reader; the links lead nowhere. Who has no offer has no products, either."""
    fields: dict[str, object] = {
        "preferred_name": preferred_name,
        "greeting": greeting(language, preferred_name),
        "company": company,
        "offer_name": offer_name,
        "offer_price": price(price_minor, currency, language) if offer_name else "",
        "response_url": "#response",
        "unsubscribe_url": "#unsubscribe",
        "preferences_url": "#preferences",
        "open_url": "data:,",
        "language": language.value,
        "response_code": "C0DE1234",
        **shown(
            sample_blocks(offer_name, price_minor, currency), language, response_url="#response"
        ),
    }
    for position, link in enumerate(compiled.links(language)):
        fields[f"link_{position}"] = link.target or "#response"
    return fields


def sample_blocks(name: str, price_minor: int, currency: str) -> dict[str, object]:
    """Return the lists of an imagined piece."""
    one = {"name": name, "price_minor": price_minor, "currency": currency}
    return {key: [one, one] for key in LISTS} if name else {}


async def create_template(tx: Tx, name: str, languages: Mapping[Language, LanguageIn]) -> UUID:
    """Save a new template with its first version.

    Raises:
        TemplateRefused: something in it cannot be sent.
    """
    compiled = compile_all(languages)
    template_id, now = new_id(), tx.clock.now()
    await tx.execute(
        insert(template).values(
            id=template_id, name=name, version=1, created_at=now, changed_at=now
        )
    )
    await _add_version(tx, template_id, 1, languages, compiled)
    return template_id


async def save_version(tx: Tx, template_id: UUID, languages: Mapping[Language, LanguageIn]) -> int:
    """Save a new version; launches that have begun keep the one they began with.

    Raises:
        TemplateNotFound: there is no such template.
        TemplateArchived: it takes no new versions.
        TemplateRefused: something in it cannot be sent.
    """
    compiled = compile_all(languages)
    # The update locks the row: two saves at once become two versions.
    number = await tx.scalar(
        update(template)
        .where(template.c.id == template_id, template.c.archived_at.is_(None))
        .values(version=template.c.version + 1, changed_at=tx.clock.now())
        .returning(template.c.version)
    )
    if number is None:
        if await tx.scalar(select(template.c.id).where(template.c.id == template_id)) is None:
            raise TemplateNotFound("No template has this id")
        raise TemplateArchived("Create a new template instead")
    await _add_version(tx, template_id, number, languages, compiled)
    return int(number)


async def _add_version(
    tx: Tx,
    template_id: UUID,
    number: int,
    languages: Mapping[Language, LanguageIn],
    compiled: Mapping[Language, LanguageTemplate],
) -> None:
    await tx.execute(
        insert(template_version).values(
            id=new_id(),
            template_id=template_id,
            number=number,
            source={language.value: one.model_dump() for language, one in languages.items()},
            compiled={language.value: one.model_dump() for language, one in compiled.items()},
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
