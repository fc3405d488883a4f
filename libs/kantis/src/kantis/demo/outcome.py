"""What people do with a campaign's mail, and what the house does then: orders, parcels, invoices, payments, a report."""

from typing import Any
from urllib.parse import urlsplit

from kantis.demo.client import Api
from kantis.demo.story import Story, first_path
from kantis_kit.clock import SystemClock

VISITORS = 24
"""How many recipients follow their link and order."""
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}
"""Visitors come with a browser; what comes with none is counted as a machine."""


async def answer(story: Story) -> None:
    """Some follow the link in their mail and order, some unsubscribe, one answer is keyed by hand."""
    api, base = story.api, f"/v1/campaigns/{story.told['campaign_id']}"
    pieces = (await api.get(f"{base}/pieces", state="accepted", limit=VISITORS * 2))["items"]
    visitors, leavers = pieces[:VISITORS], pieces[VISITORS : VISITORS + 5]
    async with story.step("Answering", len(visitors)) as tell:
        for number, piece in enumerate(visitors):
            await _visit(story, piece)
            tell(number + 1, len(visitors))
    for piece in leavers:
        await _leave(story, piece)
    keyed = pieces[VISITORS + 5 : VISITORS + 6]
    for piece in keyed:
        await api.post(
            "/v1/responses", {"code": piece["response_code"], "kind": "order", "quantity": 2}
        )
    story.told |= {"web_orders": len(visitors), "unsubscribed": len(leavers), "keyed": len(keyed)}
    story.say(
        f"{len(visitors)} orders by the page of their code, {len(keyed)} keyed by hand, {len(leavers)} unsubscribed"
    )


async def _message(story: Story, piece: dict[str, Any]) -> dict[str, Any] | None:
    """Return the mail that a person got for a piece, as the mailbox has it."""
    if not story.mailbox:
        return None
    contact = await story.api.get(f"/v1/contacts/{piece['person_id']}")
    mails = (await story.api.get("/mailbox/api/mails", to=contact["email"]))["items"]
    mail: dict[str, Any] = await story.api.get(f"/mailbox/api/mails/{mails[0]['id']}")
    return mail


async def _visit(story: Story, piece: dict[str, Any]) -> None:
    mail = await _message(story, piece)
    path = f"/r/{piece['response_code']}"
    if mail is not None:
        clicked = await story.api.send(
            "GET", first_path(mail["html"], "/c/"), public=True, headers=BROWSER
        )
        path = urlsplit(clicked.headers["location"]).path
    await story.api.send("GET", path, public=True)
    await story.api.send("POST", path, public=True, data={"kind": "order", "quantity": "1"})


async def _leave(story: Story, piece: dict[str, Any]) -> None:
    mail = await _message(story, piece)
    if mail is None:
        return
    header = next(value for name, value in mail["headers"] if name.lower() == "list-unsubscribe")
    path = urlsplit(header.strip("<>")).path
    await story.api.send("POST", path, public=True, data={"List-Unsubscribe": "One-Click"})


async def fulfil(story: Story) -> None:
    """Pick and ship every order; an invoice goes out with each; most are paid."""
    api = story.api
    orders = [
        o for o in await _all(api, "/v1/orders") if o["campaign_id"] == story.told["campaign_id"]
    ]
    async with story.step("Picking and shipping", len(orders)) as tell:
        for number, order in enumerate(orders):
            await api.post(f"/v1/orders/{order['order_id']}/pick")
            await api.post(
                f"/v1/orders/{order['order_id']}/ship", {"tracking": f"DEMO{number:05d}"}
            )
            tell(number + 1, len(orders))
    invoices = [
        i for i in await _all(api, "/v1/invoices") if i["campaign_id"] == story.told["campaign_id"]
    ]
    paying = invoices[: len(invoices) * 4 // 5]
    today = SystemClock().now().date().isoformat()
    for invoice in paying:
        await api.post(
            "/v1/payments",
            {
                "reference": invoice["reference"],
                "amount_minor": invoice["total_minor"],
                "currency": invoice["currency"],
                "paid_on": today,
                "external_id": f"demo-{invoice['invoice_id']}",
            },
        )
    pdf = (
        await api.send("GET", f"/v1/invoices/{invoices[0]['invoice_id']}/pdf") if invoices else None
    )
    balance = await api.get("/v1/ledger/balance")
    story.told |= {
        "orders": len(orders),
        "invoices": len(invoices),
        "paid": len(paying),
        "ledger": balance,
    }
    pages = f", {len(pdf.content) // 1024} kB the first PDF" if pdf else ""
    story.say(
        f"{len(orders)} orders picked and shipped, {len(invoices)} invoices{pages}, {len(paying)} paid; the ledger balances"
    )


async def _all(api: Api, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await api.get(path, limit=200, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


async def report(story: Story) -> None:
    """The report per cell, and why one person got one message."""
    api, campaign = story.api, story.told["campaign_id"]
    shown: dict[str, Any] = {}

    async def look() -> tuple[float, float | None, bool]:
        shown.update(await api.get(f"/v1/reports/campaigns/{campaign}"))
        paid = shown["total"]["paid"]
        return paid, story.told["paid"], paid >= story.told["paid"]

    await story.until("Counting", look)
    for cell in shown["cells"]:
        story.say(
            f"Cell {cell['name']}: sent {cell['sent']:,}, clicked {cell['clicked_persons']}, ordered {cell['ordered']},"
            f" paid {cell['paid']}, profit {cell['profit_minor'] / 100:,.2f} {shown['currency']}"
        )
    link = await api.post(f"/v1/reports/campaigns/{campaign}/links")
    messages = (await api.get("/v1/messages", campaign_id=campaign, limit=1))["items"]
    why = await api.get(f"/v1/messages/{messages[0]['id']}/why") if messages else None
    story.told |= {
        "report": link["path"],
        "cells": shown["cells"],
        "why": why,
        "message": messages[0]["id"] if messages else None,
    }
