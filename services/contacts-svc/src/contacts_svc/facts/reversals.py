"""Money that was taken back: a payment below nothing, so that any order of the news adds up to the same."""

from collections.abc import Sequence

from contacts_svc.facts.usecases import keep_payments
from kantis_contracts.orders import PaymentBooked, PaymentReversed
from kantis_kit.tx import Tx


async def keep_reversals(tx: Tx, items: Sequence[PaymentReversed]) -> None:
    """Keep that money was taken back: it counts against what was paid, whichever is told first."""
    await keep_payments(
        tx,
        [
            PaymentBooked(
                payment_id=item.reversal_id,
                booked_at=item.reversed_at,
                amount_minor=-item.amount_minor,
                **item.model_dump(
                    include={"invoice_id", "order_id", "person_id", "currency", "open_minor"}
                ),
            )
            for item in items
        ],
    )
