"""What short ways share: they read what is small and plain, and pass on everything else as it came."""

import pytest

from kantis_kit.auth.principal import Principal
from kantis_kit.errors import Unauthenticated
from kantis_kit.web.short import again, caller_of, json_headers, read_small

JSON = (b"content-type", b"Application/JSON; charset=utf-8")


class Verifier:
    def verify(self, token):
        if token != "good":
            raise Unauthenticated
        return Principal("shop", "shop", frozenset({"orders:write"}))


@pytest.mark.parametrize(
    ("given", "is_read"),
    [
        ([JSON, (b"accept", b"a"), (b"accept", b"b")], True),
        ([(b"content-type", b"text/plain")], False),
        ([], False),
        ([JSON, JSON], False),
        ([JSON, (b"authorization", b"a"), (b"authorization", b"b")], False),
        ([JSON, (b"idempotency-key", b"a"), (b"idempotency-key", b"b")], False),
    ],
)
def test_only_json_is_read_whose_headers_say_one_thing(given, is_read):
    assert is_read == (json_headers(given) is not None)


@pytest.mark.parametrize(
    ("given", "needed", "caller"),
    [
        (b"Bearer good", "orders:write", "shop"),
        (b"Bearer good", "books:read", None),
        (b"Bearer bad", "orders:write", None),
        (b"Basic good", "orders:write", None),
        (b"", "orders:write", None),
    ],
)
def test_a_caller_is_known_who_may(given, needed, caller):
    found = caller_of({b"authorization": given}, Verifier(), needed)

    assert caller == (found and found.id)


def part(body, *, more):
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        ([part(b"ab", more=True), part(b"", more=False)], b"ab"),
        ([part(b"abcd", more=False)], b"abcd"),
        ([part(b"abcde", more=False)], None),
        ([part(b"abc", more=True), part(b"de", more=True), part(b"f", more=False)], None),
        ([part(b"ab", more=True), {"type": "http.disconnect"}], None),
    ],
)
async def test_a_small_body_is_read_and_every_one_is_passed_on_whole(messages, body):
    waiting = iter(messages)

    async def receive():
        return next(waiting)

    read, found = await read_small(receive, 4)
    replayed = again(read, receive)

    assert body == found
    assert messages == [await replayed() for _ in messages]
