"""Operations: what is parked and in doubt, and letting it go again."""

import asyncio

from starlette.responses import Response

from gateway.console.calls import Json
from gateway.console.forms import Field, Form
from gateway.console.page import Page, page
from gateway.routes.table import SERVICES

EVERY = (*SERVICES, "gateway")


def _let_loose(name: str, path: str) -> Form:
    """Return the button that lets all go again that waits for a person in a service."""
    return Form(
        name,
        "POST",
        f"/v1/operations/{{service}}/{path}",
        "operations:write",
        [Field("service", "hidden")],
        is_plain=True,
        then=f"/console/operations?done={name}",
    )


REPLAY = _let_loose("parked_replay", "parked/replay")
TIMERS = _let_loose("timers_replay", "timers/replay")
SAGAS = _let_loose("sagas_resume", "sagas/resume")
REPLAY_ONE = Form(
    "parked_replay_one",
    "POST",
    "/v1/operations/{service}/parked/replay",
    "operations:write",
    [Field("messages.0.queue", "hidden"), Field("messages.0.event_id", "hidden")],
    then="/console/operations?done=parked_replay_one",
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


@page(
    "/console/operations",
    needs="operations:read",
    area="operations",
    forms=[REPLAY, TIMERS, SAGAS, SETTLE],
)
async def operations(page: Page) -> Response:
    """Show for each service what waits for a person, and how far its queues are behind."""
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
    audits, standing = await _of_each(page, "audit"), await _of_each(page, "queues")
    doubtful, spool = await asyncio.gather(
        page.maybe("GET", "/v1/messages/in-doubt", parameters={"limit": 50}),
        page.maybe("GET", "/v1/operations/gateway/spool", parameters={"limit": 50}),
    )
    return page.show(
        "operations/operations.html",
        found=found,
        audits=audits,
        standing=standing,
        doubtful=(doubtful or {}).get("items", []),
        spool=(spool or {}).get("items", []),
    )


async def _of_each(page: Page, what: str) -> dict[str, Json]:
    answers = await asyncio.gather(
        *(page.maybe("GET", f"/v1/operations/{service}/{what}") for service in EVERY)
    )
    return dict(zip(EVERY, answers, strict=True))


@page(
    "/console/operations/{service}/parked/{queue}/{event_id}",
    needs="operations:read",
    area="operations",
    forms=[REPLAY_ONE],
)
async def parked(page: Page) -> Response:
    """Show a parked message with its content, to be tried again by itself."""
    given = page.params
    one = await page.api(
        "GET", f"/v1/operations/{given['service']}/parked/{given['queue']}/{given['event_id']}"
    )
    return page.show("operations/parked.html", one=one)
