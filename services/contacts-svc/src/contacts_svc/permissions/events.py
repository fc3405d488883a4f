"""Which facts about permissions leave the service."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from contacts_svc.permissions.model import PermissionNow, Preference
from kantis_contracts.contacts import (
    PermissionChangedV1,
    PermissionEntry,
    PermissionState,
    PreferenceCard,
    PreferenceChangedV1,
    SuppressionChangedV1,
    SuppressionEntry,
)
from kantis_contracts.values import Channel, Purpose

_TOLD = tuple(PermissionEntry.model_fields)
_SET, _LIFTED = 1, 2
"""A suppression is made once and lifted once; whoever suppresses again makes another."""


def permissions_changed(states: Sequence[PermissionNow]) -> PermissionChangedV1:
    """Say what these persons allow after the newest entries."""
    return PermissionChangedV1(
        items=tuple(
            PermissionEntry(
                person_id=now.person_id,
                channel=Channel(now.channel),
                purpose=Purpose(now.purpose),
                state=PermissionState(now.state),
                version=now.version,
                ledger_id=now.ledger_id,
                legal_basis=now.legal_basis,
                occurred_at=now.occurred_at,
            )
            for now in states
        )
    )


def preferences_changed(rows: Sequence[Preference]) -> PreferenceChangedV1:
    """Say how these persons want to be written to, all of it."""
    return PreferenceChangedV1(
        items=tuple(
            PreferenceCard(
                person_id=row.person_id,
                version=row.version,
                topics=row.topics,
                channels=tuple(Channel(one) for one in row.channels),
                hour_from=row.hour_from,
                hour_to=row.hour_to,
                days=tuple(row.days),
                per_month=row.per_month,
                paused_until=row.paused_until,
                changed_at=row.updated_at,
            )
            for row in rows
        )
    )


def suppressed(
    addresses: Mapping[UUID, tuple[str, str]], scope: str, scope_id: str, *, at: datetime
) -> SuppressionChangedV1:
    """Say that addresses, each under the id of its suppression, get nothing that advertises in a scope."""
    return SuppressionChangedV1(
        items=tuple(
            SuppressionEntry(
                suppression_id=suppression_id,
                version=_SET,
                kind=kind,
                address=address,
                scope=scope,
                scope_id=scope_id,
                changed_at=at,
            )
            for suppression_id, (kind, address) in addresses.items()
        )
    )


def lifted(
    suppression_id: UUID, kind: str, scope: str, scope_id: str, *, at: datetime
) -> SuppressionChangedV1:
    """Say that a suppression is gone; only the hash of its address is known here."""
    return SuppressionChangedV1(
        items=(
            SuppressionEntry(
                suppression_id=suppression_id,
                version=_LIFTED,
                kind=kind,
                scope=scope,
                scope_id=scope_id,
                is_lifted=True,
                changed_at=at,
            ),
        )
    )


def first_permission(state: Mapping[str, Any]) -> bytes:
    """Say, as JSON, what `permissions_changed` says of the row of a permission that was just made."""
    return orjson.dumps({name: state[name] for name in _TOLD}, option=orjson.OPT_UTC_Z)


def new_permission(
    person_id: str, channel: Channel, purpose: Purpose, ledger_id: str, at: str
) -> bytes:
    """Say, as JSON, that somebody of whom nothing was known has given a permission."""
    return orjson.dumps(
        {
            "person_id": person_id,
            "channel": channel.value,
            "purpose": purpose.value,
            "state": PermissionState.GRANTED.value,
            "version": 1,
            "ledger_id": ledger_id,
            "legal_basis": "consent",
            "occurred_at": at,
        }
    )
