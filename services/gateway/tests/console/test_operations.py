"""Operations: how far each queue is behind, and one parked message by itself."""

from kantis_kit.ids import new_id

EVENT = str(new_id())
ROW = {
    "queue": "orders.people", "event_id": EVENT, "type": "contacts.person.changed.v1", "handler": "people.py:7",
    "attempts": 5, "reason": "failed: KeyError", "problem": "KeyError: 'x'", "first_at": "2026-03-02T09:00:00Z",
    "last_at": "2026-03-02T09:30:00Z",
}  # fmt: skip
LAG = {
    "unpublished": 4, "oldest_unpublished_seconds": 61.5,
    "queues": [
        {"queue": "orders.people", "waiting": 12, "again": 2, "parked": 1, "oldest_at": "2026-03-02T09:00:00Z"},
        {"queue": "orders.merges", "waiting": None, "again": 0, "parked": 0, "oldest_at": None},
    ],
}  # fmt: skip
PARKED = f"/console/operations/orders/parked/orders.people/{EVENT}"


def lay_out(services):
    for service in ("contacts", "campaign", "messaging", "analytics"):
        for what in ("queues", "audit"):
            problem = {"title": "Away", "detail": "Away"}
            services.answer("GET", f"/v1/operations/{service}/{what}", problem, 503)
    services.answer("GET", "/v1/operations/orders/audit", {"whole": True, "rows": 7})
    services.answer("GET", "/v1/operations/orders/queues", LAG)
    services.answer("GET", "/v1/operations/orders/parked", {"items": [ROW], "next_cursor": None})
    path = f"/v1/operations/orders/parked/orders.people/{EVENT}"
    services.answer("GET", path, {**ROW, "content": '{"name": "<b>Kari</b>"}'})


async def test_queues_that_are_behind_are_told_with_what_has_not_left(console, services):
    lay_out(services)
    browser = await console.browser("developer")

    page = (await browser.get("/console/operations")).text

    assert "orders: 4 events have not left, the oldest is 62 s old" in page
    assert "orders.people: 12 waiting, 2 to be tried again" in page
    assert "orders.merges: " not in page
    assert '<td class="number">14</td>' in page


async def test_a_parked_message_is_read_and_tried_again_by_itself(console, services):
    lay_out(services)
    browser = await console.browser("administrator")

    listed = (await browser.get("/console/operations")).text
    page = (await browser.get(PARKED)).text
    typed = {"messages.0.queue": "orders.people", "messages.0.event_id": EVENT}
    sent = await browser.send(PARKED, "parked_replay_one", **typed)

    assert f'href="{PARKED}"' in listed
    assert "&lt;b&gt;Kari" in page
    assert "/console/operations?done=parked_replay_one" == sent.headers["location"]
    message = {"queue": "orders.people", "event_id": EVENT}
    expected = ("/v1/operations/orders/parked/replay", {"messages": [message]})
    assert [expected] == services.sent("POST")


async def test_whoever_only_looks_replays_nothing(console, services):
    lay_out(services)
    browser = await console.browser("developer")

    page = (await browser.get(PARKED)).text

    assert "contacts.person.changed.v1" in page
    assert "parked_replay_one" not in page


async def test_timers_and_sagas_that_wait_for_a_person_are_let_go(console, services):
    lay_out(services)
    timer = {"kind": "deadline", "key": "7", "problem": "x", "due_at": "2026-03-02T09:00:00Z"}
    services.answer("GET", "/v1/operations/orders/timers", {"items": [timer], "next_cursor": None})
    browser = await console.browser("administrator")

    page = (await browser.get("/console/operations")).text
    await browser.send("/console/operations", "timers_replay", service="orders")

    assert "deadline 7" in page
    assert [("/v1/operations/orders/timers/replay", {})] == services.sent("POST")


async def test_a_name_with_signs_in_it_reaches_the_service_as_it_is(console, services):
    path = "/v1/operations/orders/parked/odd å?/x"
    services.answer("GET", path, {**ROW, "queue": "odd å?", "content": ""})
    browser = await console.browser("developer")

    page = await browser.get("/console/operations/orders/parked/odd%20%C3%A5%3F/x")

    assert 200 == page.status_code
    assert [path] == [one.path for one in services.calls]
    assert "$KANTIS_URL/v1/operations/orders/parked/odd%20%C3%A5%3F/x" in page.text
