"""Operations: what is parked and in doubt, and letting it go again."""

import asyncio

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page
from gateway.routes.table import SERVICES

EVERY = (*SERVICES, "gateway")
REPLAY = Form(
    "parked_replay",
    "POST",
    "/v1/operations/{service}/parked/replay",
    "operations:write",
    [Field("service", "hidden")],
    is_plain=True,
    then="/console/operations?done=parked_replay",
)
SETTLE = Form(
    "doubt_settle",
    "POST",
    "/v1/messages/{message_id}/resolve",
    "messaging:write",
    [
        Field("message_id", "hidden"),
        Field("outcome", "select", options=("sent", "failed", "not_sent"), required=True),
        Field("reason", required=True),
    ],
    then="/console/operations?done=doubt_settle",
)


@page("/console/operations", needs="operations:read", area="operations", forms=[REPLAY, SETTLE])
async def operations(page: Page) -> Response:
    """Show for each service what waits for a person."""
    kinds = ("parked", "timers", "sagas")
    asked = [(service, kind) for service in EVERY for kind in kinds]
    answers = await asyncio.gather(
        *(
            page.maybe("GET", f"/v1/operations/{service}/{kind}", parameters={"limit": 50})
            for service, kind in asked
        )
    )
    found = {
        service: {kind: answers[asked.index((service, kind))] for kind in kinds}
        for service in EVERY
    }
    audits = dict(
        zip(
            EVERY,
            await asyncio.gather(
                *(page.maybe("GET", f"/v1/operations/{service}/audit") for service in EVERY)
            ),
            strict=True,
        )
    )
    doubtful = await page.maybe("GET", "/v1/messages/in-doubt", parameters={"limit": 50})
    spool = await page.maybe("GET", "/v1/operations/gateway/spool", parameters={"limit": 50})
    return page.show(
        "operations/operations.html",
        found=found,
        audits=audits,
        doubtful=(doubtful or {}).get("items", []),
        spool=(spool or {}).get("items", []),
    )
