"""Two years of a customer: followed up after each purchase, in the club, and congratulated on each milestone once."""

from stories.steps import (
    address_of,
    agree,
    begin_rule,
    buy,
    deliver,
    know,
    mails_by,
    order,
    pay,
    run_of,
    sell,
    tell,
)

TERMS = {"texts": dict.fromkeys(("nb", "sv", "da", "fi", "en"), "Vilkår")}
CLUB = {
    "currency": "NOK",
    "minor_per_point": 1_000,
    "expires_after_days": 365,
    "tiers": [
        {"key": "silver", "name": "Sølv", "from_points": 0},
        {"key": "gold", "name": "Gull", "from_points": 500},
    ],
}
MILESTONES = {
    "ti tusen kroner": {"kind": "bought_for", "amount_minor": 1_000_000, "currency": "NOK"},
    "ett år": {"kind": "years_a_customer", "years": 1},
    "to år": {"kind": "years_a_customer", "years": 2},
    "bursdagen": {"kind": "birthday", "field": "born"},
    "femti år": {"kind": "birthday", "field": "born", "years": 50},
    "kvartalet": {"kind": "company_event", "event_kind": "quarterly_result"},
}
FOLLOW_UP = {"satisfied": "er du fornøyd", "improve": "hva kan bli bedre", "again": "vil du ha mer"}


async def said(house, name, phrases):
    """Count how often each phrase was said to somebody by mail."""
    mails = house.mails_to(address_of(name))
    return {phrase: sum(f"Dette er {phrase}." in mail for mail in mails) for phrase in phrases}


async def prepare(house):
    """Set up the milestones, the follow-up and the club; return the path of the follow-up's programme."""
    await house.post("/v1/fields", {"key": "born", "kind": "date", "is_filtered": True})
    await sell(house, "lampe", 300_000)
    mails = await mails_by(house, *MILESTONES, *FOLLOW_UP.values())
    for name, when in MILESTONES.items():
        mail = {"kind": "message", "ways": [{"channel": "email", "template_id": mails[name]}]}
        body = {"name": name, "when": when, "action": mail}
        await begin_rule(house, body, where="/v1/milestones")
    taken = {"fill": {key: mails[phrase] for key, phrase in FOLLOW_UP.items()}}
    made = await house.post("/v1/programmes/ready-made/after_the_purchase", taken)
    programme = f"/v1/programmes/{made['id']}"
    await house.post(f"{programme}/publish")
    await house.post("/v1/club/terms", TERMS)
    await house.put("/v1/club/rules", CLUB)
    return programme


async def test_two_years_of_purchases_follow_ups_and_milestones_in_seconds(house):
    begun, programme = house.now, await prepare(house)
    kari = await know(house, "Kari", "email", custom={"born": "1976-03-20"})
    await agree(house, kari, "email", "surveys")
    firm = await house.post("/v1/organisations", {"name": "Fjord AS", "country": "NO"})
    await house.post(
        f"/v1/contacts/{kari}/links", {"organisation_id": firm["id"], "role": "daglig leder"}
    )
    await house.rest()
    member = await house.post("/v1/club/members", {"person_id": kari, "terms_version": 1})

    async def news(quarter):
        item = {
            "event_id": quarter, "organisation_id": firm["id"], "kind": "quarterly_result",
            "title": quarter, "at": house.now.isoformat(),
        }  # fmt: skip
        await house.post("/v1/company-events", {"source": "feed", "items": [item]})

    # The first purchase: she is satisfied, is asked for more a month later, and buys again.
    await buy(house, kari, "lampe")
    await house.live(days=11)
    await tell(house, "answer.satisfied", kari, answer="yes")
    await house.live(days=40)
    second = await order(house, kari, "lampe")
    first_run = await run_of(house, programme, kari)
    # The second: she is not satisfied, and somebody calls her.
    await deliver(house, second)
    await pay(house, second)
    await house.live(days=11)
    await tell(house, "answer.satisfied", kari, answer="no")
    [task] = (await house.get("/v1/tasks"))["items"]
    await house.post(f"/v1/tasks/{task['id']}/done", {"note": "Ny skjerm sendt"})
    await news("q1")
    await news("q1")
    await house.live(days=150)
    gold = await house.get(f"/v1/club/members/{member['number']}")
    await buy(house, kari, "lampe", 2)
    await news("q3")
    await house.live(days=(begun - house.now).days + 735)

    member = await house.get(f"/v1/club/members/{member['number']}")
    told = {
        one["name"]: await house.get(f"/v1/milestones/{one['id']}/explain/{kari}")
        for one in (await house.get("/v1/milestones"))["items"]
    }
    runs = (await house.get(f"{programme}/runs", person_id=kari))["items"]
    heard = await said(house, "Kari", (*MILESTONES, *FOLLOW_UP.values()))
    assert {
        "ti tusen kroner": 1, "ett år": 1, "to år": 1, "bursdagen": 2, "femti år": 1, "kvartalet": 2,
        "er du fornøyd": 3, "hva kan bli bedre": 1, "vil du ha mer": 3,
    } == heard  # fmt: skip
    assert "bought_again" in first_run["goals"]
    assert ["bought_again", "quiet", "quiet"] == [one["outcome"] for one in runs]
    assert ("Call: not satisfied with an order", kari) == (
        task["action"]["title"],
        task["person_id"],
    )
    assert heard["bursdagen"] == [one["decision"] for one in told["bursdagen"]["entries"]].count(
        "fired"
    )
    # 3,000 kr twice are 600 points and gold; a year after the last purchase all of them have expired.
    assert ("gold", 600) == (gold["tier"], gold["balance"])
    assert ("silver", 0) == (member["tier"], member["balance"])
