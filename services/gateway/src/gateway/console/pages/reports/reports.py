"""Reports: campaigns side by side, and one with its plots."""

import orjson
from starlette.responses import Response

from gateway.console.page import Page, page
from gateway.console.pages.reports.company import HOUSE


@page("/console/reports", needs="analytics:read", area="reports")
async def reports(page: Page) -> Response:
    """Show what each campaign came to."""
    found = await page.api(
        "GET", "/v1/reports/campaigns", parameters={"cursor": page.query.get("cursor"), "limit": 50}
    )
    return page.show("reports/reports.html", reports=found, houses=HOUSE.values())


@page("/console/reports/{campaign_id}", needs="analytics:read", area="reports")
async def report(page: Page) -> Response:
    """Show what a campaign came to, by cell and by day."""
    one = await page.api("GET", f"/v1/reports/campaigns/{page.params['campaign_id']}")
    t = page.t
    cells = {
        "names": [cell["name"] for cell in one["cells"]],
        "series": [
            {
                "type": "bar",
                "name": t(f"reports.{name}"),
                "data": [cell[name] for cell in one["cells"]],
            }
            for name in ("responded", "ordered", "paid")
        ],
    }
    days = {
        "names": [day["day"] for day in one["days"]],
        "series": [
            {
                "type": "line",
                "name": t(f"reports.{name}"),
                "data": [day[name] for day in one["days"]],
            }
            for name in ("clicked", "responded", "ordered", "paid")
        ],
    }
    plots = {"cells": orjson.dumps(cells).decode(), "days": orjson.dumps(days).decode()}
    return page.show("reports/report.html", one=one, plots=plots)


@page("/console/reports/{campaign_id}/figures.csv", needs="analytics:read")
async def figures(page: Page) -> Response:
    """Return the figures as a file."""
    answer = await page.file(f"/v1/reports/campaigns/{page.params['campaign_id']}.csv")
    return page.download(answer, "report.csv")
