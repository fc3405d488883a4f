"""What a lead says about a person beside names and addresses, and when it counts."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.insights import usecases as insights
from contacts_svc.insights.model import InsightSource, Learned
from contacts_svc.intake import queries
from contacts_svc.intake.answers import Answer, terms_of
from contacts_svc.intake.model import Form, Lead, LeadAnswer
from contacts_svc.intake.schemas import GivenAfter
from contacts_svc.lists import add_to_list
from contacts_svc.permissions.model import Preference, Topic
from contacts_svc.touched import Family, touch
from contacts_svc.visits import usecases as visits
from kantis_kit.auth.links import LinkSigner
from kantis_kit.tx import ReadTx, Tx

DOWNLOAD = "download"


def needs_owner(form: Form, lead: Lead) -> bool:
    """Say whether the owner of the address is asked: for the consent, or because a file waits for it."""
    return (form.double_opt_in and lead.is_consented) or gives(form, GivenAfter.CONFIRMATION)


def gives(form: Form, after: GivenAfter) -> bool:
    """Say whether the form gives its file away at this moment."""
    return form.download is not None and form.download["after"] == after.value


async def link_to_file(tx: ReadTx, form: Form) -> str | None:
    """Return the path of the form's file, signed, for as many days as the form says; None without a file."""
    asset_id = await queries.find_asset_id(tx, form.id) if form.download else None
    if asset_id is None or form.download is None:
        return None
    until = tx.clock.now() + timedelta(days=form.download["days"])
    # Nothing of the person is in the link: it must not tell who is known.
    token = tx.use(LinkSigner).make(DOWNLOAD, asset_id.bytes, expires_at=until)
    return f"/p/download/{token}"


async def join_list(tx: Tx, form: Form, lead: Lead) -> None:
    """Put the person on the form's list."""
    if form.list_id is not None:
        await add_to_list(tx, form.list_id, [lead.person_id], source=f"form:{form.key}")


async def wish_topics(tx: Tx, lead: Lead) -> None:
    """Add the topics that were ticked to what the person wants to hear of; what they have said before stays beside.

    Topics that only this form knows stand in the lead alone.
    """
    if not lead.topics:
        return
    offered = await tx.scalars(
        select(col(Topic.key)).where(col(Topic.key).in_(lead.topics), col(Topic.is_open))
    )
    wanted = dict.fromkeys(sorted(offered), True)
    if not wanted:
        return
    table = table_of(Preference)
    first = Preference(person_id=lead.person_id, topics=wanted, updated_at=tx.clock.now())
    new = insert(table).values(**first.model_dump())
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["person_id"],
            set_={
                "topics": table.c.topics.op("||")(new.excluded.topics),
                "version": table.c.version + 1,
                "updated_at": new.excluded.updated_at,
            },
        )
    )
    await touch(tx, [lead.person_id], Family.PERMISSION)


async def meet_visitor(
    tx: Tx, visitor_id: UUID | None, person_id: UUID, *, is_certain: bool
) -> UUID | None:
    """Join the visitor who posted to the person, or keep them apart from whoever used the browser before."""
    if visitor_id is None:
        return None
    if is_certain:
        return await visits.identify(tx, visitor_id, person_id, by="lead")
    return await visits.part(tx, visitor_id, person_id)


async def confirm_visitor(tx: Tx, lead: Lead) -> None:
    """Join the visitor who posted to the person, who has shown now that it was them."""
    if lead.visitor_id is not None:
        await visits.identify(tx, lead.visitor_id, lead.person_id, by="confirmation")


async def keep_answers(
    tx: Tx, form: Form, lead: Lead, said: dict[str, Answer], *, is_confirmed: bool
) -> None:
    """Keep the answers that say something about the person; a question that is answered anew replaces its answer."""
    rows = [
        {
            "lead_id": lead.id,
            "question": question,
            "answer": answer,
            "person_id": lead.person_id,
            "term": term,
            "said_at": tx.clock.now(),
            "is_confirmed": is_confirmed,
        }
        for question, answer, term in terms_of(form, said)
    ]
    if not rows:
        return
    table = table_of(LeadAnswer)
    await tx.execute(
        delete(table).where(
            table.c.lead_id == lead.id,
            table.c.question.in_({row["question"] for row in rows}),
            ~table.c.is_confirmed,
        )
    )
    new = await tx.scalars(
        insert(table).values(rows).on_conflict_do_nothing().returning(table.c.term)
    )
    if is_confirmed:
        await _record(tx, form, lead, list(new))


async def confirm_answers(tx: Tx, form: Form, lead: Lead) -> None:
    """Let the answers of a lead count: the person has shown that they came from them."""
    table = table_of(LeadAnswer)
    rows = plain(
        await tx.execute(
            update(table)
            .where(col(LeadAnswer.lead_id) == lead.id, ~table.c.is_confirmed)
            .values(is_confirmed=True)
            .returning(table.c.term)
        )
    )
    await _record(tx, form, lead, [term for (term,) in rows])


async def _record(tx: Tx, form: Form, lead: Lead, terms: Sequence[str]) -> None:
    await insights.record_insights(
        tx,
        [
            Learned(
                person_id=lead.person_id,
                term_key=term,
                source=InsightSource.FORM,
                said_at=lead.last_at,
            )
            for term in terms
        ],
    )
