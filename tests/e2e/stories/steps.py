"""What happens in more than one story: somebody is known, says yes, orders, pays, looks at a page, rings."""

from datetime import timedelta
from typing import Any

from stories.house import House

from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

SHOP = "https://butikk.example"
SITE = {"Origin": SHOP, "Content-Type": "application/json"}


async def know(house: House, name: str, *channels: str, **more: Any) -> str:
    """Let a customer be known, who says yes to offers by these channels; return the id."""
    body = {
        "full_name": f"{name} Nordmann", "preferred_name": name, "country": "NO", "language": "nb",
        "email": address_of(name),
        "address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"}, **more,
    }  # fmt: skip
    made = await house.post("/v1/contacts", body)
    for channel in channels:
        await agree(house, made["id"], channel, "offers")
    person_id: str = made["id"]
    return person_id


def address_of(name: str) -> str:
    """Return somebody's mail address."""
    return f"{name.lower()}@kunde.example"


async def agree(house: House, person_id: str, channel: str, purpose: str) -> None:
    """Say yes to something."""
    yes = {
        "channel": channel, "purpose": purpose, "state": "granted", "source": "Messe",
        "text_shown": "Ja takk",
    }  # fmt: skip
    await house.post(f"/v1/contacts/{person_id}/permissions", yes)


async def sell(house: House, sku: str, price_minor: int) -> str:
    """Take a product into the catalogue; return its id once campaigns may name it."""
    body = {
        "sku": sku, "name": sku.capitalize(), "price_minor": price_minor, "currency": "NOK", "vat_pct": 25,
        "initial_stock": 1_000,
    }  # fmt: skip
    made = await house.post("/v1/products", body)
    await house.rest()
    product_id: str = made["product_id"]
    return product_id


async def order(house: House, person_id: str, sku: str, quantity: int = 1) -> str:
    """Let somebody order by telephone; return the order's id."""
    await house.rest()  # the desk may not have heard of a new customer yet
    asked = {
        "person_id": person_id, "kind": "order", "way": "phone", "again": True,
        "lines": [{"sku": sku, "quantity": quantity}],
    }  # fmt: skip
    placed: str = (await house.post("/v1/responses", asked))["order_id"]
    await house.rest()
    return placed


async def deliver(house: House, order_id: str) -> None:
    """Pick and ship an order."""
    await house.post(f"/v1/orders/{order_id}/pick")
    await house.post(f"/v1/orders/{order_id}/ship", {"tracking": f"NO{order_id[-6:]}"})
    await house.rest()


async def pay(house: House, order_id: str) -> None:
    """Pay an order's invoice in full."""

    async def invoiced() -> Any:
        found = (await house.get("/v1/invoices", order_id=order_id))["items"]
        return next((one for one in found if one["order_id"] == order_id), None)

    invoice = await eventually(invoiced, message=f"no invoice of {order_id}")
    paid = {
        "reference": invoice["reference"], "amount_minor": invoice["total_minor"],
        "currency": invoice["currency"], "paid_on": house.now.date().isoformat(), "external_id": str(new_id()),
    }  # fmt: skip
    await house.post("/v1/payments", paid)
    await house.rest()


async def buy(house: House, person_id: str, sku: str, quantity: int = 1) -> str:
    """Order, get and pay something; return the order's id."""
    order_id = await order(house, person_id, sku, quantity)
    await deliver(house, order_id)
    await pay(house, order_id)
    return order_id


async def write_mail(house: House, name: str, text: str) -> str:
    """Make a template for mails in Norwegian."""
    html = f"<p>{{{{ greeting() }}}},</p><p>{text}</p>"
    body = {"name": name, "languages": {"nb": {"subject": name, "html": html}}}
    template_id: str = (await house.post("/v1/templates", body))["id"]
    return template_id


async def complain(house: House, person_id: str, times: int) -> None:
    """Ring and complain, an hour between the calls."""
    calls = [
        {
            "contact_id": person_id, "kind": "complaint", "channel": "phone", "direction": "in",
            "source": "sentralbord", "external_id": f"{person_id}-{number}",
            "occurred_at": (house.now - timedelta(hours=number + 1)).isoformat(),
        }
        for number in range(times)
    ]  # fmt: skip
    await house.post("/v1/interactions", {"items": calls})


async def visit(house: House, person_id: str, pages: int) -> None:
    """Look at pages of the shop, having come by a link of one's own and said yes to being counted."""
    token = (await house.post(f"/v1/contacts/{person_id}/visits/link"))["token"]
    views = [{"id": str(new_id()), "path": f"/lamper/{number}"} for number in range(pages)]
    seen = {
        "site": "butikk", "visitor": str(new_id()), "consent": True, "consent_version": "1",
        "token": token, "views": views,
    }  # fmt: skip
    await house.browse("POST", "/v/seen", json=seen, headers=SITE)


async def begin_rule(house: House, body: Any, *, where: str = "/v1/rules") -> Any:
    """Make a rule or milestone, and wait until the register has accepted its condition and looked at everybody."""
    made = await house.post(where, body)

    async def is_active() -> Any:
        found = await house.get(f"{where}/{made['id']}")
        assert "refused" != found["state"], found["problem"]
        return found if found["state"] == "active" else None

    begun = await eventually(is_active, message="the rule did not begin")
    await house.rest()
    return begun


async def publish(house: House, body: Any) -> str:
    """Make a programme and let it begin; return its path."""
    path = f"/v1/programmes/{(await house.post('/v1/programmes', body))['id']}"
    await house.rest()
    await house.post(f"{path}/publish")
    return path


async def mails_by(house: House, *names: str) -> dict[str, str]:
    """Make a template for each name, whose mails say that name; return their ids by name."""
    return {name: await write_mail(house, name, f"Dette er {name}.") for name in names}


async def tell(house: House, event: str, person_id: str, **facts: Any) -> None:
    """Tell programmes of something that happened elsewhere, such as an answer that came by telephone."""
    item = {"event_id": str(new_id()), "event": event, "person_id": person_id, "facts": facts}
    await house.post("/v1/programmes/events", {"items": [item]})
    await house.rest()


async def run_of(house: House, path: str, person_id: str) -> Any:
    """Return the newest run of somebody in a programme, with what it did."""
    found = (await house.get(f"{path}/runs", person_id=person_id))["items"]
    newest = max(found, key=lambda one: (one["started_at"], one["id"]))
    return await house.get(f"{path}/runs/{newest['id']}")
