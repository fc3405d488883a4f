"""The Finnish company's story: a register with holes becomes complete, and is classified by what people buy.

A file from the old till brings Aino, Eero and Liisa, each with something missing. Aino says what she is called by a form
and the mail that it sends, Eero on his own page; the telephone of Aino and all of Liisa come by the API, from a call. Then they order, each as much as they like, and stand in
the class and the tier that follow; who buys most is a segment of its own.
"""

import re

from stories.telling import fill_in, order, texts_to

from kantis_kit.testing.waiting import eventually

REGISTER = """Nimi;Kutsumanimi;Sähköposti;Puhelin;Osoite;Postinumero;Postitoimipaikka
Aino Järvinen;;aino@esimerkki.example;;Hämeentie 12 A 5;00530;Helsinki
Eero Mäkelä;;eero@esimerkki.example;040 123 4567;Aleksanterinkatu 3;FI-33100;Tampere
Liisa Öhman;Liisa;liisa@esimerkki.example;;;;
Pekka Ilman;;;;Tie 1;00100;Helsinki
"""
FORM = {
    "key": "kutsumanimi",
    "source": "Kutsumanimi",
    "purposes": ["newsletter"],
    "titles": {"fi": "Kuka olet?"},
    "consent": {"fi": {"version": "1", "text": "Kyllä, kirjoittakaa minulle."}},
    "default_language": "fi",
    "country": "FI",
}
SAUNA = {
    "sku": "KIULU",
    "name": "Saunakiulu",
    "price_minor": 15_000,
    "currency": "EUR",
    "initial_stock": 50,
}
ORDERS = {"aino": 5, "eero": 1, "liisa": 0}
BEST = {"op": "value", "classes": ["champion", "loyal"], "tiers": ["A"]}


async def play(house, api):
    """Import, complete and classify; return what the house says of the register."""
    rejected, rows = await take_register(api)
    found = (await api.get("/v1/contacts", q="@esimerkki.example"))["items"]
    ids = {one["email"].partition("@")[0]: one["id"] for one in found}
    before = {name: await holes(api, name, ids) for name in ("preferred_name", "phone", "consent")}
    quality = {name: await quality_of(api, one) for name, one in ids.items()}
    await complete(house, api, ids)
    after = {name: await holes(api, name, ids) for name in ("preferred_name", "phone", "consent")}
    better = {name: await quality_of(api, one) for name, one in ids.items()}

    segment = await api.post("/v1/segments", {"name": "Best of Finland", "condition": BEST})
    await api.post("/v1/products", SAUNA)
    for name, times in ORDERS.items():
        for number in range(times):
            await order(api, ids[name], SAUNA["sku"], number=number)

    async def members():
        shown = await api.get(f"/v1/segments/{segment['id']}/members")
        return [one["person_id"] for one in shown["items"]]

    async def is_aino():
        return await members() == [ids["aino"]]

    async def are_valued():
        values = {name: await api.get(f"/v1/contacts/{one}/value") for name, one in ids.items()}
        return values if ORDERS == {name: one["orders"] for name, one in values.items()} else None

    await eventually(is_aino, message="Aino is not among the best", within=60)
    values = await eventually(are_valued, message="not every order counts", within=60)
    path = f"/v1/segments/{segment['id']}/explain"
    return {
        "rows": rows,
        "rejected": rejected,
        "before": before,
        "after": after,
        "better": {name: (quality[name], better[name]) for name in ids},
        "values": values,
        "classes": await api.get("/v1/value/classes"),
        "why": await api.get(f"{path}/{ids['aino']}"),
        "why_not": await api.get(f"{path}/{ids['eero']}"),
    }


async def take_register(api):
    """Import the file as the till wrote it, in Windows' letters; return the row that came back, and the counts."""
    answer = await api.send(
        "POST",
        "/v1/imports",
        params={"source": "Old till", "country": "FI"},
        content=REGISTER.encode("cp1252"),
        headers={"Content-Type": "text/csv"},
    )
    path = f"/v1/imports/{answer.json()['id']}"

    async def is_done():
        told = await api.get(path)
        return told if told["state"] == "done" else None

    told = await eventually(is_done, message="the register was not imported", within=60)
    rejects = await api.send("GET", f"{path}/rejects.csv")
    return rejects.text, (told["rows"], told["created"], told["rejected"])


async def holes(api, name, ids):
    """Return who of the register lacks something."""
    listed = (await api.get("/v1/contacts", missing=name, limit=200))["items"]
    mine = {one: whose for whose, one in ids.items()}
    return sorted(mine[one["id"]] for one in listed if one["id"] in mine)


async def quality_of(api, person_id):
    return (await api.get(f"/v1/quality/contacts/{person_id}"))["completeness"]


async def complete(house, api, ids):
    """Let each fill the hole in another way."""
    await api.post("/v1/forms", FORM)
    lead = {
        "full_name": "Aino Järvinen",
        "preferred_name": "Aino",
        "email": "aino@esimerkki.example",
        "language": "fi",
        "country": "FI",
        "consent": True,
    }
    await api.send("POST", f"/f/{FORM['key']}", public=True, json=lead)

    def asked():
        return re.search(r"/p/confirm/[\w.~-]+", " ".join(texts_to(house, lead["email"])))

    link = await eventually(asked, message="Aino was not asked", within=60)
    await fill_in(house, link[0], {})

    pages = await api.get(f"/v1/contacts/{ids['eero']}/pages")
    await fill_in(house, pages["profile"], {"preferred_name": "Eko"})
    await fill_in(house, pages["preferences"], {"email.newsletter": "on"})

    number = {"kind": "phone", "value": "050 765 4321", "source": "call"}
    await api.post(f"/v1/contacts/{ids['aino']}/identifiers", number)
    said = {
        "channel": "phone",
        "purpose": "offers",
        "state": "granted",
        "source": "call",
        "text_shown": "Saanko soittaa?",
    }
    await api.post(f"/v1/contacts/{ids['liisa']}/permissions", said)
    address = {"street": "Brunnsgatan 7 lgh 2", "postal_code": "20100", "city": "Åbo"}
    told = {"phone": "+358 40 555 0000", "address": address, "reason": "asked by telephone"}
    path = f"/v1/contacts/{ids['liisa']}"
    await api.send("PATCH", path, json=told, headers={"If-Match": "*"})


def hold(told):
    """What the story must come to, whatever it ran on."""
    assert (4, 3, 1) == told["rows"]
    assert "Pekka Ilman" in told["rejected"]
    assert "phone" in told["rejected"]
    assert {
        "preferred_name": ["aino", "eero"],
        "phone": ["aino", "liisa"],
        "consent": ["aino", "eero", "liisa"],
    } == told["before"]
    assert {"preferred_name": [], "phone": [], "consent": []} == told["after"]
    assert all(before < after == 100 for before, after in told["better"].values())
    assert {
        "aino": (5, 75_000, "champion", "A", "active"),
        "eero": (1, 15_000, "new", "C", "new"),
        "liisa": (0, 0, None, None, "prospect"),
    } == {
        name: tuple(
            value[key] for key in ("orders", "spent_minor", "rfm_class", "tier", "lifecycle")
        )
        for name, value in told["values"].items()
    }
    assert ("champion", "A", "EUR", 1, 5) in {
        tuple(one[key] for key in ("rfm_class", "tier", "currency", "people", "orders"))
        for one in told["classes"]
    }
    assert [True, False] == [told[name]["is_member"] for name in ("why", "why_not")]
