"""What leaves the service about erasures."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from kantis_contracts.contacts.privacy import ErasureRequest
from kantis_contracts.orders import OrdersDossierAnsweredV1, OrdersErasureCompletedV1
from kantis_contracts.privacy import DossierPart, ErasureReceipt, Kept
from kantis_kit.forgetting import Done


def completed(
    done: Iterable[Done[ErasureRequest]], reasons: Mapping[str, str], *, at: datetime
) -> OrdersErasureCompletedV1:
    """Say what was forgotten, and what stays and why."""
    return OrdersErasureCompletedV1(
        items=tuple(
            ErasureReceipt(
                erasure_id=one.request.erasure_id,
                removed=one.removed,
                kept=tuple(
                    Kept(kind=kind, rows=rows, reason=reasons[kind])
                    for kind, rows in one.kept.items()
                ),
                done_at=at,
            )
            for one in done
        )
    )


def answered(dossier_id: UUID, parts: Sequence[str], *, at: datetime) -> OrdersDossierAnsweredV1:
    """Tell what is held of a person."""
    return OrdersDossierAnsweredV1(
        items=tuple(
            DossierPart(
                dossier_id=dossier_id,
                part=number,
                parts=len(parts),
                content=content,
                answered_at=at,
            )
            for number, content in enumerate(parts, start=1)
        )
    )
