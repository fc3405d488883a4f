"""Postal addresses: spelling, days, and what comes back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts_svc.main import SPEC
from kantis_contracts.contacts import PersonChangedV1
from kantis_kit.postal import PostalInvalid, read_post

KARI = {"full_name": "Kari Ødegård", "email": "kari@example.com"}


@pytest.mark.parametrize(
    ("country", "street", "code", "city", "kept"),
    [
        ("NO", "Storgata  12b", "N-0155", "Oslo", ("Storgata 12 B", "0155", "Oslo")),
        ("NO", "pb 1234", "NO-5003", "Bergen", ("Postboks 1234", "5003", "Bergen")),
        ("NO", "Storgata 1", "", "0155 Oslo", ("Storgata 1", "0155", "Oslo")),
        ("DK", "Nørregade 5 3.tv.", "DK-2100", "København Ø", ("Nørregade 5, 3. tv", "2100", "København Ø")),
        ("DK", "Nørregade 5, st th", "2100", "København", ("Nørregade 5, st. th", "2100", "København")),
        ("SE", "Storgatan 1, LGH1101", "SE-11455", "Stockholm", ("Storgatan 1 lgh 1101", "114 55", "Stockholm")),
        ("SE", "box 12", "114 55", "Stockholm", ("Box 12", "114 55", "Stockholm")),
        ("FI", "Mannerheimintie 5 a 12", "FI-00100", "Helsinki", ("Mannerheimintie 5 A 12", "00100", "Helsinki")),
        ("FI", "PL 4", "00101", "Helsingfors", ("PL 4", "00101", "Helsingfors")),
        ("IS", "Laugavegur 22a", "IS-101", "Reykjavík", ("Laugavegur 22 A", "101", "Reykjavík")),
        ("DE", "Straße 1", "d-10115", "Berlin", ("Straße 1", "D-10115", "Berlin")),
    ],
)  # fmt: skip
def test_an_address_of_each_country_has_one_spelling(country, street, code, city, kept):
    post = read_post(street=street, postal_code=code, city=city, country=country)

    assert kept == (post.street, post.postal_code, post.city)
    assert () == post.warnings


@pytest.mark.parametrize(
    ("country", "code", "said"),
    [
        ("NO", "0000", "no postal code"),
        ("NO", "155", "a zero at its start may have been lost"),
        ("SE", "1145", "five digits"),
        ("DK", "21000", "four digits"),
        ("FI", "100", "a zero"),
        ("IS", "0101", "three digits"),
        ("NO", "\N{ARABIC-INDIC DIGIT ONE}" * 4, "four digits"),
    ],
)
def test_a_code_that_no_post_knows_is_refused(country, code, said):
    with pytest.raises(PostalInvalid, match=said):
        read_post(street="", postal_code=code, city="", country=country)


def test_a_town_and_a_code_that_disagree_are_a_warning():
    post = read_post(street="Storgata 1", postal_code="5003", city="OSLO", country="NO")

    assert ("5003 is no postal code of OSLO, as far as is known",) == post.warnings


def test_a_care_of_line_stands_by_itself():
    post = read_post(street="c/o Hansen, Storgata 1", postal_code="0155", city="Oslo", country="NO")

    assert ("Hansen", "Storgata 1") == (post.care_of, post.street)


@given(
    st.sampled_from(["NO", "SE", "DK", "FI", "IS", "DE"]),
    st.text(max_size=40),
    st.from_regex(r"\A[A-Z]{0,2}-?[0-9 ]{0,6}\Z"),
    st.text(max_size=20),
)
def test_what_is_read_once_reads_as_itself(country, street, code, city):
    try:
        once = read_post(street=street, postal_code=code, city=city, country=country)
    except PostalInvalid:
        return
    again = read_post(
        street=once.street,
        postal_code=once.postal_code,
        city=once.city,
        country=country,
        care_of=once.care_of,
    )
    assert once.postal_code == again.postal_code


async def test_the_address_of_a_contact_is_normalised_and_kept_as_it_was_given(rig_for):
    rig = await rig_for(SPEC)
    given_address = {"street": "storgata 12b", "postal_code": "N-0155", "city": "Oslo"}

    async with rig.client() as client:
        made = await client.post("/v1/contacts", json={**KARI, "address": given_address})
        bad = await client.patch(
            made.headers["location"],
            json={"address": {"postal_code": "0000"}},
            headers={"If-Match": "*"},
        )
        history = (await client.get(f"{made.headers['location']}/changes")).json()
    await rig.drain()

    address = {"street": "storgata 12 B", "postal_code": "0155", "city": "Oslo", "country": "NO"}
    assert address == made.json()["address"]
    assert ["", "storgata 12b\nN-0155\nOslo"] == history[0]["changes"]["address_as_given"]
    assert (422, "address.postal_code") == (bad.status_code, bad.json()["errors"][0]["field"])
    (card,) = rig.items(PersonChangedV1)
    assert "0155" == card.address.postal_code


async def test_an_address_from_a_day_on_is_the_one_on_the_card_from_that_day_where_they_live(
    rig_for,
):
    rig = await rig_for(SPEC)
    today = rig.clock.now().date()
    day = today + timedelta(days=10)

    async with rig.client() as client:
        made = await client.post("/v1/contacts", json=KARI)
        path = f"{made.headers['location']}/addresses"
        old = await client.post(
            path, json={"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"}
        )
        new = await client.post(
            path,
            json={
                "street": "Torgallmenningen 2",
                "postal_code": "5014",
                "city": "Bergen",
                "valid_from": day.isoformat(),
                "valid_to": (day + timedelta(days=5)).isoformat(),
            },
        )
        always = await client.post(
            path,
            json={
                "kind": "work",
                "city": "Oslo",
                "valid_from": "0001-01-01",
                "valid_to": "9999-12-31",
            },
        )
        backwards = await client.post(
            path, json={"city": "Oslo", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}
        )
    cities = []
    for days in (0, 10, 6):
        rig.clock.advance(timedelta(days=days))
        await rig.drain()
        async with rig.client() as client:
            contact = (await client.get(made.headers["location"])).json()
        cities.append(contact["address"]["city"])
    async with rig.client() as client:
        listed = (await client.get(path)).json()
        returned = await client.post(
            f"{path}/{old.json()['id']}/reachability",
            json={
                "outcome": "moved",
                "occurred_at": rig.clock.now().isoformat(),
                "source": "postal return",
            },
        )
        removed = await client.delete(f"{path}/{new.json()['id']}")
    await rig.drain()

    assert [201, 201, 201, 422] == [one.status_code for one in (old, new, always, backwards)]
    assert ["Oslo", "Bergen", "Oslo"] == cities
    assert [(False, "Bergen"), (True, "Oslo")] == [
        (one["is_in_use"], one["city"]) for one in listed if one["kind"] == "home"
    ]
    assert ("undeliverable", "moved") == (
        returned.json()["reachability"],
        returned.json()["reach_reason"],
    )
    assert 204 == removed.status_code
    newest = max(rig.items(PersonChangedV1), key=lambda card: card.version)
    assert (("address",), "Oslo") == (newest.undeliverable, newest.address.city)
