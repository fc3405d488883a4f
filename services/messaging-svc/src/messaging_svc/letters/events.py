"""What of letters leaves this service."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from kantis_contracts.messaging import LetterIdentified, LetterIdentifiedV1
from kantis_contracts.orders import PostReturned


def letters_identified(
    asked: Sequence[PostReturned], found: Mapping[str, Mapping[str, UUID | None]]
) -> LetterIdentifiedV1:
    """Say whose letters came back, by return mark; of those that nobody knows, that nobody does."""
    return LetterIdentifiedV1(
        items=tuple(
            LetterIdentified(return_id=one.return_id, **found.get(one.code, {})) for one in asked
        )
    )
