"""A campaign by post, the five ways in which its pieces come back, and the way of the goods to who ordered them."""

from typing import Any

from stories.house import House

ROWS = {"J": "order", "N": "refusal"}
"""How the files write what is wished for."""
FILES = {
    "skanner": {
        "form": "fixed", "way": "barcode", "kinds": ROWS,
        "fields": {"code": {"start": 1, "length": 10}, "kind": {"start": 11, "length": 1}},
    },
    "lesemaskin": {
        "form": "csv", "way": "optical", "kinds": ROWS, "least_confidence": 85,
        "fields": {"code": "KODE", "kind": "SVAR", "confidence.kind": "SIKKER"},
    },
    "sentralbord": {
        "form": "json_lines", "way": "phone", "kind": "order",
        "fields": {"phone": "nummer", "sku": "vare", "row_id": "samtale"},
    },
}  # fmt: skip
"""How each sender writes its file."""
AGENCY = "kind;id;invoice_number;amount_minor;currency;on;why"


async def launch(
    house: House, name: str, cells: dict[str, str], *, product_id: str, price_minor: int
) -> tuple[str, dict[str, str]]:
    """Launch a campaign by letter to everybody in Norway, with a template for each key code; return its path and who holds which code."""
    everybody = {"op": "country", "is_in": ["NO"]}
    segment = await house.post("/v1/segments", {"name": name, "condition": everybody})
    planned = {
        "name": name, "segment_id": segment["id"], "channel": "letter", "purpose": "offers", "currency": "NOK",
    }  # fmt: skip
    path = f"/v1/campaigns/{(await house.post('/v1/campaigns', planned))['id']}"
    offered = {"product_id": product_id, "price_minor": price_minor}
    offer = await house.post(f"{path}/offers", offered)
    for key_code, template_id in cells.items():
        cell = {
            "name": key_code, "key_code": key_code, "share_pct": 100 // len(cells), "template_id": template_id,
            "offer_id": offer["id"], "cost_per_piece_minor": 1_500,
        }  # fmt: skip
        await house.post(f"{path}/cells", cell)
    flight = f"{path}/preflights/{(await house.post(f'{path}/preflights'))['id']}"

    async def is_counted() -> Any:
        found = await house.get(flight)
        return found if found["state"] == "counted" else None

    verdict = (await house.until("the pre-flight did not end", is_counted))["verdict"]
    signed = {"name": "Markedssjefen", "reason": "Lest og godtatt"} if verdict != "green" else None
    await house.post(f"{path}/launch", {"sign_off": signed})
    await house.rest()
    pieces = (await house.get(f"{path}/pieces", limit=200))["items"]
    return path, {one["person_id"]: one["response_code"] for one in pieces}


async def post_letters(house: House) -> None:
    """Print the letters that wait, and hand them over to the post."""
    where = (
        f"/v1/letters/batches/{(await house.post('/v1/letters/batches', {'country': 'NO'}))['id']}"
    )

    async def is_printed() -> bool:
        return bool((await house.get(where))["state"] == "ready")

    await house.until("the letters were not printed", is_printed)
    await house.post(f"{where}/hand-over", {"printing_house": "Trykkeriet AS"})
    await house.rest()


async def key(house: House, codes: dict[str, Any]) -> Any:
    """Key what came by post, with what each piece wishes; close the batch, which must balance."""
    batch = await house.post("/v1/desk/batches", {"name": "Mandag", "counted": len(codes)})
    path = f"/v1/desk/batches/{batch['batch_id']}"
    for code, wishes in codes.items():
        await house.post(f"{path}/entries", {"code": code, "wishes": wishes})
    return await house.post(f"{path}/close")


async def send_file(house: House, mapping: str, text: str, *, rows: int) -> Any:
    """Send a file of answers as its sender has written it and counted its rows; return what became of them."""
    await house.put(f"/v1/response-files/mappings/{mapping}", FILES[mapping])
    answer = await house.send(
        "POST",
        "/v1/response-files",
        params={"mapping": mapping, "rows": rows},
        content=text.encode(),
        headers={"Content-Type": "text/plain"},
    )
    await house.rest()
    return await house.get(f"/v1/response-files/{answer.json()['file_id']}")


