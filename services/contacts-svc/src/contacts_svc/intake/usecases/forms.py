"""Forms, and the words that people say yes to."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.intake.errors import ConsentReworded, FormKeyTaken
from contacts_svc.intake.model import (
    ConsentText,
    Form,
    FormTrap,
)
from contacts_svc.intake.schemas import FormIn
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


async def save_form(tx: Tx, body: FormIn, form: Form | None = None) -> Form:
    """Make a form, or bring one to what `body` says; each wording of the consent is kept.

    Raises:
        FormKeyTaken: another form has this key.
        ConsentReworded: other words under a version that exists.
    """
    now = tx.clock.now()
    values = body.model_dump(mode="json")
    if form is None:
        form = Form(id=new_id(), created_at=now, updated_at=now, version=1, **values)
        made = await tx.scalar(
            insert(table_of(Form))
            .values(**form.model_dump())
            .on_conflict_do_nothing(index_elements=["key"])
            .returning(table_of(Form).c.id)
        )
        if made is None:
            raise FormKeyTaken(f"Choose another key than {body.key}, or change that form")
    else:
        if body.key != form.key:
            raise FormKeyTaken(
                "The key is the form's address and stays; make a new form for a new address"
            )
        for name, value in values.items():
            setattr(form, name, value)
        form.version, form.updated_at = form.version + 1, now
    await _keep_words(tx, form.id, body)
    return form


async def _keep_words(tx: Tx, form_id: UUID, body: FormIn) -> None:
    for language, consent in body.consent.items():
        await tx.execute(
            insert(table_of(ConsentText))
            .values(
                form_id=form_id,
                language=language.value,
                version=consent.version,
                words=consent.text,
            )
            .on_conflict_do_nothing()
        )
        kept = await tx.scalar(
            select(col(ConsentText.words)).where(
                col(ConsentText.form_id) == form_id,
                col(ConsentText.language) == language.value,
                col(ConsentText.version) == consent.version,
            )
        )
        if kept != consent.text:
            raise ConsentReworded(
                f"consent.{language.value}: version {consent.version} has other words, and people have seen them; "
                "give the new words a new version"
            )


async def count_machine(tx: Tx, form: Form) -> None:
    """Count something that filled in the field that people do not see; nothing else is kept of it."""
    caught = insert(table_of(FormTrap)).values(
        form_id=form.id, on_day=tx.clock.now().date(), caught=1
    )
    await tx.execute(
        caught.on_conflict_do_update(
            index_elements=["form_id", "on_day"], set_={"caught": table_of(FormTrap).c.caught + 1}
        )
    )
