"""What leaves this slice: text messages that arrived."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from kantis_contracts.messaging import AddressOutcome, AddressReport, AddressReportedV1
from kantis_contracts.values import Channel


def arrived(told: Iterable[tuple[UUID, UUID, datetime]]) -> AddressReportedV1:
    """Say that text messages have arrived, each as (message, person, moment)."""
    return AddressReportedV1(
        items=tuple(
            AddressReport(
                report_id=message_id,
                person_id=person_id,
                message_id=message_id,
                channel=Channel.SMS,
                outcome=AddressOutcome.DELIVERED,
                occurred_at=at,
            )
            for message_id, person_id, at in told
        )
    )
