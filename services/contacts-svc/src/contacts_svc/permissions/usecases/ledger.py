"""Entries into the ledger, and what follows from them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Text, Uuid, case, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import Moment, table_of
from contacts_svc.national import refuse_national_numbers
from contacts_svc.people import queries as people
from contacts_svc.permissions import events, queries
from contacts_svc.permissions.errors import PermissionInvalid
from contacts_svc.permissions.model import (
    LedgerEntry,
    PermissionNow,
    Statement,
    WithdrawalSeen,
    allows,
)
from contacts_svc.permissions.schemas import PermissionIn
from contacts_svc.touched import Family, touch
from kantis_contracts.contacts import PermissionState
from kantis_contracts.messaging import Withdrawal
from kantis_contracts.values import Channel, Purpose
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

PREFERENCE_PAGE = "preference_page"
"""The source of withdrawals that were posted with the preference page."""

_LEDGER = (
    "id",
    "person_id",
    "channel",
    "purpose",
    "state",
    "version",
    "text_shown",
    "text_version",
    "source",
    "legal_basis",
    "evidence",
    "actor",
    "occurred_at",
    "recorded_at",
)


async def record(tx: Tx, statements: Sequence[Statement], *, only_new: bool = False) -> int:
    """Enter statements into the ledger and bring the state up to date; return how many were entered.

    With `only_new` a person, channel and purpose that has an entry already gets none: a list that somebody brings
    cannot overrule what the person said. Several statements about the same are entered one after the other.
    """
    entered = 0
    rest = list(statements)
    while rest:
        # A statement can touch a row once only: the second about the same waits for the next pass.
        first: dict[tuple[UUID, str, str], Statement] = {}
        later = []
        for one in rest:
            if one.key in first:
                later.append(one)
            else:
                first[one.key] = one
        entered += await _record_once(tx, [first[key] for key in sorted(first)], only_new=only_new)
        rest = [] if only_new else later
    return entered


async def _record_once(tx: Tx, statements: Sequence[Statement], *, only_new: bool) -> int:
    by_id = {new_id(): one for one in statements}
    said = column_set(
        "said",
        {
            "person_id": (Uuid(), [one.person_id for one in by_id.values()]),
            "channel": (Text(), [one.channel.value for one in by_id.values()]),
            "purpose": (Text(), [one.purpose.value for one in by_id.values()]),
            "state": (Text(), [one.state.value for one in by_id.values()]),
            "version": (BigInteger(), [1] * len(by_id)),
            "ledger_id": (Uuid(), list(by_id)),
            "legal_basis": (Text(), [one.legal_basis for one in by_id.values()]),
            "source": (Text(), [one.source for one in by_id.values()]),
            "occurred_at": (Moment, [one.occurred_at for one in by_id.values()]),
        },
    )
    table = table_of(PermissionNow)
    new = insert(table).from_select([column.name for column in said.c], select(*said.c))
    if only_new:
        new = new.on_conflict_do_nothing()
    else:
        # The rule is `next_state` in the model; a test compares the two.
        holds = (
            (new.excluded.occurred_at < table.c.occurred_at)
            | ((new.excluded.occurred_at == table.c.occurred_at) & (table.c.state == "withdrawn"))
            | ((new.excluded.state == "pending") & (table.c.state == "granted"))
        )
        kept = ("state", "legal_basis", "source", "occurred_at")
        new = new.on_conflict_do_update(
            index_elements=["person_id", "channel", "purpose"],
            set_={
                "version": table.c.version + 1,
                "ledger_id": new.excluded.ledger_id,
                **{name: case((holds, table.c[name]), else_=new.excluded[name]) for name in kept},
            },
        )
    rows = (await tx.execute(new.returning(*table.c))).all()
    states = [PermissionNow(**row._asdict()) for row in rows]
    await touch(tx, [now.person_id for now in states], Family.PERMISSION)
    await _write_ledger(tx, [(by_id[now.ledger_id], now) for now in states])
    tx.stage(events.permissions_changed(states))
    return len(states)


async def _write_ledger(tx: Tx, entries: Iterable[tuple[Statement, PermissionNow]]) -> None:
    recorded_at = tx.clock.now()
    rows = [
        (
            now.ledger_id,
            said.person_id,
            said.channel.value,
            said.purpose.value,
            said.state.value,
            now.version,
            said.text_shown,
            said.text_version,
            said.source,
            said.legal_basis,
            orjson.dumps(dict(said.evidence), default=str).decode(),
            tx.actor,
            said.occurred_at,
            recorded_at,
        )
        for said, now in entries
    ]
    if rows:
        await tx.copy(LedgerEntry.__tablename__, _LEDGER, rows)


async def record_by_hand(tx: Tx, person_id: UUID, body: PermissionIn) -> None:
    """Enter what a person said outside our pages.

    Raises:
        ContactUnknown: no such person.
        PermissionInvalid: a yes without the words it was given to, or one from the future.
    """
    await people.get_for_update(tx, person_id)
    if body.state is PermissionState.GRANTED and not body.text_shown:
        raise PermissionInvalid(
            "text_shown: a yes is proved by the words it was given to; write them down"
        )
    if body.state is PermissionState.GRANTED and body.legal_basis == "membership":
        raise PermissionInvalid(
            "legal_basis: club terms are a record of membership, never a consent; ask for a consent of its own"
        )
    occurred_at = body.occurred_at or tx.clock.now()
    if occurred_at > tx.clock.now():
        raise PermissionInvalid("occurred_at: this moment has not come yet")
    refuse_national_numbers(body.model_dump(include={"note", "source", "text_shown"}))
    evidence: Mapping[str, Any] = {"note": body.note} if body.note else {}
    statement = Statement(
        person_id,
        body.channel,
        body.purpose,
        body.state,
        body.source,
        occurred_at,
        body.text_shown,
        body.text_version,
        body.legal_basis,
        evidence,
    )
    await record(tx, [statement])


async def take_withdrawals(tx: Tx, items: Sequence[Withdrawal]) -> None:
    """Enter noes that are in force already where messages are sent; each once, in any order.

    A withdrawal without a purpose is one for every purpose. What a person has said on the preference page comes twice,
    with the page itself and from where messages are sent: what is a no already makes no second entry.
    """
    ids = sorted({item.withdrawal_id for item in items})
    rows = column_set("seen", {"withdrawal_id": (Uuid(), ids)})
    new = set(
        await tx.scalars(
            insert(table_of(WithdrawalSeen))
            .from_select(["withdrawal_id"], select(*rows.c))
            .on_conflict_do_nothing()
            .returning(col(WithdrawalSeen.withdrawal_id))
        )
    )
    statements: list[Statement] = []
    for item in items:
        if item.withdrawal_id not in new:
            continue
        new.discard(item.withdrawal_id)
        named = ("withdrawal_id", "message_id", "campaign_id", "cell_id")
        evidence = {name: str(getattr(item, name)) for name in named if getattr(item, name)}
        statements.extend(
            Statement(
                item.person_id,
                item.channel,
                purpose,
                PermissionState.WITHDRAWN,
                item.source,
                item.withdrawn_at,
                evidence=evidence,
            )
            for purpose in ([item.purpose] if item.purpose else list(Purpose))
        )
    await record(tx, await _unless_entered(tx, statements))


async def _unless_entered(tx: Tx, statements: Sequence[Statement]) -> list[Statement]:
    """Leave out what the preference page has entered, and what was a no before."""
    asked = sorted({one.person_id for one in statements if one.source == PREFERENCE_PAGE})
    noes = set()
    if asked:
        rows = await tx.scalars(
            select(PermissionNow).where(
                col(PermissionNow.person_id) == people.any_of(asked),
                col(PermissionNow.state) == PermissionState.WITHDRAWN.value,
            )
        )
        noes = {(row.person_id, row.channel, row.purpose) for row in rows}
    return [one for one in statements if one.source != PREFERENCE_PAGE or one.key not in noes]


async def set_preferences(
    tx: Tx,
    person_id: UUID,
    wanted: Mapping[tuple[Channel, Purpose], bool],
    *,
    before: Mapping[tuple[Channel, Purpose], bool] | None = None,
    text_shown: Mapping[tuple[Channel, Purpose], str],
    evidence: Mapping[str, Any],
    at: datetime,
) -> int:
    """Enter what a person has changed on their preference page; what stayed as it was makes no entry.

    `before` says which boxes were ticked when the page was shown: one that was ticked for them and is left so is no
    consent. Without it each box is taken for said.

    Raises:
        ContactUnknown: the person is gone.
    """
    await people.get_for_update(tx, person_id)
    now = {
        (one.channel, one.purpose): one.state
        for one in await queries.list_permissions(tx, person_id)
    }
    statements = []
    for key, yes in wanted.items():
        said = PermissionState.GRANTED if yes else PermissionState.WITHDRAWN
        is_left = yes == (allows(key[0], now.get(key)) if before is None else before.get(key))
        if is_left or said is now.get(key):
            continue
        statements.append(
            Statement(
                person_id,
                key[0],
                key[1],
                said,
                "preference page",
                at,
                text_shown.get(key, ""),
                evidence=evidence,
            )
        )
    return await record(tx, statements)
