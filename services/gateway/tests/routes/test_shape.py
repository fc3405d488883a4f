"""What is refused on the shape of a request alone, before a key is looked at or a service asked."""

import pytest

from gateway.routes.checks import check_shape
from gateway.routes.errors import (
    AddressTooLong,
    BadRequest,
    HeadersTooLarge,
    MethodRefused,
    WrongHost,
)


def scope(path="/v1/orders", *, raw=None, method="GET", headers=(), query=b""):
    return {
        "method": method,
        "path": path,
        "raw_path": path.encode() if raw is None else raw,
        "query_string": query,
        "headers": list(headers),
    }


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "PROPFIND", "__init__", ""])
def test_only_listed_methods_pass(method):
    with pytest.raises(MethodRefused):
        check_shape(scope(method=method))


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/v1/orders/../keys", None),
        ("/v1/./orders", None),
        ("//v1/orders", None),
        ("/v1//orders", None),
        ("/v1/orders/..", None),
        ("/v1/orders\\..\\keys", None),
        ("/v1/orders/a/b", b"/v1/orders/a%2fb"),
        ("/v1/orders/a\\b", b"/v1/orders/a%5Cb"),
        ("/v1/orders/\x00", b"/v1/orders/%00"),
        ("/v1/orders/\r\nX: y", b"/v1/orders/%0d%0aX:%20y"),
        ("/v1/orders/\ufffd", b"/v1/orders/%ff"),
        ("v1/orders", None),
        ("", None),
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_refused(path, raw):
    with pytest.raises(BadRequest):
        check_shape(scope(path, raw=raw))


def test_letters_of_our_languages_pass():
    check_shape(scope("/v1/orders/æøåäö", raw=b"/v1/orders/%C3%A6%C3%B8%C3%A5%C3%A4%C3%B6"))


def test_a_long_path_or_query_is_refused():
    with pytest.raises(AddressTooLong):
        check_shape(scope("/v1/orders/" + "a" * 2_048))
    with pytest.raises(AddressTooLong):
        check_shape(scope(query=b"a" * 8_193))


def test_many_or_large_headers_are_refused():
    with pytest.raises(HeadersTooLarge):
        check_shape(scope(headers=[(b"x-a", b"1")] * 101))
    with pytest.raises(HeadersTooLarge):
        check_shape(scope(headers=[(b"x-a", b"1" * 32_769)]))


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"3"), (b"content-length", b"4")],
        [(b"content-length", b"+3")],
        [(b"content-length", b"3, 4")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"")],
        [(b"transfer-encoding", b"chunked, identity")],
        [(b"transfer-encoding", b"gzip")],
        [(b"host", b"a"), (b"host", b"b")],
        [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")],
        [(b"x-a", b"1\r\nx-b: 2")],
        [(b"x-a", b"1\n2")],
        [(b"x-a", b"\x00")],
        [(b"x a", b"1")],
        [(b"", b"1")],
    ],
)
def test_headers_that_two_servers_could_read_differently_are_refused(headers):
    with pytest.raises(BadRequest):
        check_shape(scope(headers=headers))


def test_a_strange_host_is_refused_where_hosts_are_named():
    check_shape(scope(headers=[(b"host", b"Kantis.example:443")]), trusted_hosts=["kantis.example"])

    with pytest.raises(WrongHost):
        check_shape(scope(headers=[(b"host", b"evil.example")]), trusted_hosts=["kantis.example"])
    with pytest.raises(WrongHost):
        check_shape(scope(), trusted_hosts=["kantis.example"])
