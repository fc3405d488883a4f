"""Picking and packing: the next line of one's own walk, what was scanned, what is short, boxes and labels."""

from kantis_kit.ids import new_id

WAVE, ORDER, OTHER = (str(new_id()) for _ in range(3))
ONE = {"wave_id": WAVE, "number": 3, "state": "open", "orders": 2, "lines": 3, "waiting": 2}


def line(no, state="waiting", *, taken_by="", order_id=ORDER):
    return {
        "walk_no": no, "place": f"A-{no}", "sku": f"SKU-{no}", "name": f"Thing {no}", "quantity": 2,
        "picked": 2 if state == "picked" else 0, "state": state, "order_id": order_id, "line_no": 1, "taken_by": taken_by,
    }  # fmt: skip


async def own_id(console):
    pool = await console.gateway.database.pool()
    return str(await pool.fetchval("SELECT id FROM console_user"))


async def lay_out(console, services, *lines):
    services.answer("GET", f"/v1/waves/{WAVE}", ONE)
    services.answer("GET", f"/v1/waves/{WAVE}/lines", {"items": lines, "next_cursor": None})
    return f"/console/waves/{WAVE}"


async def test_a_walk_shows_the_next_of_ones_own_lines_and_nobody_elses(console, services):
    browser = await console.browser("fulfilment")
    me = await own_id(console)
    lines = [line(1, taken_by="somebody"), line(2, taken_by=me), line(3, taken_by=me)]
    address = await lay_out(console, services, *lines)

    page = (await browser.get(address)).text
    sent = await browser.send(address, "wave_pick", walk_no="2", code="SKU-2", quantity="2")

    assert 'name="walk_no" value="2"' in page
    assert "Thing 3" in page
    assert "Thing 1" not in page
    assert 303 == sent.status_code
    expected = (f"/v1/waves/{WAVE}/lines/2/pick", {"code": "SKU-2", "quantity": 2})
    assert [expected] == services.sent("POST")


async def test_what_was_scanned_wrong_is_said_and_the_field_is_empty_again(console, services):
    browser = await console.browser("fulfilment")
    address = await lay_out(console, services, line(1, taken_by=await own_id(console)))
    problem = {"title": "That is another product", "detail": "X is Sock. Line 1 wants 2 × SKU-1"}
    services.answer("POST", f"/v1/waves/{WAVE}/lines/1/pick", problem, 409)

    sent = await browser.send(address, "wave_pick", walk_no="1", code="X", quantity="2")

    assert "Line 1 wants 2 × SKU-1" in sent.text
    scanned = sent.text.split('<input name="code"', 1)[1].split(">", 1)[0]
    assert "value" not in scanned
    assert "autofocus" in scanned


async def test_too_few_on_the_shelf_says_what_becomes_of_the_rest(console, services):
    browser = await console.browser("fulfilment")
    address = await lay_out(console, services, line(1, taken_by=await own_id(console)))

    await browser.send(address, "wave_short", walk_no="1", picked="1", rest="back_order")

    expected = (f"/v1/waves/{WAVE}/lines/1/short", {"picked": 1, "rest": "back_order"})
    assert [expected] == services.sent("POST")


async def test_an_order_is_ready_to_pack_when_nothing_of_it_waits(console, services):
    browser = await console.browser("fulfilment")
    lines = [line(1, "picked"), line(2, "picked", order_id=OTHER), line(3, order_id=OTHER)]
    address = await lay_out(console, services, *lines)

    page = (await browser.get(address)).text

    assert f"/console/orders/{ORDER}/packing" in page
    assert f"/console/orders/{OTHER}/packing" not in page
    assert "You have no lines" in page


def order(state):
    return {
        "order_id": ORDER, "number": "100001", "state": state,
        "lines": [{"line_no": 1, "name": "Thing", "sku": "SKU-1", "quantity": 3, "shipped_quantity": 1, "cancelled_quantity": 0}],
    }  # fmt: skip


async def test_an_order_is_packed_into_boxes_and_its_labels_are_a_file(console, services):
    base = f"/v1/orders/{ORDER}"
    services.answer("GET", base, order("picking"))
    services.answer("GET", f"{base}/labels", b"%PDF-1.7")
    browser = await console.browser("fulfilment")
    address = f"/console/orders/{ORDER}/packing"
    boxes = '[{"lines": [{"line_no": 1, "quantity": 2}], "weight_grams": 900}]'

    before = (await browser.get(address)).text
    await browser.send(address, "order_pack", numbering="sscc", boxes=boxes)
    parcel = {
        "position": 1, "code": "00370", "state": "packed", "weight_grams": 900, "tracking": "",
        "lines": [{"line_no": 1, "quantity": 2}],
    }  # fmt: skip
    services.answer("GET", f"{base}/parcels", {"items": [parcel], "warnings": []})
    after = (await browser.get(address)).text
    labels = await browser.get(f"/console/orders/{ORDER}/labels.pdf")

    assert "labels.pdf" not in before
    assert f"/console/orders/{ORDER}/labels.pdf" in after
    ((path, body),) = services.sent("POST")
    assert (f"{base}/parcels", "sscc", 900) == (
        path,
        body["numbering"],
        body["boxes"][0]["weight_grams"],
    )
    assert b"%PDF-1.7" == labels.content
    assert 'filename="labels.pdf"' in labels.headers["content-disposition"]


async def test_an_order_that_nobody_has_picked_leads_to_the_waves(console, services):
    services.answer("GET", f"/v1/orders/{ORDER}", order("placed"))
    browser = await console.browser("fulfilment")

    page = (await browser.get(f"/console/orders/{ORDER}/packing")).text

    assert 'role="button" href="/console/waves"' in page
    assert 'value="order_pack"' not in page