async def decide(house: House, file: Any, **corrections: str) -> Any:
    """Decide on the one row of a file that its machine was not sure of."""
    [row] = (await house.get("/v1/response-files/reviews", file_id=file["file_id"]))["items"]
    taken = {"decision": "take", "corrections": corrections, "decided_by": "KN"}
    return await house.post(f"/v1/response-files/reviews/{row['review_id']}/decide", taken)


async def pick(house: House, orders: int) -> Any:
    """Gather what waits into a wave and walk it, each line confirmed by its code; return the wave."""
    wave = await house.post("/v1/waves", {"max_orders": orders})
    path = f"/v1/waves/{wave['wave_id']}"
    for line in (await house.post(f"{path}/take", {"lines": 500}))["lines"]:
        scanned = {"code": line["sku"], "quantity": line["quantity"]}
        await house.post(f"{path}/lines/{line['walk_no']}/pick", scanned)
    return await house.get(path)


async def send_parcel(house: House, order_id: str) -> tuple[str, bytes]:
    """Pack an order into a parcel and hand it over; return its number and its label."""
    [parcel] = (await house.post(f"/v1/orders/{order_id}/parcels"))["items"]
    label = await house.send("GET", f"/v1/parcels/{parcel['parcel_id']}/label")
    await house.post(f"/v1/orders/{order_id}/ship")
    return parcel["code"], label.content


async def arrive(house: House, codes: list[str]) -> list[str]:
    """Let the carrier tell that parcels have arrived; return what was made of each line."""
    items = [{"code": code, "delivered_at": house.now.isoformat()} for code in codes]
    told = await house.post("/v1/deliveries", {"items": items})
    await house.rest()
    return [one["outcome"] for one in told["items"]]


async def invoice_of(house: House, order_id: str) -> Any:
    """Return the invoice of an order as it stands now."""
    [invoice] = (await house.get("/v1/invoices", order_id=order_id))["items"]
    return invoice


async def pay_part(house: House, invoice: Any, amount_minor: int) -> Any:
    """Let so much come in with the reference of an invoice."""
    paid = {
        "reference": invoice["reference"], "amount_minor": amount_minor, "currency": "NOK",
        "paid_on": house.now.date().isoformat(),
    }  # fmt: skip
    told = await house.post("/v1/payments", paid)
    await house.rest()
    return told


async def case_of(house: House, invoice: Any) -> Any:
    """Return where the dunning of an invoice stands."""
    return await house.get(f"/v1/invoices/{invoice['invoice_id']}/dunning")


async def send_back(house: House, order_id: str, sku: str) -> Any:
    """Let one of a product come back unharmed: it is credited and for sale again."""
    announced = await house.post("/v1/returns", {"order_id": order_id, "reason": "for stor"})
    found = {"found": [{"code": sku, "quantity": 1}]}
    returned = await house.post(f"/v1/returns/{announced['return_id']}/receive", found)
    await house.rest()
    return returned


async def write_to_agency(house: House) -> Any:
    """Write what the agency has not been told yet; return the lines."""
    made = await house.send("POST", "/v1/dunning/agency-files")
    return (await house.get(made.headers["Location"]))["lines"]


async def hear_from_agency(house: House, *lines: str) -> Any:
    """Let the agency report by file; return what became of it."""
    text = "\r\n".join((AGENCY, *lines))
    answer = await house.send(
        "POST", "/v1/dunning/agency-reports", content=text.encode(), headers={"Content-Type": "text/csv"},
    )  # fmt: skip
    await house.rest()
    return answer.json()


async def accounts(house: House) -> dict[str, int]:
    """Return the sums of the ledger, which must balance."""
    balance = await house.get("/v1/ledger/balance")
    assert balance["is_balanced"]
    return {one["account"]: one["amount_minor"] for one in balance["accounts"]}
