"""What leaves the service about erasures."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from contacts_svc.privacy.model import ErasureRow
from kantis_contracts.contacts.privacy import (
    ErasureRequest,
    ErasureRequestedV1,
    RetentionChangedV1,
    RetentionPeriod,
)


def erasures_requested(
    rows: Iterable[ErasureRow], *, services: Sequence[str] = (), is_reminder: bool = False
) -> ErasureRequestedV1:
    """Ask the services to forget; those named, or everybody."""
    items = tuple(
        ErasureRequest(
            erasure_id=row.id,
            person_ids=tuple(map(UUID, row.person_ids)),
            requested_at=row.requested_at,
            salt=row.salt,
            address_hashes=tuple(row.address_hashes),
        )
        for row in rows
    )
    return ErasureRequestedV1(items=items, services=tuple(services), is_reminder=is_reminder)


def periods_decided(periods: Iterable[tuple[str, int, int]]) -> RetentionChangedV1:
    """Tell every service how long its kinds are kept."""
    return RetentionChangedV1(
        items=tuple(
            RetentionPeriod(kind=kind, days=days, version=version)
            for kind, days, version in periods
        )
    )
