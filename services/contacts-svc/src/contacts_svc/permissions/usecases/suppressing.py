"""Addresses that must not be written to, by scope."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import LargeBinary, Text, Uuid, delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.people import queries as people
from contacts_svc.people.model import Identifier
from contacts_svc.permissions import events, queries
from contacts_svc.permissions.errors import PermissionInvalid, SuppressionUnknown
from contacts_svc.permissions.hashes import identity, keyed_hash
from contacts_svc.permissions.model import Scope, Statement, Suppression, Topic
from contacts_svc.permissions.schemas import SuppressionIn
from contacts_svc.permissions.usecases.ledger import record
from contacts_svc.touched import Family, touch
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, Purpose
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

Key = tuple[str, str]


async def suppress_contact(tx: Tx, contact_id: UUID, body: SuppressionIn) -> None:
    """Suppress the addresses of a contact in a scope; a phone that others have too only when there is nothing else.

    Raises:
        ContactUnknown: no such contact.
        PermissionInvalid: no such topic.
    """
    await people.get_for_update(tx, contact_id)
    held = (await people.list_identifiers(tx, [contact_id]))[contact_id]
    own = [one for one in held if one.is_identifying] or held
    await _suppress(tx, [(one.kind, one.value) for one in own], [contact_id], body)


async def suppress_address(tx: Tx, key: Key, body: SuppressionIn) -> None:
    """Suppress an address in a scope, whether or not anybody is known by it. Raises `PermissionInvalid`."""
    owners = await tx.scalars(
        select(col(Identifier.person_id))
        .where(col(Identifier.kind) == key[0], col(Identifier.value) == key[1])
        .order_by(col(Identifier.person_id))
    )
    await _suppress(tx, [key], list(owners), body)


async def _suppress(
    tx: Tx, keys: Sequence[Key], owners: Sequence[UUID], body: SuppressionIn
) -> None:
    if body.scope is Scope.TOPIC and await tx.get(Topic, body.scope_id) is None:
        raise PermissionInvalid(
            f"scope_id: there is no topic {body.scope_id}; GET /v1/topics lists them"
        )
    secret = people.suppression_key(tx)
    named = {new_id(): key for key in keys}
    rows = column_set(
        "kept",
        {
            "id": (Uuid(), list(named)),
            "hash": (LargeBinary(), [keyed_hash(secret, identity(*key)) for key in keys]),
            "kind": (Text(), [kind for kind, _ in keys]),
        },
    )
    new = await tx.scalars(
        insert(table_of(Suppression))
        .from_select(
            ["id", "hash", "kind", "scope", "scope_id", "reason", "actor", "at"],
            select(
                *rows.c,
                literal(body.scope.value),
                literal(body.scope_id),
                literal(body.reason),
                literal(tx.actor),
                literal(tx.clock.now(), Moment),
            ),
        )
        .on_conflict_do_nothing()
        .returning(col(Suppression.id))
    )
    told = {one: named[one] for one in new}
    if told:
        tx.stage(events.suppressed(told, body.scope.value, body.scope_id, at=tx.clock.now()))
    await _withdraw(tx, owners, body)
    await touch(tx, owners, Family.PERMISSION)


async def _withdraw(tx: Tx, owners: Sequence[UUID], body: SuppressionIn) -> None:
    """Enter noes for what a suppression covers, so that it holds where messages are sent, too."""
    if body.scope is Scope.EVERYTHING:
        channels = list(Channel)
    elif body.scope is Scope.CHANNEL:
        channels = [Channel(body.scope_id)]
    else:
        return
    now = tx.clock.now()
    statements = []
    for owner in owners:
        refused = {
            (one.channel, one.purpose)
            for one in await queries.list_permissions(tx, owner)
            if one.state is PermissionState.WITHDRAWN
        }
        statements += [
            Statement(
                owner,
                channel,
                purpose,
                PermissionState.WITHDRAWN,
                "suppression",
                now,
                evidence={"scope": body.scope.value, "reason": body.reason},
            )
            for channel in channels
            for purpose in Purpose
            if (channel, purpose) not in refused
        ]
    await record(tx, statements)


async def lift(tx: Tx, suppression_id: UUID, *, owner: UUID | None = None) -> None:
    """Take a suppression away; the noes in the ledger stay until the person says yes again.

    Raises:
        ContactUnknown: there is no such owner.
        SuppressionUnknown: never there, gone, or not of this owner.
    """
    wanted = delete(table_of(Suppression)).where(col(Suppression.id) == suppression_id)
    if owner is not None:
        await people.get_for_update(tx, owner)
        if suppression_id not in {one.id for one in await queries.list_suppressions(tx, owner)}:
            raise SuppressionUnknown
        await touch(tx, [owner], Family.PERMISSION)
    gone = plain(
        await tx.execute(
            wanted.returning(
                col(Suppression.kind), col(Suppression.scope), col(Suppression.scope_id)
            )
        )
    )
    if not gone:
        raise SuppressionUnknown
    tx.stage(events.lifted(suppression_id, *gone[0], at=tx.clock.now()))
