"""What short ways in front of an API share: who calls, and the request as it came for whom they pass it on to."""

from collections.abc import Iterable

from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import TokenVerifier
from kantis_kit.errors import AppError
from kantis_kit.web.middleware import Message, Receive

_BEARER = b"bearer "
_ONCE = (b"authorization", b"content-type", b"idempotency-key")


def json_headers(given: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """Return the headers of a request with a JSON body; None for another body, and when one came twice that counts."""
    headers = list(given)
    found = dict(headers)
    if len(found) < len(headers):
        names = [name for name, _ in headers]
        if any(names.count(name) > 1 for name in _ONCE):
            return None
    kind = found.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return found if kind == b"application/json" else None


def caller_of(
    headers: dict[bytes, bytes], verifier: TokenVerifier, needed: str
) -> Principal | None:
    """Return who calls when they have the scope that is needed; who has not is refused by the API, in its words."""
    given = headers.get(b"authorization", b"")
    if given[: len(_BEARER)].lower() != _BEARER:
        return None
    try:
        caller = verifier.verify(given[len(_BEARER) :].decode("latin-1"))
    except AppError:
        return None
    return caller if caller.may(needed) else None


async def read_small(receive: Receive, most_bytes: int) -> tuple[list[Message], bytes | None]:
    """Read a small body; None when it is larger, or its sender has left. What was read comes with it, to be passed on."""
    messages: list[Message] = []
    size = 0
    while size <= most_bytes:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            return messages, None
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            whole = b"".join(one.get("body", b"") for one in messages)
            return messages, whole if size <= most_bytes else None
    return messages, None


def again(messages: Iterable[Message], receive: Receive) -> Receive:
    """Return what gives these messages once more, then whatever follows."""
    waiting = iter(messages)

    async def give() -> Message:
        for message in waiting:
            return message
        return await receive()

    return give
