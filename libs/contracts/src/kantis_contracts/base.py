"""What an event is: a past-tense fact about one to a thousand things."""

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

MAX_ITEMS = 1_000
MAX_BYTES = 256 * 1024

SERVICES = ("contacts", "campaign", "orders", "messaging", "analytics")
TYPE_PATTERN = re.compile(
    rf"^(?:{'|'.join(SERVICES)}|gateway|probe)\.[a-z][a-z_]*\.[a-z_]*(?:ed|en|wn|set|sent|paid|put)\.v[1-9][0-9]*$"
)


def _refuse_nul(text: str) -> str:
    if "\x00" in text:
        message = "a NUL character cannot be stored"
        raise ValueError(message)
    return text


Text = Annotated[str, AfterValidator(_refuse_nul)]
"""A string that PostgreSQL can store."""


class Contract(BaseModel):
    """Base of everything that travels: immutable, and tolerant of fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Item(Contract):
    """One thing that an event is about."""


class Event(Contract):
    """A fact about `items`; what all items share stands beside them.

    A subclass names its wire type with `type=`; the type, not the class name, is the identity.
    """

    type: ClassVar[str]
    items: tuple[Any, ...]

    def __init_subclass__(cls, *, type: str | None = None, **kwargs: Any) -> None:  # noqa: A002
        """Register the class under its wire type; refuse a type that breaks the naming rule."""
        super().__init_subclass__(**kwargs)
        if type is None:
            return
        if not TYPE_PATTERN.match(type):
            message = f"{type!r} is not <service>.<thing>.<past participle>.v<major>"
            raise TypeError(message)
        if type in REGISTRY:
            message = f"{type!r} is declared twice: {REGISTRY[type].__name__} and {cls.__name__}"
            raise TypeError(message)
        cls.type = type
        REGISTRY[type] = cls


REGISTRY: dict[str, type[Event]] = {}
"""Every event class by its wire type."""

Items = Field(json_schema_extra={"minItems": 1, "maxItems": MAX_ITEMS})
"""The bounds of `items` on the wire; a use case stages any number and the kit cuts."""


class Envelope(Contract):
    """What the broker carries: CloudEvents 1.0 attributes, our extensions, the payload as JSON.

    `id` is the event id (UUIDv7) on which consumers deduplicate; `source` is the producing service; `signature` is
    the producer's Ed25519 signature over `signed_bytes()`.
    """

    id: UUID
    type: str
    source: str
    subject: str | None = None
    occurred_at: AwareDatetime
    recorded_at: AwareDatetime
    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None
    signature: str = ""
    data: bytes = Field(max_length=2 * MAX_BYTES)

    @property
    def version(self) -> int:
        """The major version that the type ends with."""
        return int(self.type.rsplit(".v", 1)[1])

    def signed_bytes(self) -> bytes:
        """Return what the producer signs: every attribute that a consumer acts on, and the payload."""
        head = "\n".join(
            (
                str(self.id),
                self.type,
                self.source,
                self.subject or "",
                _stamp(self.occurred_at),
                str(self.correlation_id),
                str(self.causation_id or ""),
            )
        )
        return head.encode() + b"\n\n" + self.data


def _stamp(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1_000_000))
