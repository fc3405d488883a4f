"""Sign somebody up for an event, or off again; programmes hear of both, each once."""

from datetime import datetime

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.programmes.invitations import Invitation, ends_at
from campaign_svc.programmes.occurrences import Occurrence
from campaign_svc.programmes.queries import get_step
from campaign_svc.programmes.schemas.graph import Content
from campaign_svc.programmes.usecases.hearing import take
from campaign_svc.signups.errors import EventOver, InvitationUnknown
from campaign_svc.signups.model import SignUp
from kantis_contracts.values import Language
from kantis_kit.db.aliases import resolve
from kantis_kit.errors import NotFound
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx

_NAMED = func.coalesce(col(SignUp.merged_id), col(SignUp.person_id))


async def event_of(tx: ReadTx, invited: Invitation) -> Content:
    """Return what an invitation is about, as the programme has it now. Raises `InvitationUnknown`."""
    try:
        step = await get_step(tx, invited.programme_id, invited.step)
    except NotFound as error:
        raise InvitationUnknown("It is no longer in the programme") from error
    if not isinstance(step, Content) or step.begins_at is None:
        raise InvitationUnknown("It is no longer in the programme")
    return step


def is_over(step: Content, now: datetime) -> bool:
    """Say whether an event has been."""
    over_at = ends_at(step)
    return over_at is not None and over_at <= now


async def sign_up(tx: Tx, invited: Invitation, language: Language) -> None:
    """Sign somebody up; who has signed up has. Raises `InvitationUnknown` and `EventOver`."""
    await _require_ahead(tx, invited)
    leads = await resolve(tx, person_alias, [invited.person_id])
    stands = leads.get(invited.person_id)
    new = insert(SignUp).values(
        id=new_id(),
        programme_id=invited.programme_id,
        step=invited.step,
        person_id=stands or invited.person_id,
        merged_id=invited.person_id if stands else None,
        language=language.value,
        signed_at=tx.clock.now(),
    )
    changed = await tx.scalar(
        new.on_conflict_do_update(
            index_elements=[col(SignUp.programme_id), col(SignUp.step), _NAMED],
            set_={"cancelled_at": None, "signed_at": new.excluded.signed_at},
            where=col(SignUp.cancelled_at).is_not(None),
        ).returning(col(SignUp.id))
    )
    if changed is not None:
        await _tell(tx, invited, "signed_up")


async def sign_off(tx: Tx, invited: Invitation) -> None:
    """Sign somebody off who has signed up. Raises `InvitationUnknown` and `EventOver`."""
    await _require_ahead(tx, invited)
    leads = await resolve(tx, person_alias, [invited.person_id])
    found = await tx.scalars(
        update(SignUp)
        .where(
            col(SignUp.programme_id) == invited.programme_id,
            col(SignUp.step) == invited.step,
            col(SignUp.person_id) == leads.get(invited.person_id, invited.person_id),
            col(SignUp.cancelled_at).is_(None),
        )
        .values(cancelled_at=tx.clock.now())
        .returning(col(SignUp.id))
    )
    if found.first() is not None:
        await _tell(tx, invited, "signed_off")


async def _require_ahead(tx: ReadTx, invited: Invitation) -> None:
    if is_over(await event_of(tx, invited), tx.clock.now()):
        raise EventOver("It has been")


async def _tell(tx: Tx, invited: Invitation, what: str) -> None:
    event = f"{what}.{invited.step}"
    told = Occurrence(
        event=event,
        person_id=invited.person_id,
        at=tx.clock.now(),
        facts={what: invited.step},
        begins=(("event", event),),
    )
    await take(tx, [told])
