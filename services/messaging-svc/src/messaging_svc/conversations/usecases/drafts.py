"""Answers that are given often: their texts, and a draft made of one for a person."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx
from messaging_svc.conversations import queries
from messaging_svc.conversations.errors import (
    TemplateFlawed,
    TemplateNameTaken,
    TemplateNotFound,
)
from messaging_svc.conversations.model import answer_template
from messaging_svc.conversations.schemas import DraftIn, DraftOut, TemplateIn, TemplateOut
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.engine import Sandbox, check_tags
from messaging_svc.templates.errors import CannotRender, Flaw
from messaging_svc.templates.texts import greeting

_FIELDS = frozenset({"greeting", "preferred_name", "company", "agent"})
_NAME = "answer.txt"
_FALLBACK = (Language.EN, Language.NB, Language.SV, Language.DA, Language.FI)


async def add_template(tx: Tx, body: TemplateIn) -> UUID:
    """Keep the text of an answer.

    Raises:
        TemplateFlawed: a text names a field that there is not, or cannot be read.
        TemplateNameTaken: another template has the name.
    """
    _check(body.languages)
    now = tx.clock.now()
    stored: UUID | None = await tx.scalar(
        insert(answer_template)
        .values(id=new_id(), created_at=now, changed_at=now, **_row(body))
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(answer_template.c.id)
    )
    if stored is None:
        raise TemplateNameTaken("Choose another name, or change that template")
    return stored


async def change_template(tx: Tx, template_id: UUID, body: TemplateIn) -> None:
    """Replace the text of an answer; drafts that were made stay.

    Raises:
        TemplateNotFound, TemplateFlawed, TemplateNameTaken.
    """
    await get_template(tx, template_id)
    _check(body.languages)
    taken = select(answer_template.c.id).where(
        answer_template.c.name == body.name, answer_template.c.id != template_id
    )
    if await tx.scalar(taken) is not None:
        raise TemplateNameTaken("Choose another name, or change that template")
    await tx.execute(
        update(answer_template)
        .where(answer_template.c.id == template_id)
        .values(changed_at=tx.clock.now(), **_row(body))
    )


async def remove_template(tx: Tx, template_id: UUID) -> None:
    """Drop a template. Raises `TemplateNotFound`."""
    await get_template(tx, template_id)
    await tx.execute(delete(answer_template).where(answer_template.c.id == template_id))


async def list_templates(tx: ReadTx) -> Sequence[TemplateOut]:
    """Return the templates by name."""
    found = await tx.execute(select(answer_template).order_by(answer_template.c.name))
    return [TemplateOut.model_validate(row) for row in found]


async def get_template(tx: ReadTx, template_id: UUID) -> TemplateOut:
    """Return a template. Raises `TemplateNotFound`."""
    found = select(answer_template).where(answer_template.c.id == template_id)
    row = (await tx.execute(found)).first()
    if row is None:
        raise TemplateNotFound("No template of an answer has this id")
    return TemplateOut.model_validate(row)


async def draft(tx: ReadTx, row: Row[Any], body: DraftIn, agent: str) -> DraftOut:
    """Fill a template in for the person of a conversation, in their language where it has that.

    Raises:
        TemplateNotFound: there is no such template.
    """
    template = await get_template(tx, body.template_id)
    wanted = body.language or Language(row.language)
    language = next(one for one in (wanted, *_FALLBACK) if one in template.languages)
    card = await queries.find_card(tx, row.person_id) if row.person_id else None
    # A name is never guessed: what a mail program shows as the sender's is not what the person wants to be called.
    name = card.preferred_name.strip() if card else ""
    fields = {
        "greeting": greeting(language, name),
        "preferred_name": name,
        "company": tx.settings(MessagingSettings).company,
        "agent": agent,
    }
    return DraftOut(text=_fill(template.languages[language], fields), language=language)


def _row(body: TemplateIn) -> dict[str, Any]:
    return {
        "name": body.name,
        "languages": {language.value: text for language, text in body.languages.items()},
    }


def _fill(text: str, fields: Mapping[str, str]) -> str:
    return Sandbox({_NAME: text}).render(_NAME, fields).strip()


def _check(languages: Mapping[Language, str]) -> None:
    errors = []
    for language, text in sorted(languages.items()):
        try:
            _check_text(text)
        except (Flaw, CannotRender) as flaw:
            errors.append(
                {"in": "body", "field": f"languages.{language.value}", "message": str(flaw)}
            )
    if errors:
        first = errors[0]
        raise TemplateFlawed(f"{first['field']}: {first['message']}", errors=errors)


def _check_text(text: str) -> None:
    if not text.strip():
        raise Flaw("is empty")
    check_tags(text, _FIELDS)
    Sandbox({_NAME: text}).check(_NAME)
    _fill(text, dict.fromkeys(_FIELDS, ""))
