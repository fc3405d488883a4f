"""Payments over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from kantis_contracts.values import Currency
from kantis_kit import files as storage
from kantis_kit.auth.policy import needs
from kantis_kit.ids import new_id
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from kantis_kit.web.uploads import posted_file
from orders_svc.payments import queries, receiving, usecases
from orders_svc.payments.errors import FileRefused
from orders_svc.payments.model import FileState, PaymentState
from orders_svc.payments.schemas import (
    Candidate,
    CreditIn,
    FileOut,
    MatchIn,
    OriginalIn,
    PaymentIn,
    PaymentOut,
    RateIn,
    RateOut,
    RefundIn,
    ReverseIn,
)

Limit = Annotated[int, Query(ge=1, le=500)]
Money = Annotated[Currency, Path(description="Three capital letters, such as SEK")]

MAX_FILE_BYTES = 512 * 1024 * 1024
_KINDS = ("application/xml", "text/xml", "text/plain", "application/octet-stream")
_ASKED = f"Content-Type: one of {', '.join(_KINDS)} with the file as body, or multipart/form-data with a field file"

router = Router(prefix="/v1/payments", tags=["payments"])


@router.post("", policy=needs("orders:write"), status_code=201)
async def take_payment(body: PaymentIn, tx: Write) -> PaymentOut:
    """Book money that came in; what no invoice explains is held as unmatched."""
    return PaymentOut.model_validate(await usecases.take_payment(tx, body))


@router.get("", policy=needs("orders:read"))
async def list_payments(
    tx: Read,
    *,
    state: PaymentState | None = None,
    invoice_id: UUID | None = None,
    file_id: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[PaymentOut]:
    """Return payments in the sequence of their booking; `state=unmatched` lists those that need a person."""
    rows = await queries.list_payments(
        tx,
        state=state,
        invoice_id=invoice_id,
        file_id=file_id,
        after=id_after(cursor),
        limit=limit,
    )
    more = encode_cursor(rows[-1].payment_id) if len(rows) == limit else None
    return Page(items=[PaymentOut.model_validate(row) for row in rows], next_cursor=more)


@router.post(
    "/files",
    policy=needs("orders:write"),
    status_code=202,
    responses={200: {"model": FileOut, "description": "The file came before"}},
    max_body_size=MAX_FILE_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/xml": {"schema": {"type": "string", "format": "binary"}},
                "text/plain": {"schema": {"type": "string", "format": "binary"}},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                },
            },
        }
    },
)
async def take_file(request: Request, response: Response, tx: Write) -> FileOut:
    """Take a file of the bank's: camt.054 (.02, .08) or OCR-giro, up to 512 MiB.

    It is read and its sums are checked before anything is booked; then its entries are booked in the background. A file
    of more than 2 MiB is read in the background too: it is `reading` until then, and `refused` with the problem when it
    cannot be trusted. The same file again is answered (200) with what became of it.
    """
    file_id = new_id()
    path = receiving.path_of(tx, file_id)
    is_kept = False
    try:
        body = posted_file(request, _KINDS, missing=FileRefused, other=FileRefused(_ASKED))
        sha256 = await storage.store(path, body)
        # The first statement comes after the last byte: no transaction stands open while a slow caller sends.
        file, is_new = await receiving.take_file(tx, file_id, path, sha256)
        is_kept = is_new and file.state == FileState.READING
    finally:
        if not is_kept:
            await storage.forget(path)
    if not is_new:
        response.status_code = 200
    await tx.flush()
    response.headers["Location"] = f"/v1/payments/files/{file.file_id}"
    return await queries.get_file(tx, file.file_id)


@router.get("/files", policy=needs("orders:read"))
async def list_files(tx: Read, cursor: str | None = None, limit: Limit = 100) -> Page[FileOut]:
    """Return the bank's files in the sequence of their coming, with what their entries became."""
    rows = await queries.list_files(tx, after=id_after(cursor), limit=limit)
    more = encode_cursor(rows[-1].file_id) if len(rows) == limit else None
    return Page(items=[queries.show_file(row) for row in rows], next_cursor=more)


@router.get("/files/{file_id}", policy=needs("orders:read"))
async def get_file(file_id: UUID, tx: Read) -> FileOut:
    """Return a file of the bank's and what its entries became."""
    return await queries.get_file(tx, file_id)


@router.put("/exchange-rates/{base}/{quote}/{valid_from}", policy=needs("orders:write"))
async def put_rate(base: Money, quote: Money, valid_from: date, body: RateIn, tx: Write) -> RateOut:
    """Keep what one unit of a currency is worth in another, from a day on."""
    return RateOut.model_validate(await usecases.set_rate(tx, base, quote, valid_from, body.rate))


@router.get("/exchange-rates/{base}/{quote}", policy=needs("orders:read"))
async def list_rates(base: Money, quote: Money, tx: Read) -> list[RateOut]:
    """Return the rates between two currencies, the newest first."""
    return [RateOut.model_validate(one) for one in await queries.list_rates(tx, base, quote)]


@router.get("/{payment_id}", policy=needs("orders:read"))
async def get_payment(payment_id: UUID, tx: Read) -> PaymentOut:
    """Return a payment and what was done with it."""
    return PaymentOut.model_validate(await queries.get_payment(tx, payment_id))


@router.get("/{payment_id}/candidates", policy=needs("orders:read"))
async def list_candidates(payment_id: UUID, tx: Read) -> list[Candidate]:
    """Return open invoices that a held payment may be for, the likeliest first."""
    return await queries.find_candidates(tx, payment_id)


@router.post("/{payment_id}/match", policy=needs("orders:write"))
async def match_payment(payment_id: UUID, body: MatchIn, tx: Write) -> PaymentOut:
    """Book an unmatched payment on the invoice that it was meant for."""
    return PaymentOut.model_validate(
        await usecases.match_payment(tx, payment_id, body.reference, body.rate)
    )


@router.post("/{payment_id}/refund", policy=needs("orders:write"))
async def refund_payment(payment_id: UUID, body: RefundIn, tx: Write) -> PaymentOut:
    """Give money back that was held: it is owed to who paid it."""
    return PaymentOut.model_validate(await usecases.refund(tx, payment_id, body.reason))


@router.post("/{payment_id}/credit", policy=needs("orders:write"))
async def leave_as_credit(payment_id: UUID, body: CreditIn, tx: Write) -> PaymentOut:
    """Leave money that was held as a customer's credit."""
    return PaymentOut.model_validate(await usecases.leave_as_credit(tx, payment_id, body.person_id))


@router.post("/{payment_id}/reverse", policy=needs("orders:write"), status_code=201)
async def reverse_payment(payment_id: UUID, body: ReverseIn, tx: Write) -> PaymentOut:
    """Take back a payment that did not come after all; the answer is the reversal."""
    return PaymentOut.model_validate(await usecases.reverse_payment(tx, payment_id, body.reason))


@router.post("/{payment_id}/original", policy=needs("orders:write"))
async def name_original(payment_id: UUID, body: OriginalIn, tx: Write) -> PaymentOut:
    """Say which payment the bank took back by a reversal that was held."""
    return PaymentOut.model_validate(await usecases.name_original(tx, payment_id, body.payment_id))
