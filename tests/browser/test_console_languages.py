"""Every page of the console can be read, by everybody and in every language."""

import pytest
from reading import read
from signing import sign_in

from gateway.console.pages.reports.company import HOUSE

pytestmark = [
    pytest.mark.timeout(300),  # the first test waits for the house and its demonstration
    pytest.mark.asyncio(loop_scope="session"),  # the browser's
]

PAGES = (
    "", "/contacts", "/imports", "/segments", "/segments/new", "/campaigns", "/programmes", "/desk", "/orders", "/inbox",
    "/templates", "/reports", "/keys", "/users", "/operations", "/sessions", "/duplicates", "/waves", "/invoices",
    "/invoices?state=all", "/payments", "/payments?state=booked", "/templates/new", "/programmes/new",
    "/programmes/new?from=after_the_purchase", "/funnels", "/saved-reports",
    *(f"/company-reports/{name}" for name in HOUSE), "/company-reports/cohorts?since=2001-01-01&until=2001-12-31",
)  # fmt: skip
PARTS = 3
"""Some thirty pages are a minute of a browser's time: parts of them can be read at once."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("language", ["nb", "sv", "da", "fi", "en"])
async def test_every_page_can_be_read_in_every_language(visitor, language, part):
    await sign_in(visitor, language=language)

    for path in PAGES[part::PARTS]:
        assert 200 == await visitor.goto(f"/console{path}")
        await read(visitor.page, language)
