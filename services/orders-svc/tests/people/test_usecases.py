"""Our copy of persons."""

from kantis_contracts.contacts import PersonChangedV1

CARD = "SELECT full_name, street, version, is_erased FROM person WHERE person_id = $1"


async def test_an_older_card_never_replaces_a_newer_one(desk):
    person = desk.person(version=5, full_name="New")
    for version, name in ((5, "New"), (4, "Old"), (3, "Older")):
        card = person.model_copy(update={"version": version, "full_name": name})
        await desk.rig.publish(PersonChangedV1(items=(card,)))
        await desk.drain()

    assert [("New", "Storgata 9", 5, False)] == await desk.rows(CARD, person.person_id)


async def test_two_versions_of_a_person_in_one_event_leave_the_newer(desk):
    person = desk.person(version=1)
    newer = person.model_copy(update={"version": 2, "full_name": "Newer"})
    await desk.rig.publish(PersonChangedV1(items=(newer, person)))
    await desk.drain()

    assert [("Newer", "Storgata 9", 2, False)] == await desk.rows(CARD, person.person_id)


async def test_an_erased_person_is_emptied_and_stays_so(desk):
    person = desk.person(version=1)
    erased = person.model_copy(update={"version": 2, "is_erased": True})
    late = person.model_copy(update={"version": 3})
    await desk.rig.publish(*(PersonChangedV1(items=(card,)) for card in (person, erased)))
    await desk.drain()
    await desk.rig.publish(PersonChangedV1(items=(late,)))
    await desk.drain()

    assert [("", "", 2, True)] == await desk.rows(CARD, person.person_id)


async def test_what_an_erased_person_wrote_is_gone_and_new_answers_are_refused(desk):
    product = await desk.ready("ABCDE2")
    person = desk.person()
    await desk.rig.publish(
        PersonChangedV1(items=(person,)), desk.piece(person, product, "HHHHH1", "HHHHH2")
    )
    await desk.drain()
    answer = await desk.order(
        code="HHHHH1", note="my knee hurts", address_correction={"street": "Secret road 1"}
    )

    erased = person.model_copy(update={"version": 9, "is_erased": True})
    await desk.rig.publish(PersonChangedV1(items=(erased,)))
    await desk.drain()
    kept = await desk.get(f"/v1/responses/{answer['response_id']}")
    refused = await desk.client.post("/v1/responses", json={"code": "HHHHH2", "kind": "order"})
    async with desk.rig.anonymous() as visitor:
        page = await visitor.get("/r/HHHHH2")

    order = await desk.get(f"/v1/orders/{answer['order_id']}")
    assert ("", None, None) == (kept["note"], kept["address_correction"], order["ship_to"])
    assert (404, "urn:kantis:problem:person-not-found") == (
        refused.status_code,
        refused.json()["type"],
    )
    assert 404 == page.status_code
