"""What other services tell or ask about segments."""

from contacts_svc.segments import usecases
from kantis_contracts.campaign import AudienceRequestedV1, PreflightRequestedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(PreflightRequestedV1, queue="contacts.segments")
async def on_preflight_requested(tx: Tx, event: PreflightRequestedV1, _meta: Meta) -> None:
    """Count whom campaigns would reach."""
    await usecases.answer_preflights(tx, event.items)


@consumes(AudienceRequestedV1, queue="contacts.segments")
async def on_audience_requested(tx: Tx, event: AudienceRequestedV1, _meta: Meta) -> None:
    """Freeze the audiences of launches."""
    await usecases.freeze_audiences(tx, event.items)
