"""One module knows which service answers which path."""

import pytest

from gateway.routes.table import Route, RouteTable


@pytest.mark.parametrize(
    ("path", "service", "needs_key"),
    [
        ("/v1/contacts", "contacts", True),
        ("/v1/contacts/1/permissions", "contacts", True),
        ("/v1/imports", "contacts", True),
        ("/v1/campaigns/7/launch", "campaign", True),
        ("/v1/orders", "orders", True),
        ("/v1/ledger/accounts", "orders", True),
        ("/v1/messages/1/why", "messaging", True),
        ("/v1/reports/campaigns", "analytics", True),
        ("/v1/reports/shared/token", "analytics", False),
        ("/v1/keys", "gateway", True),
        ("/v1/operations/orders/parked", "orders", True),
        ("/v1/operations/orders/sagas/resume", "orders", True),
        ("/v1/operations/gateway/audit", "gateway", True),
        ("/f/newsletter", "contacts", False),
        ("/p/token", "contacts", False),
        ("/u/token", "messaging", False),
        ("/c/token", "messaging", False),
        ("/o/token", "messaging", False),
        ("/r/CODE", "orders", False),
        ("/i/TOKEN/pdf", "orders", False),
    ],
)
def test_a_path_belongs_to_one_service(path, service, needs_key):
    route = RouteTable().find(path)

    assert route is not None
    assert (service, needs_key) == (route.service, route.needs_key)


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/contactsx", "/fx/a", "/v1/operations", "/V1/contacts", ""]
)
def test_a_path_that_only_looks_like_ours_belongs_to_nobody(path):
    assert RouteTable().find(path) is None


def test_of_the_paths_below_v1_signed_report_links_alone_need_no_key():
    open_ones = [r.prefix for r in RouteTable() if r.prefix.startswith("/v1/") and not r.needs_key]

    assert ["/v1/reports/shared"] == open_ones


def test_files_alone_may_be_large():
    large = {route.prefix: route.max_body_bytes for route in RouteTable() if route.is_long}

    assert {
        "/v1/imports": 1024 * 2**20,
        "/v1/registers": 100 * 2**20,
        "/v1/calls": 10 * 2**20,
        "/v1/bounces": 30 * 2**20,
        "/v1/conversations/mails": 30 * 2**20,
        "/v1/dunning/agency-reports": 30 * 2**20,
        "/v1/payments/files": 512 * 2**20,
        "/v1/postal-returns/files": 30 * 2**20,
        "/v1/response-files": 1024 * 2**20,
    } == large


@pytest.mark.parametrize("prefix", ["mailbox", "/", "/a//b", "/v1/a/b/c", "/v1/orders"])
def test_a_prefix_that_is_malformed_or_taken_is_refused(prefix):
    with pytest.raises(ValueError, match=r"prefix|belongs"):
        RouteTable([Route(prefix, "mailbox")])
