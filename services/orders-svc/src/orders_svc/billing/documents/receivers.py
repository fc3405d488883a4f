"""Where in the e-invoice network a document goes."""

from kantis_kit.errors import Invalid
from kantis_kit.tx import ReadTx
from orders_svc.billing.documents.ubl import Receiver
from orders_svc.billing.model import Invoice
from orders_svc.payers.queries import find_payers


async def receiver_of(
    tx: ReadTx,
    invoice: Invoice,
    *,
    endpoint: str | None,
    organisation_number: str | None,
    reference: str | None,
) -> Receiver:
    """Return where the buyer of an invoice gets it: as given, and what is not given as the payer has wished.

    Raises:
        Invalid: no endpoint is given, and the payer has none.
    """
    wish = (await find_payers(tx, [invoice.person_id])).get(invoice.person_id)
    place = endpoint or (wish.endpoint if wish else "")
    if not place:
        raise Invalid(
            "endpoint: nobody has said where the payer takes e-invoices; give it, such as 0192:987654325, or keep it with"
            f" PUT /v1/invoices/payers/{invoice.person_id}"
        )
    scheme, _, number = place.partition(":")
    if organisation_number is None:
        organisation_number = wish.organisation_number if wish else ""
    if reference is None:
        reference = wish.buyer_reference if wish else ""
    return Receiver(scheme, number, organisation_number, reference.strip())
