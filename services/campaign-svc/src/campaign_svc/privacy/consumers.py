"""Who is to be forgotten, and who wants to know."""

from campaign_svc.privacy import usecases
from kantis_contracts.contacts.privacy import (
    DossierRequestedV1,
    ErasureRequestedV1,
    RetentionChangedV1,
)
from kantis_kit.consumer import Meta, consumes
from kantis_kit.forgetting import take_periods
from kantis_kit.tx import Tx


@consumes(ErasureRequestedV1, queue="campaign.privacy")
async def on_erasures_requested(tx: Tx, event: ErasureRequestedV1, _meta: Meta) -> None:
    """Forget, and answer with receipts."""
    if not event.services or "campaign" in event.services:
        await usecases.forget(tx, event.items, is_reminder=event.is_reminder)


@consumes(DossierRequestedV1, queue="campaign.privacy")
async def on_dossiers_requested(tx: Tx, event: DossierRequestedV1, _meta: Meta) -> None:
    """Answer with everything that is held of the persons."""
    await usecases.tell(tx, event.items)


@consumes(RetentionChangedV1, queue="campaign.privacy")
async def on_periods_decided(tx: Tx, event: RetentionChangedV1, _meta: Meta) -> None:
    """Keep the periods of our kinds."""
    await take_periods(tx, "campaign", event.items)
