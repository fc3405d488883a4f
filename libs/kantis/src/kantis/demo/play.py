"""The main job, played through the public API as anybody could play it: from a lead to a balanced ledger."""

import re
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from kantis import runtime
from kantis.demo.client import Api
from kantis.demo.outcome import answer, fulfil, report
from kantis.demo.register import generate
from kantis.demo.story import DemoFailed, Story, first_path, mail_to
from kantis.demo.texts import FORM, FORM_KEY, PRODUCTS, template
from kantis.errors import InstallationError
from kantis.installation import Surroundings
from kantis.operations import create_api_key
from kantis_kit.ids import new_id


async def play(
    around: Surroundings, *, people: int, screen: Console, url: str = "", key: str = ""
) -> dict[str, Any]:
    """Play every step; return what it came to.

    Raises:
        InstallationError: nothing runs.
        DemoFailed: a step did not end.
    """
    running = runtime.read(around.data_dir)
    if not url:
        if running is None:
            raise InstallationError(
                "Nothing runs on the data folder; start it with `kantis up --detach`"
            )
        url = running.url
    key = key or await create_api_key(around, role="administrator", name="demonstration")
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}"),
        TimeElapsedColumn(),
    )
    async with Api(url, key) as api:
        with Progress(*columns, console=screen, transient=True) as progress:
            story = Story(
                api, screen, progress, people, mailbox=running.mailbox if running else True
            )
            screen.print("[bold]The main job[/bold], through the public API:")
            await take_a_lead(story)
            await import_the_register(story)
            await plan(story)
            await launch(story)
            await answer(story)
            await fulfil(story)
            await report(story)
    _tell_addresses(story, screen)
    return story.told


async def take_a_lead(story: Story) -> None:
    """A visitor signs up on the form, gets a mail, and confirms by a POST."""
    api = story.api
    forms = await api.get("/v1/forms")
    if not any(form["key"] == FORM_KEY for form in forms):
        await api.post("/v1/forms", FORM)
    page = (await api.send("GET", f"/f/{FORM_KEY}", public=True)).text
    started = re.search(r'name="started"\s+value="([^"]+)"', page)
    address = f"ane.{story.run.lower()}@eksempel.test"
    lead = {
        "email": address,
        "given_name": "Ane",
        "preferred_name": "Ane",
        "language": "nb",
        "country": "NO",
        "consent": True,
    }
    if started is not None:
        lead["consent_version"] = "2026-1"
    await api.send("POST", f"/f/{FORM_KEY}", public=True, json=lead)
    story.told["lead"] = address
    if not story.mailbox:
        story.say("A lead came in by the form; its confirmation went to the mail server")
        return
    mail = await mail_to(story, address)
    path = first_path(mail["text"] or mail["html"], "/p/confirm/")
    await api.send("GET", path, public=True)
    await api.send("POST", path, public=True, data={})
    story.say(f"A lead came in by the form, got a mail and confirmed it ({address})")


async def import_the_register(story: Story) -> None:
    """A register in a CSV file, imported like anyone's; bad rows come back with reasons."""
    register = generate(story.people)
    api = story.api
    answer = await api.send(
        "POST",
        "/v1/imports",
        key=f"demo-import-{story.run}",
        params={
            "name": "register.csv",
            "source": "Mail-order register",
            "permission_source": "Order form and web site, 2024 to 2026",
            "permission_text": "Ja, send meg nyheter og tilbud på e-post.",
        },
        content=register.text.encode("utf-8-sig"),
        headers={"Content-Type": "text/csv"},
    )
    made = answer.json()
    result: dict[str, Any] = {}

    async def look() -> tuple[float, float | None, bool]:
        result.update(await api.get(f"/v1/imports/{made['id']}"))
        return result["percent"], 100, result["state"] != "running"

    await story.until("Importing the register", look)
    if result["state"] == "failed":
        raise DemoFailed(f"the import failed: {result}")
    counts = ("rows", "created", "updated", "unchanged", "rejected", "permissions")
    story.told["import"] = {name: result[name] for name in counts}
    story.say(
        f"A register of {register.rows:,} people was imported; {result['rejected']} rows came back with reasons"
    )


