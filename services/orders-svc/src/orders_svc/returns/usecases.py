"""Take goods back: announced with a deadline, received by scanning, refunded by a credit note.

Whoever changes a return has locked its order first.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.calendar import date_in
from kantis_kit.ids import new_id
from kantis_kit.money import in_words
from kantis_kit.tx import Tx
from orders_svc.billing.credit_notes import credit_lines
from orders_svc.billing.model import Invoice
from orders_svc.catalogue import parts
from orders_svc.catalogue.queries import find_by_sku
from orders_svc.catalogue.usecases import Want
from orders_svc.orders import events as order_events
from orders_svc.orders import queries as orders
from orders_svc.orders.model import OrderLine, SalesOrder
from orders_svc.orders.usecases import language_of, lock_order
from orders_svc.people.queries import find_person
from orders_svc.returns import events, queries
from orders_svc.returns.errors import NotBought, TooLate, UnknownGoods
from orders_svc.returns.model import GoodsReturn, GoodsReturnLine, ReturnState
from orders_svc.returns.schemas import Fate, ReturnIn, ScanIn
from orders_svc.returns.withdrawal import last_day
from orders_svc.settings import OrdersSettings
from orders_svc.shipments import queries as shipments
from orders_svc.shipments.model import Shipment, ShipmentLine


async def announce(tx: Tx, given: ReturnIn) -> GoodsReturn:
    """Note what a customer sends back, and tell them how.

    Raises:
        OrderNotFound: no order has this id.
        NotBought: the customer has not got that, or not that many of it, or sends it back already.
        TooLate: the right of withdrawal has ended, and it is no goodwill.
    """
    order = await lock_order(tx, given.order_id)
    lines = (await orders.lines_of(tx, [order.order_id])).get(order.order_id, [])
    kept = await _kept(tx, order)
    for line_no, quantity in (await _announced(tx, order)).items():
        kept[line_no] = kept.get(line_no, 0) - quantity
    wanted = {line.line_no: 0 for line in given.lines}
    for line in given.lines:
        wanted[line.line_no] += line.quantity
    chosen = wanted or {line_no: quantity for line_no, quantity in kept.items() if quantity > 0}
    _check(chosen, kept, lines)
    ends_on = await _deadline(tx, order)
    today = date_in(tx.clock.now(), tx.settings(OrdersSettings).company_country)
    is_late = ends_on is not None and today > ends_on
    if given.is_withdrawal and is_late and not given.is_goodwill:
        raise TooLate(
            f"The right of withdrawal ended on {ends_on}; take it back as goodwill, or as a complaint",
            deadline_on=str(ends_on),
        )
    made = await _add(tx, order, given.reason, chosen, is_withdrawal=given.is_withdrawal)
    made.deadline_on = ends_on
    await _tell(tx, "return_announced", order, _part(lines, chosen), {"return_number": made.number})
    return made


async def receive(tx: Tx, return_id: UUID, found: Sequence[ScanIn]) -> GoodsReturn:
    """Take in what was found in a parcel: on the shelf again or scrapped, credited, and the customer told.

    What was not announced is taken in, too, when it was bought.

    Raises:
        ReturnNotFound: no return has this id.
        ReturnSettled: it was received or cancelled before.
        UnknownGoods: no product has the code that was scanned.
        NotBought: the customer has not got that, or not that many of it.
    """
    order_id = (await queries.get_return(tx, return_id)).order_id
    order = await lock_order(tx, order_id)
    one = await _lock_return(tx, return_id)
    one.settle(ReturnState.RECEIVED, at=tx.clock.now())
    lines = (await orders.lines_of(tx, [order_id])).get(order_id, [])
    kept = await _kept(tx, order)
    counts = await _sort(tx, found, lines, kept)
    await _write_down(tx, one, counts)
    back = {line_no: sum(fates.values()) for line_no, fates in counts.items()}
    by_no = {line.line_no: line for line in lines}
    await parts.restock(
        tx,
        [
            Want(order_id, by_no[line_no].product_id, fates[Fate.RESTOCK])
            for line_no, fates in counts.items()
            if fates[Fate.RESTOCK]
        ],
    )
    notes = await _credit(tx, one, back)
    one.refund_minor = sum(note.total_minor for note in notes)
    one.credit_notes = [{"number": note.number, "amount_minor": note.total_minor} for note in notes]
    in_all = sum(other.refund_minor for other in await queries.returns_of(tx, order_id))
    returned = _part(lines, back)
    tx.stage(events.goods_returned(one, order, returned, in_all, tx.clock.now()))
    language = language_of(await find_person(tx, order.person_id))
    refund = in_words(one.refund_minor, order.currency, language)
    facts = {"return_number": one.number, "refund": refund}
    await _tell(tx, "return_received", order, returned, facts)
    return one


async def receive_unannounced(
    tx: Tx, code: str, found: Sequence[ScanIn], *, reason: str
) -> GoodsReturn:
    """Take in a parcel that nobody has announced, by the number of its order or its own. Raises as `receive` does."""
    order = await lock_order(tx, await queries.order_of_code(tx, code))
    made = await _add(tx, order, reason, {}, is_withdrawal=True)
    made.deadline_on = await _deadline(tx, order)
    await tx.flush()  # it is read again below
    return await receive(tx, made.return_id, found)


async def cancel(tx: Tx, return_id: UUID) -> GoodsReturn:
    """Note that the customer keeps the goods.

    Raises:
        ReturnNotFound: no return has this id.
        ReturnSettled: it was received or cancelled before.
    """
    await lock_order(tx, (await queries.get_return(tx, return_id)).order_id)
    one = await _lock_return(tx, return_id)
    one.settle(ReturnState.CANCELLED, at=tx.clock.now())
    return one


async def _lock_return(tx: Tx, return_id: UUID) -> GoodsReturn:
    rows = await tx.scalars(
        select(GoodsReturn)
        .where(col(GoodsReturn.return_id) == return_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found: GoodsReturn = rows.one()
    return found


async def _add(
    tx: Tx, order: SalesOrder, reason: str, announced: Mapping[int, int], *, is_withdrawal: bool
) -> GoodsReturn:
    before = len(await queries.returns_of(tx, order.order_id))
    made = GoodsReturn(
        return_id=new_id(),
        order_id=order.order_id,
        number=f"{order.number}-R{before + 1}",
        is_withdrawal=is_withdrawal,
        reason=reason,
        announced_at=tx.clock.now(),
    )
    tx.add(made)
    await tx.flush()  # its lines refer to it
    tx.add_all(
        GoodsReturnLine(return_id=made.return_id, line_no=line_no, announced=quantity)
        for line_no, quantity in announced.items()
    )
    return made


async def _kept(tx: Tx, order: SalesOrder) -> dict[int, int]:
    """Return how many of each line the customer has."""
    sent = await shipments.shipments_of(tx, [order.order_id])
    lines = await shipments.lines_of(tx, [one.shipment_id for one in sent])
    kept: dict[int, int] = {}
    for line in (one for found in lines.values() for one in found):
        kept[line.line_no] = kept.get(line.line_no, 0) + line.kept
    return kept


async def _announced(tx: Tx, order: SalesOrder) -> dict[int, int]:
    """Return how many of each line are on their way back already."""
    open_ones = [
        one.return_id
        for one in await queries.returns_of(tx, order.order_id)
        if one.state == ReturnState.ANNOUNCED
    ]
    sums: dict[int, int] = {}
    for lines in (await queries.lines_of(tx, open_ones)).values():
        for line in lines:
            sums[line.line_no] = sums.get(line.line_no, 0) + line.announced
    return sums


async def _deadline(tx: Tx, order: SalesOrder) -> date | None:
    """Return the last day of the right of withdrawal; none while something is still to arrive."""
    if order.delivered_at is None:
        return None
    address = orders.address_of(order, await find_person(tx, order.person_id))
    extra_days = tx.settings(OrdersSettings).withdrawal_extra_days
    return last_day(order.delivered_at, address["country"], extra_days=extra_days)


async def _sort(
    tx: Tx, found: Sequence[ScanIn], lines: Sequence[OrderLine], kept: Mapping[int, int]
) -> dict[int, dict[Fate, int]]:
    """Return which lines came back, and what becomes of how many of each."""
    known = await find_by_sku(tx, [scan.code for scan in found])
    left = dict(kept)
    counts: dict[int, dict[Fate, int]] = {}
    for scan in found:
        product = known.get(scan.code)
        if product is None:
            raise UnknownGoods(f"No product has the code {scan.code}; nothing was taken in")
        missing = scan.quantity
        for line in lines:
            if line.product_id == product.product_id and missing and left.get(line.line_no, 0):
                taken = min(missing, left[line.line_no])
                left[line.line_no] -= taken
                missing -= taken
                fates = counts.setdefault(line.line_no, dict.fromkeys(Fate, 0))
                fates[scan.fate] += taken
        if missing:
            raise _not_bought(scan.code, lines, kept)
    return counts


async def _write_down(tx: Tx, one: GoodsReturn, counts: Mapping[int, Mapping[Fate, int]]) -> None:
    there = {
        line.line_no: line
        for line in (await queries.lines_of(tx, [one.return_id])).get(one.return_id, [])
    }
    for line_no, fates in counts.items():
        line = there.get(line_no) or GoodsReturnLine(return_id=one.return_id, line_no=line_no)
        line.restocked, line.scrapped = fates[Fate.RESTOCK], fates[Fate.SCRAP]
        tx.add(line)


async def _credit(tx: Tx, one: GoodsReturn, back: Mapping[int, int]) -> list[Invoice]:
    """Credit what came back on the invoices with which it left, the oldest first."""
    sent = await shipments.shipments_of(tx, [one.order_id])
    lines = await _locked_lines(tx, sent)
    left = dict(back)
    notes = []
    for shipment in sent:
        part: dict[int, int] = {}
        for line in lines.get(shipment.shipment_id, []):
            taken = min(left.get(line.line_no, 0), line.kept)
            if taken:
                part[line.line_no] = taken
                left[line.line_no] -= taken
                line.returned_quantity += taken
        if part:
            notes.append(await credit_lines(tx, shipment.invoice_id, part, reason=one.number))
    return notes


async def _locked_lines(tx: Tx, sent: Sequence[Shipment]) -> dict[UUID, list[ShipmentLine]]:
    await tx.execute(
        select(col(Shipment.shipment_id))
        .where(col(Shipment.shipment_id).in_([one.shipment_id for one in sent]))
        .order_by(col(Shipment.shipment_id))
        .with_for_update()
    )
    return await shipments.lines_of(tx, [one.shipment_id for one in sent])


def _check(chosen: Mapping[int, int], kept: Mapping[int, int], lines: Sequence[OrderLine]) -> None:
    if not chosen:
        raise NotBought("The customer has nothing of this order that could come back", kept={})
    by_no = {line.line_no: line.sku for line in lines}
    for line_no, quantity in chosen.items():
        if quantity > kept.get(line_no, 0):
            raise _not_bought(by_no.get(line_no, f"Line {line_no}"), lines, kept)


def _not_bought(what: str, lines: Sequence[OrderLine], kept: Mapping[int, int]) -> NotBought:
    have: dict[str, int] = {}
    for line in lines:
        have[line.sku] = have.get(line.sku, 0) + max(0, kept.get(line.line_no, 0))
    told = ", ".join(f"{quantity} × {sku}" for sku, quantity in sorted(have.items()))
    return NotBought(f"{what}: of this order the customer can send back {told}", kept=have)


def _part(lines: Sequence[OrderLine], quantities: Mapping[int, int]) -> list[OrderLine]:
    """Return lines of so many, at the price of the order."""
    return [line.part(quantities[line.line_no]) for line in lines if quantities.get(line.line_no)]


async def _tell(
    tx: Tx, kind: str, order: SalesOrder, lines: Sequence[OrderLine], facts: dict[str, str]
) -> None:
    language = language_of(await find_person(tx, order.person_id))
    shown = order_events.order_facts(order, lines, language)
    tx.stage(
        order_events.notices_requested(
            [order_events.notice(kind, order.person_id, {**shown, **facts})]
        )
    )
