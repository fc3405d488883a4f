"""Reads of sign-ups."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.programmes.invitations import Invitation
from campaign_svc.programmes.model import PersonZone
from campaign_svc.signups.model import SignUp
from campaign_svc.signups.schemas import SignUpOut, Standing
from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx


async def standing_of(tx: ReadTx, invited: Invitation) -> Standing:
    """Return how the person of an invitation stands to it, also under an id that was merged."""
    leads = await resolve(tx, person_alias, [invited.person_id])
    rows = await tx.scalars(
        select(col(SignUp.cancelled_at).is_(None)).where(
            col(SignUp.programme_id) == invited.programme_id,
            col(SignUp.step) == invited.step,
            col(SignUp.person_id) == leads.get(invited.person_id, invited.person_id),
        )
    )
    found = rows.all()
    if not found:
        return Standing.INVITED
    return Standing.SIGNED_UP if any(found) else Standing.SIGNED_OFF


async def zone_of(tx: ReadTx, person_id: UUID) -> str:
    """Return the time zone where somebody lives; nothing where it is not known."""
    zone: str | None = await tx.scalar(
        select(col(PersonZone.zone)).where(col(PersonZone.person_id) == person_id)
    )
    return zone or ""


async def list_sign_ups(
    tx: ReadTx, programme_id: UUID, step: str, *, after: UUID | None, limit: int
) -> list[SignUpOut]:
    """Return a page of those who have signed up, or off again, in the order of their signing."""
    statement = (
        select(SignUp)
        .where(col(SignUp.programme_id) == programme_id, col(SignUp.step) == step)
        .order_by(col(SignUp.id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(SignUp.id) > after)
    return [SignUpOut.model_validate(row) for row in await tx.scalars(statement)]
