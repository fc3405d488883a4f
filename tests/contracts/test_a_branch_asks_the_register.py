"""A branch of a programme asks a condition of the register's: it is kept there, and tells the branch who is meant."""

from campaign_svc.main import SPEC as CAMPAIGN
from contacts_svc.main import SPEC as CONTACTS
from kantis_kit.testing.waiting import eventually

NORWAY = {"op": "country", "is_in": ["NO"]}
NONSENSE = {"op": "country", "is_in": ["Norway"]}


def asking(condition):
    """Return a programme that tells apart of whom a condition is true."""
    cases = [{"when": {"op": "register", "condition": condition}, "next": "yes"}]
    steps = {
        "who": {"kind": "branch", "cases": cases, "otherwise": "no"},
        "yes": {"kind": "end", "outcome": "yes"},
        "no": {"kind": "end", "outcome": "no"},
    }
    return {"trigger": {"on": "hand"}, "start": "who", "steps": steps}


async def test_a_branch_knows_of_whom_a_condition_of_the_register_is_true(rig_for):
    rig = await rig_for(CAMPAIGN, CONTACTS)
    async with rig.client("contacts") as contacts, rig.client("campaign") as campaign:

        async def person(name, country):
            body = {"full_name": name, "email": f"{name}@example.com", "country": country}
            return (await contacts.post("/v1/contacts", json=body)).json()["id"]

        async def draft(condition):
            body = {"name": "Where", "graph": asking(condition)}
            made = await campaign.post("/v1/programmes", json=body)
            return made.headers["location"]

        kari, sven = await person("kari", "NO"), await person("sven", "SE")
        await rig.drain()
        path, wrong = await draft(NORWAY), await draft(NONSENSE)
        early = await campaign.post(f"{path}/publish")

        async def answered(draft):
            await rig.drain()
            answer = await campaign.post(f"{draft}/publish")
            return None if "in a moment" in answer.text else answer

        published, refused = [
            await eventually(lambda draft=one: answered(draft), message="nobody has looked")
            for one in (path, wrong)
        ]
        ola = await person("ola", "NO")  # comes after the condition was looked at

        async def both_are_in():
            await rig.drain()
            kept = (await contacts.get("/v1/segments")).json()
            shown = [(await contacts.get(f"/v1/segments/{one['id']}")).json() for one in kept]
            return [one for one in shown if one["membership"]["members"] == 2]

        await eventually(both_are_in, message="ola did not come in")
        await rig.drain()
        people = {"kari": kari, "sven": sven, "ola": ola}
        items = [{"person_id": one} for one in people.values()]
        await campaign.post(f"{path}/runs", json={"items": items})
        await rig.drain()
        runs = (await campaign.get(f"{path}/runs")).json()["items"]

    assert [409, 200, 422] == [one.status_code for one in (early, published, refused)]
    assert "publish in a moment" in early.json()["detail"]
    assert "Norway" in refused.json()["detail"]
    outcomes = {one["person_id"]: one["outcome"] for one in runs}
    assert {"kari": "yes", "sven": "no", "ola": "yes"} == {
        name: outcomes[one] for name, one in people.items()
    }
