"""Why did this person get, or not get, this message?"""

from kantis_kit.ids import new_id


async def test_the_chain_from_segment_permission_and_cell_to_the_answer_is_told(house):
    template_id = await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    launch = house.launch([kari.person_id])
    await house.rig.publish(launch)
    (row,) = await house.until_ended()

    async with house.rig.client(scopes=["messaging:read"]) as client:
        why = (await client.get(f"/v1/messages/{row['id']}/why")).json()
        nothing = await client.get(f"/v1/messages/{new_id()}/why")

    assert ("Lampekjøpere", ["kjøpte lampe"]) == (why["segment"]["name"], why["segment"]["because"])
    assert ("A1", "Vår") == (why["campaign"]["key_code"], why["campaign"]["name"])
    assert ("granted", 1) == (why["permission"]["state"], why["permission"]["version"])
    assert ("passed", "allowed") == (why["gate"]["verdict"], why["gate"]["rule"])
    assert (str(template_id), 1) == (why["template"]["template_id"], why["template"]["number"])
    assert "C0DE0000" == why["message"]["response_code"]
    assert (
        why["times"]["planned_at"] <= why["times"]["handed_over_at"] <= why["times"]["settled_at"]
    )
    assert 404 == nothing.status_code


async def test_a_message_that_was_stopped_names_the_rule_that_stopped_it(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    await house.permit([kari.person_id], state="withdrawn", version=2)
    await house.rig.drain()
    await house.rig.publish(house.launch([kari.person_id]))
    (row,) = await house.until_ended()

    async with house.rig.client(scopes=["messaging:read"]) as client:
        why = (await client.get(f"/v1/messages/{row['id']}/why")).json()

    assert ("stopped", "permission_withdrawn") == (why["gate"]["verdict"], why["gate"]["rule"])
    assert "withdrawn" in why["gate"]["sentence"]
    assert "withdrawn" == why["permission"]["state"]


async def test_messages_are_listed_by_campaign_person_and_state_page_by_page(house):
    await house.save_template()
    people = [house.person(n) for n in range(5)]
    await house.know(*people)
    launch = house.launch([one.person_id for one in people])
    other = house.launch([people[0].person_id])
    await house.rig.publish(launch, other)
    await house.until_ended(6)

    async with house.rig.client(scopes=["messaging:read"]) as client:
        seen, cursor = [], None
        while True:
            params = {"campaign_id": str(launch.campaign_id), "limit": 2} | (
                {"cursor": cursor} if cursor else {}
            )
            page = (await client.get("/v1/messages", params=params)).json()
            seen += [one["person_id"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        of_person = (
            await client.get("/v1/messages", params={"person_id": str(people[0].person_id)})
        ).json()
        planned = (await client.get("/v1/messages", params={"state": "planned"})).json()
        nonsense = await client.get("/v1/messages", params={"cursor": "W10"})

    assert {str(one.person_id) for one in people} == set(seen)
    assert 5 == len(seen)
    assert 2 == len(of_person["items"])
    assert [] == planned["items"]
    assert 422 == nonsense.status_code
