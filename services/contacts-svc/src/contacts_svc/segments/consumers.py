"""What other services tell or ask about segments."""

from contacts_svc.segments import usecases
from kantis_contracts.campaign import (
    AudienceRequestedV1,
    ListingRequestedV1,
    PreflightRequestedV1,
    RehearsalRequestedV1,
    RuleChangedV1,
)
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


@consumes(ListingRequestedV1, queue="contacts.segments")
async def on_listings_requested(tx: Tx, event: ListingRequestedV1, _meta: Meta) -> None:
    """Put people on a list for a rule or programme."""
    await usecases.take_listings(tx, event)


@consumes(RuleChangedV1, queue="contacts.segments")
async def on_rules_changed(tx: Tx, event: RuleChangedV1, _meta: Meta) -> None:
    """Keep the segments on which rules act."""
    await usecases.follow_rules(tx, event.items)


@consumes(RehearsalRequestedV1, queue="contacts.segments")
async def on_rehearsals_requested(tx: Tx, event: RehearsalRequestedV1, _meta: Meta) -> None:
    """Say what rules would have done."""
    await usecases.rehearse(tx, event.items)
