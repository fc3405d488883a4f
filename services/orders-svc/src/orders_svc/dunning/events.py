"""What of dunning leaves this service."""

from kantis_contracts.orders import DunningChanged, DunningChangedV1, DunningState
from orders_svc.billing.model import Invoice
from orders_svc.dunning.model import DunningCase


def dunning_changed(case: DunningCase, invoice: Invoice) -> DunningChangedV1:
    """Say where the dunning of an invoice stands now."""
    return DunningChangedV1(
        items=(
            DunningChanged(
                invoice_id=invoice.invoice_id,
                order_id=invoice.order_id,
                person_id=invoice.person_id,
                campaign_id=invoice.campaign_id,
                version=case.version,
                state=DunningState(case.state),
                reminders=case.reminders,
                open_minor=invoice.open_minor,
                currency=invoice.currency,
                changed_at=case.changed_at,
            ),
        )
    )
