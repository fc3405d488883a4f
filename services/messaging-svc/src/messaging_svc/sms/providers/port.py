"""What every provider of text messages has in common: a request out of a message, and meaning out of what it says.

Adapters do no I/O: they write requests, read answers, and read what the provider posts to us.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote_plus
from uuid import UUID

import orjson

from messaging_svc.dispatch import carriers
from messaging_svc.sms.errors import NotUnderstood
from messaging_svc.sms.model import Received, Report, TextMessage

_TEMPORARY = frozenset({408, 425, 429, 503})
_SERVER_ERROR, _UNAVAILABLE, _ERROR = 500, 503, 400
_TOLD = 200


class Refused(carriers.Refused):
    """The provider said no to this message."""

    def __init__(self, text: str, *, is_permanent: bool) -> None:
        self.is_permanent = is_permanent
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a provider."""

    method: str
    url: str
    content: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Posted:
    """What a provider posts to us."""

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """A provider of text messages."""

    @property
    def name(self) -> str:
        """Name the provider as the settings do."""
        ...

    @property
    def repeats(self) -> bool:
        """Say whether it recognises a message that it gets twice, so that repeating costs nothing."""
        ...

    @property
    def url(self) -> str:
        """Return where messages are handed over."""
        ...

    def request(self, message: TextMessage) -> Request:
        """Return the request that hands a message over."""
        ...

    def accepted(self, status: int, body: bytes) -> str:
        """Return the provider's own id of a message that it took.

        Raises:
            Refused: it did not take it.
            Lost: it may have taken it.
        """
        ...

    def check(self, posted: Posted, *, now: datetime) -> None:
        """Make sure that the provider has posted this, lately.

        Raises:
            Unsigned: it has not.
        """
        ...

    def reports(self, posted: Posted, *, now: datetime) -> Sequence[Report]:
        """Read delivery reports."""
        ...

    def received(self, posted: Posted, *, now: datetime) -> Sequence[Received]:
        """Read messages that came in."""
        ...


def refuse(status: int, body: bytes) -> None:
    """Raise unless an answer is a yes.

    4xx is final but for time-outs and rates; 503 may pass; of the rest of 5xx nobody knows what was done before it.

    Raises:
        Refused: the message was not taken.
        Lost: it may have been.
    """
    if status < _ERROR:
        return
    told = " ".join(body[:_TOLD].decode("utf-8", errors="replace").split())
    told = f"{status} {told}".strip()
    if status >= _SERVER_ERROR and status != _UNAVAILABLE:
        raise carriers.Lost(told, is_unknown=True)
    raise Refused(told, is_permanent=status not in _TEMPORARY)


def id_in(body: bytes, name: str) -> str:
    """Return the provider's id of a message that it took; an answer that cannot be read is a yes all the same."""
    try:
        return text_of(object_of(body).get(name))
    except NotUnderstood:
        return ""


_QUOTED = {sign: quote_plus(bytes((sign,))) for sign in range(256)}


def form_of(fields: Mapping[str, str]) -> bytes:
    """Return a form as `urllib.parse.urlencode` writes it, which takes three times as long; names are plain words."""
    pairs = [
        f"{name}={value.encode().decode('latin-1').translate(_QUOTED)}"
        for name, value in fields.items()
    ]
    return "&".join(pairs).encode()


def fields_of(body: bytes) -> dict[str, str]:
    """Read a form.

    Raises:
        NotUnderstood: it is none.
    """
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise NotUnderstood("Send a form: application/x-www-form-urlencoded") from error
    return dict(pairs)


def object_of(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        NotUnderstood: it is none.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotUnderstood("Send a JSON object") from error
    if not isinstance(found, dict):
        raise NotUnderstood("Send a JSON object")
    return found


def text_of(value: object) -> str:
    """Return a value as text that can be stored; nothing for what is none."""
    return str(value).replace("\x00", "") if isinstance(value, str | int | float) else ""


def key_of(value: object) -> UUID | None:
    """Return our id of a message, or None for what was not sent by us."""
    try:
        return UUID(text_of(value))
    except ValueError:
        return None


def moment_of(value: object, *, now: datetime) -> datetime:
    """Return a moment, in UTC where it names no zone; now, where it cannot be read."""
    try:
        found = datetime.fromisoformat(text_of(value).strip())
    except ValueError:
        return now
    return found if found.tzinfo else found.replace(tzinfo=UTC)
