"""What contacts-svc tells of people."""

from campaign_svc.people import usecases
from kantis_contracts.contacts import PersonChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(PersonChangedV1, queue="campaign.people")
async def on_persons_changed(tx: Tx, event: PersonChangedV1, _meta: Meta) -> None:
    """Persons are new, or their name, telephone or address has changed."""
    await usecases.keep_marks(tx, event.items)
