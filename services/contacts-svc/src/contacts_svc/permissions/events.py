"""Which facts about permissions leave the service."""

from collections.abc import Sequence

from contacts_svc.permissions.model import PermissionNow
from kantis_contracts.contacts import PermissionChangedV1, PermissionEntry, PermissionState
from kantis_contracts.values import Channel, Purpose


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
