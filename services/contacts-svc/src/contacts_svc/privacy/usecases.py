"""The right to be forgotten."""

from uuid import UUID

from sqlalchemy import LargeBinary, Text, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col

from contacts_svc.base import Moment, row_set, table_of
from contacts_svc.fields import usecases as fields
from contacts_svc.intake import usecases as intake
from contacts_svc.organisations import usecases as organisations
from contacts_svc.people import queries as people_queries
from contacts_svc.people import usecases as people
from contacts_svc.people.model import PersonChange, SuppressedAddress
from contacts_svc.people.rules import address_hash
from contacts_svc.permissions import queries as permission_queries
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import Statement
from kantis_contracts.contacts import PermissionState
from kantis_kit.tx import Tx


async def erase(tx: Tx, person_id: UUID) -> None:
    """Forget a person, here and by event everywhere.

    What stays: the id, the permission ledger (it proves what was sent while they were known, and names nobody), and a
    keyed hash of each address, so that a list that somebody brings does not bring them back.

    Raises:
        ContactUnknown: never there, or erased already.

    Source: GDPR Art. 17 (erasure), Art. 7(1) (consent must be demonstrable).
    """
    person = await people_queries.get_for_update(tx, person_id)
    now = tx.clock.now()
    await _suppress(tx, person_id)
    withdrawn = [
        Statement(person_id, one.channel, one.purpose, PermissionState.WITHDRAWN, "erasure", now)
        for one in await permission_queries.list_permissions(tx, person_id)
        if one.state is not PermissionState.WITHDRAWN
    ]
    await permissions.record(tx, withdrawn)
    await permissions.forget_wishes(tx, person_id)
    await intake.forget_leads(tx, person_id)
    await organisations.forget_links(tx, [person_id])
    await fields.forget_values(tx, [person_id])
    await people.forget_addresses(tx, [person_id])
    await tx.execute(
        update(table_of(PersonChange))
        .where(col(PersonChange.person_id) == person_id)
        .values(changes=literal({}, JSONB()), reason="")
    )
    person.erase(at=now)
    await people.announce(tx, {person_id: person})


async def _suppress(tx: Tx, person_id: UUID) -> None:
    secret = people_queries.suppression_key(tx)
    held = (await people_queries.list_identifiers(tx, [person_id]))[person_id]
    # A phone that others have too is not suppressed: it would keep them out.
    hashes = sorted(
        (address_hash(secret, (one.kind, one.value)), one.kind)
        for one in held
        if one.is_identifying
    )
    rows = row_set(
        "erased",
        {
            "hash": (LargeBinary(), [one for one, _ in hashes]),
            "kind": (Text(), [kind for _, kind in hashes]),
        },
    )
    await tx.execute(
        insert(table_of(SuppressedAddress))
        .from_select(
            ["hash", "kind", "erased_at"], select(*rows.c, literal(tx.clock.now(), Moment))
        )
        .on_conflict_do_nothing()
    )
