"""The response desk: register what people answer, and see to it that something happens.

A response, its order and the goods set aside for it are one transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, or_, tuple_, update
from sqlmodel import col, select

from kantis_contracts.orders import ResponseKind, ResponseWay
from kantis_kit.calendar import answer_due_at
from kantis_kit.db.aliases import resolve
from kantis_kit.db.sets import one_of
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.aliases import person_alias
from orders_svc.base import insert_all
from orders_svc.codes.queries import Resolved, find_codes
from orders_svc.codes.usecases import await_codes
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.usecases import forget_addresses
from orders_svc.people.errors import PersonUnknown
from orders_svc.people.queries import find_persons
from orders_svc.responses import events
from orders_svc.responses.errors import ResponseNotFound
from orders_svc.responses.model import (
    WORDLESS,
    NextStep,
    Response,
    ResponseState,
    beginning,
    settled_in,
)
from orders_svc.responses.placing import Registered, place, refuse_shortage, stored
from orders_svc.settings import OrdersSettings

_UNRESOLVED = Response(
    response_id=UUID(int=0),
    kind="",
    way="",
    state=ResponseState.UNRESOLVED.value,
    next_step=NextStep.RESOLVE_CODE.value,
    due_at=datetime.min.replace(tzinfo=UTC),
    responded_at=datetime.min.replace(tzinfo=UTC),
).model_dump()
"""Every column of a response, as it is while nobody knows whose it is."""


@dataclass(frozen=True, slots=True)
class ResponseDraft:
    """An answer that came in; `lines` are pairs of product and quantity."""

    kind: ResponseKind
    way: ResponseWay
    code: str | None = None
    person_id: UUID | None = None
    quantity: int = 1
    lines: tuple[tuple[UUID, int], ...] = ()
    address_correction: dict[str, Any] | None = None
    answers: tuple[dict[str, Any], ...] = ()
    note: str = ""
    again: bool = False
    keyed_by: str = ""
    entry_id: UUID | None = None
    file_id: UUID | None = None
    file_row: int | None = None
    source_key: str | None = None
    responded_at: datetime | None = None
    """When somebody answered, where that is told; now when it is not."""


async def register_responses(tx: Tx, drafts: Sequence[ResponseDraft]) -> list[Registered]:
    """Register answers, and place the orders among them; one result per draft.

    The same code and kind again gives the first response back, unless the draft says `again`; so does the same
    `source_key`. A code whose piece we have not been told of waits as unresolved. Goods that are short leave the
    response open as a back order.

    Raises:
        PersonUnknown: no card of the person is here, or the person has been erased.
    """
    entered = await _enter(tx, drafts)
    results = [
        (entered.placed.get(row["response_id"]) or Registered(tx.known(Response, row)))
        if row["response_id"] in entered.new
        else Registered(entered.first[_name(row)], is_new=False)
        for row in entered.rows
    ]
    await _find_orders(tx, [one for one in results if not one.is_new])
    return results


async def count_responses(
    tx: Tx, drafts: Sequence[ResponseDraft], *, known: Mapping[str, Resolved]
) -> int:
    """Register answers as `register_responses` does, and return only how many are new: for files of many rows.

    `known` are the codes that the caller has looked up in this transaction.
    """
    return len((await _enter(tx, drafts, known)).new) if drafts else 0


@dataclass(slots=True)
class _Entered:
    """Responses as they were written: their rows, which of them are new, and what was placed with those."""

    rows: list[dict[str, Any]]
    new: set[UUID]
    first: dict[tuple[str, ...], Response]
    """What the others had come before as."""
    placed: dict[UUID, Registered]


async def _enter(
    tx: Tx, drafts: Sequence[ResponseDraft], known: Mapping[str, Resolved] | None = None
) -> _Entered:
    looked_up = dict(known or {})
    missing = {draft.code for draft in drafts if draft.code} - looked_up.keys()
    codes = looked_up | (await _look_up(tx, sorted(missing)) if missing else {})
    rows = await _rows(tx, drafts, codes)
    new = set(
        await tx.scalars(
            insert_all(Response, rows).on_conflict_do_nothing().returning(col(Response.response_id))
        )
    )
    fresh = [row for row in rows if row["response_id"] in new and row["person_id"] is not None]
    # Only what orders something becomes an object: of many rows, objects are most of the work.
    placed = {
        row["response_id"]: Registered(tx.known(Response, row))
        for row in fresh
        if row["kind"] == ResponseKind.ORDER
    }
    await place(tx, list(placed.values()), codes)
    _tell(tx, fresh)
    first = await _first_ones(tx, [row for row in rows if row["response_id"] not in new])
    return _Entered(rows, new, first, placed)


async def _find_orders(tx: Tx, repeated: Sequence[Registered]) -> None:
    """Say of responses that had come before what was ordered with them."""
    ids = {one.response.order_id for one in repeated if one.response.order_id is not None}
    if not ids:
        return
    rows = await tx.scalars(
        select(SalesOrder).where(col(SalesOrder.order_id) == one_of(sorted(ids), Uuid()))
    )
    orders = {order.order_id: order for order in rows}
    for one in repeated:
        if one.response.order_id is not None:
            one.order = orders[one.response.order_id]


async def resolve_responses(tx: Tx, codes: Iterable[str]) -> None:
    """Give responses that were keyed before their pieces were known their person, and place their orders."""
    waiting = list(
        await tx.scalars(
            select(Response)
            .where(
                col(Response.state) == ResponseState.UNRESOLVED.value,
                col(Response.response_code).in_(set(codes)),
            )
            .order_by(col(Response.response_id))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )
    if not waiting:
        return
    known = await find_codes(tx, [one.response_code for one in waiting if one.response_code])
    persons = await find_persons(tx, [code.person_id for code in known.values()])
    found = []
    for response in waiting:
        resolved = known.get(response.response_code or "")
        if resolved is not None:
            response.person_id, response.merged_id = resolved.person_id, resolved.merged_id
            response.piece_id = resolved.piece_id
            response.campaign_id = resolved.campaign_id
            response.cell_id = resolved.cell_id
            person = persons.get(resolved.person_id)
            country = person.country if person else tx.settings(OrdersSettings).company_country
            response.come_from(country)
            if person is not None and person.is_erased:
                response.forget(at=tx.clock.now())
                continue
            response.begin(at=tx.clock.now())
            found.append(Registered(response))
    await place(tx, found, known)
    _tell(tx, [one.response.model_dump() for one in found])


def _tell(tx: Tx, responses: Sequence[Mapping[str, Any]]) -> None:
    tx.stage(events.responses_registered(responses), events.addresses_corrected(responses))


async def answer_response(tx: Tx, response_id: UUID, *, note: str) -> Response:
    """Note the answer that a person got.

    Raises:
        ResponseNotFound: no response has this id.
        AlreadyAnswered: it is answered, unresolved, or its order has yet to ship.
    """
    response = await _lock(tx, response_id)
    response.reply(at=tx.clock.now(), note=note)
    return response


async def answer_orders(tx: Tx, order_ids: Sequence[UUID]) -> None:
    """Note that the responses behind these orders are answered: they have shipped, or were called off."""
    await tx.execute(
        update(Response)
        .where(
            col(Response.order_id).in_(order_ids),
            col(Response.state) == ResponseState.OPEN.value,
        )
        .values(
            state=ResponseState.ANSWERED.value,
            next_step=NextStep.DONE.value,
            answered_at=tx.clock.now(),
        )
    )


async def forget_persons(tx: Tx, person_ids: Sequence[UUID]) -> None:
    """Empty what erased persons wrote; that they answered, and what they bought, stays."""
    # Orders before responses, as when an order ships: so the two never wait for each other in a circle.
    await forget_addresses(tx, person_ids)
    await tx.execute(
        update(Response).where(col(Response.person_id).in_(person_ids)).values(**WORDLESS)
    )


async def order_for_response(
    tx: Tx, response_id: UUID, lines: Sequence[tuple[UUID, int]]
) -> Registered:
    """Place the order of a response that waits for goods, or for somebody to choose them.

    Raises:
        ResponseNotFound: no response has this id.
        AlreadyAnswered: no order is to be placed for it.
        SoldOut: there is still too little; nothing has changed.
        Invalid: it is not known what is wanted.
    """
    response = await _lock(tx, response_id)
    response.must_lack_goods()
    if lines:
        response.lines = stored(lines)
    codes = await find_codes(tx, [response.response_code] if response.response_code else [])
    registered = Registered(response)
    await place(tx, [registered], codes)
    refuse_shortage(registered)
    if registered.order is None:
        raise Invalid("lines: the piece offered no product, so say which goods are wanted")
    return registered


async def order_for_waiting(tx: Tx, response_ids: Sequence[UUID]) -> int:
    """Place the orders of answers that wait for goods, in this sequence; return how many have one now."""
    if not response_ids:
        return 0
    rows = await tx.scalars(
        select(Response)
        .where(
            col(Response.response_id).in_(response_ids),
            col(Response.next_step) == NextStep.BACK_ORDER.value,
        )
        .order_by(col(Response.response_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = {response.response_id: Registered(response) for response in rows}
    waiting = [found[one] for one in response_ids if one in found]
    codes = await find_codes(
        tx, [one.response.response_code for one in waiting if one.response.response_code]
    )
    await place(tx, waiting, codes)
    return sum(one.order is not None for one in waiting)


async def _look_up(tx: Tx, codes: list[str]) -> dict[str, Resolved]:
    known = await find_codes(tx, codes)
    missing = set(codes) - set(known)
    if missing:
        await await_codes(tx, missing)
        known |= await find_codes(tx, missing)
    return known


async def _rows(
    tx: Tx, drafts: Sequence[ResponseDraft], codes: dict[str, Resolved]
) -> list[dict[str, Any]]:
    now = tx.clock.now()
    resolved = [codes.get(draft.code) if draft.code else None for draft in drafts]
    leads = await resolve(tx, person_alias, [draft.person_id for draft in drafts])
    who = [_who(draft, code, leads) for draft, code in zip(drafts, resolved, strict=True)]
    persons = await find_persons(tx, [one for one, _ in who if one])
    company_country = tx.settings(OrdersSettings).company_country
    due: dict[tuple[datetime, str], datetime] = {}
    rows = []
    for draft, code, (person_id, merged_id) in zip(drafts, resolved, who, strict=True):
        person = persons.get(person_id) if person_id else None
        if (draft.person_id and person is None) or (person and person.is_erased):
            raise PersonUnknown(f"There is no card of the person {person_id} here")
        country = person.country if person else company_country
        came = (draft.responded_at or now, country)
        if came not in due:
            due[came] = answer_due_at(*came)
        rows.append(
            {
                **_UNRESOLVED,
                **(beginning(draft.kind, at=now) if person_id is not None else {}),
                "response_id": new_id(),
                "kind": draft.kind.value,
                "way": draft.way.value,
                "response_code": draft.code,
                "person_id": person_id,
                "merged_id": merged_id,
                "piece_id": code.piece_id if code else None,
                "campaign_id": code.campaign_id if code else None,
                "cell_id": code.cell_id if code else None,
                "due_at": due[came],
                "responded_at": came[0],
                "quantity": draft.quantity,
                "lines": stored(draft.lines),
                # Whose country an address is in is not known before its person is.
                "address_correction": settled_in(draft.address_correction, country)
                if person_id
                else draft.address_correction,
                "answers": list(draft.answers),
                "note": draft.note,
                "is_repeat": draft.again,
                "keyed_by": draft.keyed_by or tx.actor,
                "entry_id": draft.entry_id,
                "file_id": draft.file_id,
                "file_row": draft.file_row,
                "source_key": draft.source_key,
            }
        )
    return rows


def _who(
    draft: ResponseDraft, code: Resolved | None, leads: Mapping[UUID, UUID]
) -> tuple[UUID | None, UUID | None]:
    """Return who answers, and under which id when that was merged."""
    if draft.person_id is not None and draft.person_id in leads:
        return leads[draft.person_id], draft.person_id
    if draft.person_id or code is None:
        return draft.person_id, None
    return code.person_id, code.merged_id


def _name(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return by what a response is known to have come before."""
    key = row["source_key"]
    return (key,) if key is not None else (row["response_code"] or "", row["kind"])


async def _first_ones(tx: Tx, refused: Sequence[dict[str, Any]]) -> dict[tuple[str, ...], Response]:
    if not refused:
        return {}
    names = {_name(row) for row in refused}
    rows = await tx.scalars(
        select(Response).where(
            or_(
                tuple_(col(Response.response_code), col(Response.kind)).in_(
                    [name for name in names if len(name) > 1]
                )
                & ~col(Response.is_repeat),
                col(Response.source_key).in_([name[0] for name in names if len(name) == 1]),
            )
        )
    )
    return {
        _name(one.model_dump(include={"source_key", "response_code", "kind"})): one for one in rows
    }


async def _lock(tx: Tx, response_id: UUID) -> Response:
    response: Response | None = await tx.scalar(
        select(Response)
        .where(col(Response.response_id) == response_id)
        .with_for_update(key_share=True)
    )
    if response is None:
        raise ResponseNotFound(f"No response has the id {response_id}")
    return response
