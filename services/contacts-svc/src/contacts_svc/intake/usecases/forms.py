"""Forms, and the words that people say yes to."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.intake import queries
from contacts_svc.intake.errors import (
    ConsentReworded,
    FileUnusable,
    FormKeyTaken,
    ListUnknown,
)
from contacts_svc.intake.model import (
    ConsentText,
    DownloadAsset,
    Form,
    FormTrap,
    FormVersion,
)
from contacts_svc.intake.schemas import MAIN_BOX, ConsentIn, FormIn
from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

MAX_FILE_BYTES = 1024 * 1024
FILE_KINDS = frozenset(
    {
        "application/epub+zip",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/zip",
        "image/jpeg",
        "image/png",
        "text/calendar",
        "text/csv",
        "text/plain",
    }
)


async def save_form(tx: Tx, body: FormIn, form: Form | None = None) -> Form:
    """Make a form, or bring one to what `body` says; each wording of the consent is kept.

    Raises:
        FormKeyTaken: another form has this key.
        ConsentReworded: other words under a version that exists.
        ListUnknown: the list that people shall join is not there.
    """
    now = tx.clock.now()
    if body.list_id is not None and not await queries.is_list(tx, body.list_id):
        raise ListUnknown("list_id: make the list first, by POST /v1/segments")
    kept = body.model_dump(mode="json")
    values = {**kept, "list_id": body.list_id}
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
    await _keep_words(tx, form.id, MAIN_BOX, body.consent)
    for box in body.boxes:
        await _keep_words(tx, form.id, box.key, box.consent)
    tx.add(FormVersion(form_id=form.id, version=form.version, body=kept, actor=tx.actor, at=now))
    return form


async def _keep_words(
    tx: Tx, form_id: UUID, box: str, consents: Mapping[Language, ConsentIn]
) -> None:
    for language, consent in consents.items():
        await tx.execute(
            insert(table_of(ConsentText))
            .values(
                form_id=form_id,
                box=box,
                language=language.value,
                version=consent.version,
                words=consent.text,
            )
            .on_conflict_do_nothing()
        )
        kept = await tx.scalar(
            select(col(ConsentText.words)).where(
                col(ConsentText.form_id) == form_id,
                col(ConsentText.box) == box,
                col(ConsentText.language) == language.value,
                col(ConsentText.version) == consent.version,
            )
        )
        if kept != consent.text:
            raise ConsentReworded(
                f"{box}.{language.value}: version {consent.version} has other words, and people have seen them; "
                "give the new words a new version"
            )


async def keep_file(
    tx: Tx, form: Form, *, file_name: str, content_type: str, content: bytes
) -> DownloadAsset:
    """Keep the file that a form gives away; links to an older one still open that one.

    Raises:
        FileUnusable: the form gives nothing away, or the file is empty or too large.
    """
    if form.download is None:
        raise FileUnusable("Give the form a `download` first, with its titles")
    if content_type not in FILE_KINDS:
        raise FileUnusable(f"Content-Type: one of {', '.join(sorted(FILE_KINDS))}")
    if not content:
        raise FileUnusable("Send the file as the body; this body is empty")
    if len(content) > MAX_FILE_BYTES:
        raise FileUnusable(f"At most {MAX_FILE_BYTES} bytes, this has {len(content)}")
    asset = DownloadAsset(
        id=new_id(),
        form_id=form.id,
        file_name=file_name,
        content_type=content_type,
        content=content,
        made_at=tx.clock.now(),
    )
    tx.add(asset)
    return asset


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
