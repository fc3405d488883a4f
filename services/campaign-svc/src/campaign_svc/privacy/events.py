"""What leaves the service about erasures."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from kantis_contracts.campaign import CampaignErasureCompletedV1
from kantis_contracts.contacts.privacy import ErasureRequest
from kantis_contracts.privacy import ErasureReceipt, Kept
from kantis_kit.forgetting import Done


def completed(
    done: Iterable[Done[ErasureRequest]], reasons: Mapping[str, str], *, at: datetime
) -> CampaignErasureCompletedV1:
    """Say what was forgotten, and what stays and why."""
    return CampaignErasureCompletedV1(
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
