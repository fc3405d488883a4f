"""The ledger over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import StreamingResponse

from kantis_contracts.values import Currency
from kantis_kit.auth.policy import needs
from kantis_kit.calendar import date_in
from kantis_kit.errors import Invalid
from kantis_kit.web import Read, Router, Write
from kantis_kit.web.downloads import spooled
from orders_svc.billing.ledger import queries, usecases
from orders_svc.billing.ledger.schemas import (
    LedgerBalance,
    LockIn,
    LockOut,
    LocksOut,
    TrialBalance,
    VouchersOut,
)
from orders_svc.billing.ledger.sie import ENCODING, sie_lines
from orders_svc.settings import OrdersSettings

router = Router(prefix="/v1/ledger", tags=["ledger"])


@router.get("/balance", policy=needs("orders:read"))
async def show_balance(tx: Read) -> LedgerBalance:
    """Return the sum of every account and currency; together they are nothing."""
    return await queries.ledger_balance(tx)


@router.get("/trial-balance", policy=needs("orders:read"))
async def show_trial_balance(tx: Read, first_on: date, last_on: date) -> TrialBalance:
    """Return what each account held before a period, what moved in it, and what it held then."""
    _check_period(first_on, last_on)
    return await queries.trial_balance(tx, first_on, last_on)


@router.get("/vouchers", policy=needs("orders:read"))
async def list_vouchers(tx: Read, invoice_id: UUID) -> VouchersOut:
    """Return what was booked about an invoice: its issue, payments, credit notes, fees and what else touched it."""
    return VouchersOut(items=await queries.vouchers_of(tx, invoice_id))


@router.get("/locks", policy=needs("orders:read"))
async def list_locks(tx: Read) -> LocksOut:
    """Return until which day the ledger is locked, and who locked it when."""
    locks = await queries.list_locks(tx)
    return LocksOut(items=[LockOut.model_validate(lock) for lock in locks])


@router.post("/locks", policy=needs("orders:write"), status_code=201)
async def lock_period(body: LockIn, tx: Write) -> LockOut:
    """Lock the ledger until a day: what belongs before is booked in the open period from now on, for good."""
    lock = await usecases.lock_period(tx, body.locked_until, reason=body.reason)
    return LockOut.model_validate(lock)


@router.get(
    "/sie",
    policy=needs("orders:read"),
    response_class=StreamingResponse,
    responses={200: {"content": {"text/plain": {}}, "description": "A SIE file of type 4"}},
)
async def export_sie(
    tx: Read, first_on: date, last_on: date, currency: Annotated[Currency, Query()] = "NOK"
) -> StreamingResponse:
    """Return what was booked in a period in a currency as a SIE 4 file, streamed."""
    _check_period(first_on, last_on)
    settings = tx.settings(OrdersSettings)
    lines = sie_lines(
        settings,
        await queries.trial_balance(tx, first_on, last_on),
        queries.vouchers(tx, first_on, last_on, currency),
        currency=currency,
        made_on=date_in(tx.clock.now(), settings.company_country),
    )
    return await spooled(
        lines,
        media_type=f"text/plain; charset={ENCODING}",
        filename=f"ledger-{first_on}-{last_on}-{currency}.se",
    )


def _check_period(first_on: date, last_on: date) -> None:
    if first_on > last_on:
        raise Invalid(f"first_on: {first_on} comes after last_on, {last_on}")
