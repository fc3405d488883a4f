"""The list of parcels for a carrier who wants one."""

import csv
import io
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.csv_rows import quoted
from kantis_kit.tx import ReadTx
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.queries import address_of
from orders_svc.packing.model import BookingState, Parcel
from orders_svc.people.queries import find_persons

_COLUMNS = (
    "code", "order", "service", "weight_grams", "full_name", "street", "postal_code", "city", "country",
)  # fmt: skip


async def manifest(
    tx: ReadTx, carrier: str, *, after: UUID | None, limit: int
) -> tuple[str, UUID | None]:
    """Return parcels that a carrier fetches as a table, in the sequence of their packing, and where the next page begins."""
    statement = (
        select(Parcel, SalesOrder)
        .join(SalesOrder, col(SalesOrder.order_id) == col(Parcel.order_id))
        .where(
            col(Parcel.carrier) == carrier,
            col(Parcel.booking) == BookingState.BOOKED.value,
            col(Parcel.delivered_at).is_(None),
        )
        .order_by(col(Parcel.parcel_id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(Parcel.parcel_id) > after)
    rows = (await tx.execute(statement)).all()
    persons = await find_persons(tx, [row.SalesOrder.person_id for row in rows])
    text = io.StringIO()
    table = csv.writer(text, delimiter=";")
    table.writerow(_COLUMNS)
    for row in rows:
        parcel, order = row.Parcel, row.SalesOrder
        home = address_of(order, persons.get(order.person_id))
        numbers = (parcel.code, order.number, parcel.service, parcel.weight_grams)
        words = (home["full_name"], home["street"], home["postal_code"], home["city"])
        table.writerow([*numbers, *map(quoted, words), home["country"]])
    return text.getvalue(), rows[-1].Parcel.parcel_id if len(rows) == limit else None
