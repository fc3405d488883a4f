"""What callers say about who they are has no effect."""

import ipaddress
import random

import pytest

from gateway.routes.checks import caller_address, is_in, passing_headers
from kantis_kit.networks import networks

SEED = 20_261_123
SPOOFED = {
    "X-User-Id": "1",
    "X-User": "root",
    "X_User_Id": "1",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "ftp",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=127.0.0.1;host=evil.example",
    "X-Real-IP": "127.0.0.1",
    "X-Original-URL": "/v1/keys",
    "X-HTTP-Method-Override": "DELETE",
    "X-Kantis-Received-At": "1999-01-01T00:00:00Z",
    "X-Auth-Roles": "administrator",
    "X-Remote-User": "root",
    "Via": "1.1 evil",
    "Host": "evil.example",
}


async def test_spoofed_headers_do_not_reach_the_service(world):
    key = await world.key("viewer")

    async with world.client(key) as client:
        answer = await client.get("/v1/contacts/echo", headers=SPOOFED)

    seen = {name.lower(): value for name, value in answer.json()["headers"]}
    assert not {"x-user-id", "x-user", "x_user_id", "forwarded", "via", "x-real-ip"} & seen.keys()
    assert not {name for name in seen if name.startswith(("x-kantis", "x-auth", "x-remote"))}
    assert not {"x-forwarded-host", "x-forwarded-prefix", "x-original-url"} & seen.keys()
    assert "x-http-method-override" not in seen
    assert ("192.0.2.1", "http") == (seen["x-forwarded-for"], seen["x-forwarded-proto"])
    assert "kantis.test" == seen["host"]


async def test_the_authorization_from_outside_is_replaced_and_on_public_pages_dropped(world):
    key = await world.key("viewer")

    async with world.client(key) as client:
        api = (await client.get("/v1/contacts/echo")).json()
        page = (await client.get("/f/newsletter")).json()

    told = dict(api["headers"])["authorization"]
    assert told.startswith("Bearer ey")
    assert key not in str(api)
    assert "authorization" not in dict(page["headers"])
    assert "anonymous" == page["caller"]


async def test_headers_of_the_connection_stay_on_the_connection(world):
    key = await world.key("viewer")
    hop = {
        "Connection": "keep-alive, X-Secret",
        "X-Secret": "1",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Proxy-Authorization": "Basic eDp5",
        "X-Kept": "1",
    }

    async with world.client(key) as client:
        seen = dict((await client.get("/v1/contacts/echo", headers=hop)).json()["headers"])

    assert "1" == seen["x-kept"]
    assert not {"x-secret", "keep-alive", "te", "proxy-authorization"} & seen.keys()


def test_names_that_the_connection_header_lists_are_dropped():
    headers = [(b"connection", b"close, X-One"), (b"x-one", b"1"), (b"x-two", b"2")]

    assert [(b"x-two", b"2")] == passing_headers(headers)


async def test_one_correlation_id_ties_answer_and_service_together(world):
    key = await world.key("viewer")
    ours = "01930000-0000-7000-8000-0000000000aa"

    async with world.client(key) as client:
        given = await client.get("/v1/contacts/echo", headers={"X-Correlation-Id": ours})
        bad = await client.get("/v1/contacts/echo", headers={"X-Correlation-Id": "1\x7f2"})

    assert (
        ours
        == given.headers["x-correlation-id"]
        == dict(given.json()["headers"])["x-correlation-id"]
    )
    assert bad.status_code == 200
    assert "1\x7f2" != bad.headers["x-correlation-id"]
    assert 1 == len(given.headers.get_list("x-correlation-id"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody we know: not believed
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        (
            "10.0.0.1",
            "1.2.3.4, 198.51.100.1",
            "198.51.100.1",
        ),  # the left end is the caller's own word
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_forwarded_addresses_count_only_from_our_own_proxies(peer, forwarded, expected):
    scope = {"client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}

    assert expected == caller_address(scope, networks(["10.0.0.0/8"]))


def test_mapped_addresses_are_read_as_what_they_are():
    loopback = networks(["127.0.0.0/8"])

    assert is_in("::ffff:127.0.0.1", loopback)
    assert not is_in("::ffff:192.0.2.1", loopback)
    assert not is_in("nonsense", loopback)


def test_an_address_is_looked_for_in_networks_as_the_library_would():
    rng = random.Random(SEED)
    among = networks(["10.0.0.0/8", "192.0.2.128/25", "127.0.0.1/32", "::1/128"])
    parts = ["0", "10", "127", "192", "2", "255", "256", "01", "1", "129", ""]

    for _ in range(3_000):
        address = ".".join(rng.choice(parts) for _ in range(rng.choice([4, 4, 4, 3])))
        try:
            known = any(ipaddress.ip_address(address) in one for one in among if one.version == 4)
        except ValueError:
            known = False
        assert known == is_in(address, among), f"seed {SEED}: {address}"


def test_the_cookie_of_the_console_stays_at_the_gateway():
    assert [] == passing_headers([(b"cookie", b"__Host-kantis=secret")])
