"""What leaves this slice: what messages showed of addresses."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from kantis_contracts.messaging import AddressOutcome, AddressReport, AddressReportedV1
from kantis_contracts.values import Channel


def addresses_reported(
    told: Iterable[tuple[UUID, UUID, UUID | None, str, AddressOutcome, datetime]],
    *,
    is_undone: bool = False,
) -> AddressReportedV1:
    """Say what happened at addresses: (report, person, message, channel, outcome, moment) each."""
    return AddressReportedV1(
        items=tuple(
            AddressReport(
                report_id=report_id,
                person_id=person_id,
                message_id=message_id,
                channel=Channel(channel),
                outcome=outcome,
                is_undone=is_undone,
                occurred_at=at,
            )
            for report_id, person_id, message_id, channel, outcome, at in told
        )
    )
