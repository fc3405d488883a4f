"""Events that change the copy of what templates are written for."""

from campaign_svc.templates import usecases
from kantis_contracts.messaging import TemplateChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(TemplateChangedV1, queue="campaign.templates")
async def on_templates_changed(tx: Tx, event: TemplateChangedV1, _meta: Meta) -> None:
    """Templates are new, or another version of them stands."""
    await usecases.keep_templates(tx, event.items)
