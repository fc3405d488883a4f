"""Save reports, and forget them again."""

from uuid import UUID

from sqlalchemy import null
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from analytics_svc.company.queries import REPORTS
from analytics_svc.saved import queries
from analytics_svc.saved.errors import CurrencyMeaningless, NameTaken
from analytics_svc.saved.model import SavedReport
from analytics_svc.saved.schemas import SavedIn, SavedOut
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


async def save_report(tx: Tx, wanted: SavedIn) -> SavedOut:
    """Save a report under a name.

    Raises:
        CurrencyMeaningless: a currency was given for a report that counts no money.
        NameTaken: another one has the name.
        ReportUnknown: no campaign was launched that it would be of.
        CustomerUnknown: nothing is known of the person.
    """
    if wanted.currency and not REPORTS[wanted.report].is_of_money:
        raise CurrencyMeaningless(
            f"currency: leave it out, {wanted.report.value} counts no money; it is for "
            + " and ".join(name for name, report in REPORTS.items() if report.is_of_money)
        )
    values = wanted.model_dump(exclude={"funnel"}) | {
        "report": wanted.report.value,
        "funnel": wanted.funnel.model_dump(mode="json", exclude_none=True)
        if wanted.funnel
        else null(),
        "id": new_id(),
        "created_at": tx.clock.now(),
    }
    await queries.check(tx, SavedReport(**values | {"funnel": wanted.funnel and values["funnel"]}))
    put = insert(SavedReport).values(values).on_conflict_do_nothing(index_elements=["name"])
    made = await tx.scalar(put.returning(col(SavedReport.id)))
    if made is None:
        raise NameTaken(f"name: {wanted.name!r} is taken; take another, or delete that one first")
    tx.audit("report.save", str(made), name=wanted.name)
    return SavedOut.model_validate(values | {"funnel": wanted.funnel})


async def delete_saved(tx: Tx, saved_id: UUID) -> None:
    """Forget a saved report. Raises `SavedUnknown`."""
    saved = await queries.get_saved(tx, saved_id)
    tx.audit("report.unsave", str(saved_id), name=saved.name)
    await tx.delete(saved)