async def plan(story: Story) -> None:
    """A segment, products, a template, a campaign with an offer and two cells."""
    api, run = story.api, story.run
    condition = {
        "op": "all",
        "of": [
            {"op": "country", "is_in": ["NO", "SE", "DK", "FI"]},
            {"op": "permission", "channel": "email", "purpose": "offers", "state": "granted"},
        ],
    }
    segment = await api.post(
        "/v1/segments", {"name": f"Friends of the outdoors {run}", "condition": condition}
    )
    count = (await api.get(f"/v1/segments/{segment['id']}/count"))["count"]
    known = {
        product["sku"]: product for product in (await api.get("/v1/products", limit=200))["items"]
    }
    for product in PRODUCTS:
        if product["sku"] not in known:
            known[str(product["sku"])] = await api.post("/v1/products", product)
    boots = known["BOOT-42"]
    mail = await api.post("/v1/templates", template(f"Autumn {run}"))
    campaign = await api.post(
        "/v1/campaigns",
        {
            "name": f"Autumn boots {run}",
            "segment_id": segment["id"],
            "purpose": "offers",
            "currency": "NOK",
            "budget_minor": 2_000_000,
            "expected_response_pct": 2,
        },
    )
    base = f"/v1/campaigns/{campaign['id']}"
    full = await _offer(story, base, boots, None)
    cheap = await _offer(story, base, boots, 119_900)
    for name, offer in (("Full price", full), ("Twenty off", cheap)):
        await api.post(
            f"{base}/cells",
            {
                "name": name,
                "share_pct": 50,
                "template_id": mail["id"],
                "offer_id": offer["id"],
                "cost_per_piece_minor": 15,
            },
        )
    story.told |= {"segment": count, "campaign_id": campaign["id"]}
    story.say(
        f"A segment of {count:,} people, a campaign with one product at two prices in two cells"
    )


async def _offer(
    story: Story, base: str, product: dict[str, Any], price: int | None
) -> dict[str, Any]:
    """Make an offer; the product may still be on its way to the campaigns."""
    key, made = str(new_id()), {}

    async def look() -> tuple[float, float | None, bool]:
        body = {"product_id": product.get("product_id") or product["id"], "price_minor": price}
        answer = await story.api.send(
            "POST", f"{base}/offers", json=body, key=key, allow=(404, 409, 422)
        )
        if answer.is_success:
            made.update(answer.json())
        return 0, None, answer.is_success

    await story.until("Making the offer", look)
    return made


async def launch(story: Story) -> None:
    """Pre-flight, a test mail, the launch, and the sending."""
    api, base = story.api, f"/v1/campaigns/{story.told['campaign_id']}"
    flight = await api.post(f"{base}/preflights")
    shown: dict[str, Any] = {}

    async def look() -> tuple[float, float | None, bool]:
        shown.update(await api.get(f"{base}/preflights/{flight['id']}"))
        return 0, None, shown["state"] == "counted"

    await story.until("Pre-flight", look)
    reach = sum(one["reachable"] for one in shown["reach"] if one["channel"] == "email")
    story.say(
        f"Pre-flight: {shown['verdict']}; reaches {reach:,}, findings: {len(shown['findings'])}"
    )
    await api.post(
        f"{base}/test-sends",
        {"to_email": f"seed.{story.run.lower()}@eksempel.test", "language": "nb"},
    )
    sign_off = (
        {"name": "Demonstration", "reason": "Read and accepted"}
        if shown["verdict"] == "yellow"
        else None
    )
    await api.post(f"{base}/launch", {"sign_off": sign_off}, key=f"demo-launch-{story.run}")
    state: dict[str, Any] = {}

    async def look_on() -> tuple[float, float | None, bool]:
        state.update(await api.get(f"{base}/progress"))
        settled = sum(n for name, n in state["by_state"].items() if name != "released")
        return settled, state["total"], state["state"] == "finished"

    await story.until("Sending", look_on)
    story.told["sent"] = state["by_state"]
    story.say(
        f"Launched and sent: {', '.join(f'{n:,} {name}' for name, n in state['by_state'].items() if n)}"
    )


def _tell_addresses(story: Story, screen: Console) -> None:
    url = story.api.url
    screen.print("[bold]Look around[/bold]")
    rows = [
        ("Console", f"{url}/console"),
        ("API explorer", f"{url}/docs"),
        ("Report with plots", f"{url}{story.told['report']}"),
        ("Form", f"{url}/f/{FORM_KEY}"),
    ]
    if story.mailbox:
        rows.insert(2, ("Mailbox", f"{url}/mailbox"))
    for name, address in rows:
        screen.print(f"  {name:18} {address}", soft_wrap=True)
    screen.print("  A key of your own  kantis keys create --role administrator")
