"""How an envelope looks on the wire: CloudEvents 1.0 attributes as text, the payload beside them.

The extensions are those that CloudEvents documents (`recordedtime`, `correlationid`, `causationid`, `traceparent`) and
our `signature`. Both adapters use this one mapping; RabbitMQ carries it as `ce-` headers (binary mode).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import ValidationError

from kantis_contracts.base import Envelope

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"

_OPTIONAL = ("subject", "traceparent", "signature")
_REQUIRED = ("id", "type", "source", "time", "recordedtime", "correlationid")


class Unreadable(ValueError):
    """What lies in the queue is not an event that we can read; the text says why, without quoting it."""


def to_attributes(envelope: Envelope) -> dict[str, str]:
    """Return the CloudEvents attributes of an envelope; absent ones are left out."""
    attributes = {
        "specversion": SPEC_VERSION,
        "id": str(envelope.id),
        "type": envelope.type,
        "source": envelope.source,
        "time": _text(envelope.occurred_at),
        "recordedtime": _text(envelope.recorded_at),
        "correlationid": str(envelope.correlation_id),
    }
    if envelope.causation_id is not None:
        attributes["causationid"] = str(envelope.causation_id)
    for name in _OPTIONAL:
        value = getattr(envelope, name)
        if value:
            attributes[name] = value
    return attributes


def from_attributes(attributes: Mapping[str, object], data: bytes) -> Envelope:
    """Return the envelope that these attributes and this payload make.

    Raises:
        Unreadable: an attribute is missing or malformed.
    """
    if attributes.get("specversion") != SPEC_VERSION:
        message = (
            f"the attribute 'specversion' is not {SPEC_VERSION!r}: not a CloudEvent that we know"
        )
        raise Unreadable(message)
    missing = [name for name in _REQUIRED if not attributes.get(name)]
    if missing:
        message = f"missing CloudEvents attributes: {', '.join(missing)}"
        raise Unreadable(message)
    try:
        return Envelope.model_validate(
            {
                "id": attributes["id"],
                "type": attributes["type"],
                "source": attributes["source"],
                "occurred_at": attributes["time"],
                "recorded_at": attributes["recordedtime"],
                "correlation_id": attributes["correlationid"],
                "causation_id": attributes.get("causationid"),
                "subject": attributes.get("subject"),
                "traceparent": attributes.get("traceparent"),
                "signature": attributes.get("signature") or "",
                "data": data,
            }
        )
    except ValidationError as error:
        # Names and reasons only: the values may be personal data, and this text is shown and logged.
        reasons = [
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_input=False)
        ]
        raise Unreadable("; ".join(reasons)) from None


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
