"""Read returns."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.children import children_of
from orders_svc.orders.model import SalesOrder
from orders_svc.packing.queries import find_by_code
from orders_svc.returns.errors import ReturnNotFound
from orders_svc.returns.model import GoodsReturn, GoodsReturnLine, ReturnState
from orders_svc.returns.schemas import ReturnLineOut, ReturnOut


async def get_return(tx: ReadTx, return_id: UUID) -> GoodsReturn:
    """Return a return. Raises `ReturnNotFound`."""
    found = await tx.get(GoodsReturn, return_id)
    if found is None:
        raise ReturnNotFound(f"No return has the id {return_id}")
    return found


async def returns_of(tx: ReadTx, order_id: UUID) -> list[GoodsReturn]:
    """Return the returns of an order, in the sequence of their announcing."""
    rows = await tx.scalars(
        select(GoodsReturn)
        .where(col(GoodsReturn.order_id) == order_id)
        .order_by(col(GoodsReturn.return_id))
    )
    return list(rows)


async def lines_of(tx: ReadTx, return_ids: Iterable[UUID]) -> dict[UUID, list[GoodsReturnLine]]:
    """Return the lines of returns, by return."""
    return await children_of(
        tx,
        GoodsReturnLine,
        col(GoodsReturnLine.return_id),
        return_ids,
        by=col(GoodsReturnLine.line_no),
    )


async def show_returns(tx: ReadTx, returns: Sequence[GoodsReturn]) -> list[ReturnOut]:
    """Return returns with their lines."""
    lines = await lines_of(tx, [one.return_id for one in returns])
    shown = []
    for one in returns:
        out = ReturnOut.model_validate(one)
        out.lines = [ReturnLineOut.model_validate(line) for line in lines.get(one.return_id, [])]
        shown.append(out)
    return shown


async def list_returns(
    tx: ReadTx,
    *,
    state: ReturnState | None,
    order_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[GoodsReturn]:
    """Return a page of returns in the sequence of their announcing."""
    statement = select(GoodsReturn).order_by(col(GoodsReturn.return_id)).limit(limit)
    if state is not None:
        statement = statement.where(col(GoodsReturn.state) == state.value)
    if order_id is not None:
        statement = statement.where(col(GoodsReturn.order_id) == order_id)
    if after is not None:
        statement = statement.where(col(GoodsReturn.return_id) > after)
    return list(await tx.scalars(statement))


async def order_of_code(tx: ReadTx, code: str) -> UUID:
    """Return the order whose number, or whose parcel's number, was scanned. Raises `ReturnNotFound`."""
    order_id: UUID | None = await tx.scalar(
        select(col(SalesOrder.order_id)).where(col(SalesOrder.number) == code.strip())
    )
    if order_id is not None:
        return order_id
    parcel = await find_by_code(tx, code)
    if parcel is None:
        raise ReturnNotFound(
            f"code: neither an order nor a parcel has the number {code}; key in the number of the order from the invoice"
        )
    return parcel.order_id
