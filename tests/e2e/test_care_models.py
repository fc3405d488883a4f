"""A segment that is cared for: its goals are set, its people live through a year, and the state stands against them."""

from stories.steps import buy, know, sell

SURVEY = {
    "name": "Etter kjøpet",
    "titles": {"nb": "Hvordan gikk det?"},
    "questions": [
        {"key": "recommend", "kind": "nps", "words": {"nb": "Anbefaler du oss?"}},
        {"key": "satisfied", "kind": "csat", "words": {"nb": "Er du fornøyd?"}},
    ],
}
GOALS = [
    {"kind": "retention", "target": 60, "days": 200},
    {"kind": "repeat_purchase", "target": 30, "days": 200},
    {"kind": "satisfaction", "target": 80, "days": 365},
    {"kind": "recommendation", "target": 0, "days": 365},
    {"kind": "referral", "target": 30, "days": 365},
]
NORWAY = {"op": "country", "is_in": ["NO"]}
CUSTOMERS = {
    "name": "Kunder i Norge",
    "condition": {"op": "all", "of": [NORWAY, {"op": "orders", "paid_only": True, "value": 1}]},
    "announces": "everything",
}


async def test_a_year_of_a_segment_against_its_goals(house):
    await sell(house, "lampe", 100_000)
    customers = await house.post("/v1/segments", CUSTOMERS)
    care = {
        "segment_id": customers["id"], "name": "Kunder", "goals": GOALS, "most_per_month": 2,
        "channel_mix": {"email": 80, "letter": 20}, "offering": ["Lyspærer som varer"],
        "cadence": [{"what": "Takk for kjøpet", "after_days": 0, "channel": "email"}],
    }  # fmt: skip
    where = f"/v1/care/{(await house.post('/v1/care', care))['id']}"
    survey = await house.post("/v1/surveys", SURVEY)
    await house.put("/v1/referrers/rules", {"landing_url": "https://lys.example/venner"})
    kari, ola, per = [await know(house, name, "email") for name in ("Kari", "Ola", "Per")]
    await know(house, "Eva", "email")  # has never bought: no customer yet
    empty = await house.get(f"{where}/state")

    # The first half of the year: everybody buys once, and answers.
    for one in (kari, ola, per):
        await buy(house, one, "lampe")
    links = await house.post(f"/v1/surveys/{survey['id']}/links", {"person_ids": [kari, ola, per]})
    marks = {kari: ("10", "5"), ola: ("8", "4"), per: ("3", "2")}
    for link in links:
        recommend, satisfied = marks[link["person_id"]]
        path = "/q/" + link["url"].rpartition("/q/")[2]
        await house.browse("POST", path, data={"recommend": recommend, "satisfied": satisfied})
    # Kari brings a friend, who buys.
    code = (await house.post("/v1/referrers", {"person_id": kari}))["code"]
    friend = await know(
        house,
        "Siv",
        "email",
        address={"street": "Torget 7", "postal_code": "5014", "city": "Bergen"},
    )
    await house.post(f"/v1/referrers/{code}/referrals", {"person_id": friend})
    await buy(house, friend, "lampe")
    await house.live(days=210)
    # The second half: Kari buys twice and Siv once, the others not at all.
    for one in (kari, kari, friend):
        await buy(house, one, "lampe")

    state = await house.get(f"{where}/state")
    goals = {one["kind"]: (one["value"], one["basis"], one["is_met"]) for one in state["goals"]}
    assert (0, 4) == (empty["people"], state["people"])
    assert {(None, 0, None)} == {
        (one["value"], one["basis"], one["is_met"]) for one in empty["goals"]
        if one["kind"] != "referral"
    }  # fmt: skip
    assert {
        "retention": (50.0, 4, False),  # Kari and Siv, of four
        "repeat_purchase": (50.0, 2, True),  # Kari, of those two
        "satisfaction": (66.7, 3, False),
        "recommendation": (0.0, 3, True),  # one of 10 less one of 3
        "referral": (25.0, 4, False),
    } == goals
