"""What a visitor shows of itself: the first of each header, and the address that the gateway has seen."""

import pytest

from messaging_svc.tracking.visiting import visitor_of


@pytest.mark.parametrize(
    ("headers", "client", "address", "agent"),
    [
        ([(b"x-forwarded-for", b"10.0.0.1"), (b"user-agent", b"Caf\xe9")], ("::1", 1), "10.0.0.1", "Café"),
        ([(b"x-forwarded-for", b" 10.0.0.1 , 10.0.0.2")], ("::1", 1), "10.0.0.1", ""),
        ([(b"x-forwarded-for", b"10.0.0.1"), (b"x-forwarded-for", b"10.0.0.2")], None, "10.0.0.1", ""),
        ([(b"user-agent", b"a"), (b"user-agent", b"b")], ("::1", 1), "::1", "a"),
        ([(b"x-forwarded-for", b"")], ("::1", 1), "::1", ""),
        ([], None, "", ""),
    ],
)  # fmt: skip
def test_the_first_of_each_header_counts_and_the_peer_where_nobody_forwards(
    headers, client, address, agent
):
    found = visitor_of({"method": "GET", "headers": headers, "client": client})

    assert ("GET", address, agent) == (found.method, found.address, found.user_agent)
