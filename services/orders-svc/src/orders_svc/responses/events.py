"""What of a response leaves this service."""

from collections.abc import Iterable, Mapping
from typing import Any

from kantis_contracts.orders import (
    AddressCorrected,
    AddressCorrectedV1,
    QuestionAnswer,
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)


def responses_registered(responses: Iterable[Mapping[str, Any]]) -> ResponseRegisteredV1:
    """Say that responses have been registered, now that it is known whose they are."""
    return ResponseRegisteredV1(
        items=tuple(
            ResponseRegistered(
                response_id=response["response_id"],
                kind=ResponseKind(response["kind"]),
                way=ResponseWay(response["way"]),
                response_code=response["response_code"] or "",
                piece_id=response["piece_id"],
                person_id=response["person_id"],
                campaign_id=response["campaign_id"],
                cell_id=response["cell_id"],
                responded_at=response["responded_at"],
                answers=tuple(QuestionAnswer(**one) for one in response["answers"]),
            )
            for response in responses
        )
    )


def addresses_corrected(responses: Iterable[Mapping[str, Any]]) -> AddressCorrectedV1:
    """Say where people want post to go, as they wrote with their answers."""
    return AddressCorrectedV1(
        items=tuple(
            AddressCorrected(
                response_id=response["response_id"],
                person_id=response["person_id"],
                **response["address_correction"],
                corrected_at=response["responded_at"],
            )
            for response in responses
            if response["person_id"] and response["address_correction"]
        )
    )
