"""One of everything in the register of contacts, so that requests reach what exists."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from contacts_svc.selfservice.links import path_to
from kantis_contracts.campaign import AudienceRequest, AudienceRequestedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.testing.waiting import eventually

LAUNCH = UUID(int=20)
WORDS = dict.fromkeys(("nb", "sv", "da", "fi", "en"), "Varm")
TITLES = {"nb": "Høst"}
YES = {"purpose": "newsletter", "state": "granted", "source": "fair", "text_shown": "Ja"}
PAGES = ("preferences", "profile", "consents", "data", "erase")


async def furnish(house: Any) -> None:
    """Make one of everything; the first contact has it all."""
    house.known.add("message_class", "marketing")
    house.known.add("channel", "email")
    kari = await _person(house)
    path = f"/v1/contacts/{kari}"
    for part in (_addresses, _organisation, _permissions, _knowledge, _visits):
        await part(house, path)
    await _fields(house, path)
    await _registers(house)
    await _forms(house)
    await _files(house)
    await _segments(house, kari)
    await _twins(house)
    await _tokens(house, kari)
    await house.rig.drain()
    await _export(house)


async def _person(house: Any, **changes: Any) -> str:
    person = {
        "full_name": "Kari Nordmann",
        "email": "kari@example.com",
        "phone": "+47 412 34 567",
        "language": "nb",
        "country": "NO",
        "address": {"street": "Storgata 9", "postal_code": "0155", "city": "Oslo"},
    }
    told = {name: value for name, value in {**person, **changes}.items() if value}
    made: str = (await house.ask("POST", "/v1/contacts", json=told))["id"]
    house.known.add("person_id", made)
    house.known.add("contact_id", made)
    return made


async def _addresses(house: Any, path: str) -> None:
    mail = {"kind": "email", "value": "work@example.com", "label": "work"}
    held = (await house.ask("POST", f"{path}/identifiers", json=mail))["id"]
    bounced = {"outcome": "hard_bounce", "source": "test"}
    bounced["occurred_at"] = (house.rig.clock.now() - timedelta(days=1)).isoformat()
    await house.ask("POST", f"{path}/identifiers/{held}/reachability", json=bounced)
    home = {"street": "Nygata 1", "postal_code": "0155", "city": "Oslo"}
    made = await house.ask("POST", f"{path}/addresses", json=home)
    house.known.add("address_id", made["id"])


async def _organisation(house: Any, path: str) -> None:
    firm = await house.ask("POST", "/v1/organisations", json={"name": "Skog AS", "country": "NO"})
    link = {"organisation_id": firm["id"], "role": "buyer", "not_before": "2999-01-01"}
    await house.ask("POST", f"{path}/links", json=link)


async def _permissions(house: Any, path: str) -> None:
    await house.ask("PUT", "/v1/topics/boots", json={"purpose": "newsletter", "names": TITLES})
    await house.ask("POST", f"{path}/permissions", json={**YES, "channel": "email"})
    await house.ask("PUT", f"{path}/preferences", json={"topics": {"boots": True}})
    quiet = {"scope": "topic", "scope_id": "boots", "reason": "asked"}
    await house.ask("POST", f"{path}/suppressions", json=quiet)


async def _knowledge(house: Any, path: str) -> None:
    term = {"key": "warm_feet", "kind": "need", "words": WORDS}
    made = await house.ask("POST", "/v1/insights/terms", json=term)
    house.known.add("term_id", made["id"])
    said = {"items": [{"term": "warm_feet", "source": "call"}]}
    await house.ask("POST", f"{path}/insights", json=said)
    call = {"contact_id": path.rpartition("/")[2], "kind": "call", "channel": "phone"}
    await house.ask("POST", "/v1/interactions", json={"items": [call]})


async def _visits(house: Any, path: str) -> None:
    await house.ask("PUT", "/v1/visits/sites/shop", json={"origins": ["https://shop.example"]})
    house.known.add("site_key", "shop")
    await house.ask("POST", f"{path}/visits/link")


async def _fields(house: Any, path: str) -> None:
    for body in (
        {"key": "shoe_size", "kind": "number", "is_filtered": True},
        {"key": "pnr", "kind": "national_id", "rules": {"country": "NO"}},
    ):
        await house.ask("POST", "/v1/fields", json=body)
        house.known.add("/v1/fields/", body["key"])
    custom = {"custom": {"shoe_size": 42}}
    await house.ask("PATCH", path, json=custom, headers={"If-Match": "*"})


async def _registers(house: Any) -> None:
    register = {
        "name": "NIX",
        "country": "SE",
        "channels": ["phone"],
        "matches": "phone",
        "interval_days": 92,
        "mapping": {"phone": "telefon"},
    }
    await house.ask("PUT", "/v1/registers/nix", json=register)
    house.known.add("/v1/registers/", "nix")
    file = {"content": b"telefon\n0701234567\n", "headers": {"Content-Type": "text/csv"}}
    await house.ask("POST", "/v1/registers/nix/washes", **file)


async def _forms(house: Any) -> None:
    form = {
        "key": "autumn",
        "source": "Autumn",
        "purposes": ["newsletter"],
        "titles": TITLES,
        "consent": {"nb": {"version": "1", "text": "Ja"}},
        "default_language": "nb",
        "download": {"titles": {"nb": "Skoguide"}},
        "fields": [
            {"key": "shoes", "kind": "choice", "labels": {"nb": "Sko"}, "choices": [
                {"value": "warm", "labels": {"nb": "Varme"}, "term": "warm_feet"}
            ]}
        ],
        "topics": [{"key": "boots", "labels": {"nb": "Støvler"}}],
    }  # fmt: skip
    made = await house.ask("POST", "/v1/forms", json=form)
    house.known.add("form_key", "autumn")
    pdf = {"content": b"%PDF-1", "headers": {"Content-Type": "application/pdf"}}
    await house.ask("PUT", f"/v1/forms/{made['id']}/download?file_name=a.pdf", **pdf)
    lead = {"full_name": "Åse", "email": "ase@example.com", "consent": True}
    answer = await house.anonymous.post("/f/autumn", json=lead)
    assert 202 == answer.status_code, answer.text
    house.known.add("/p/download/", answer.json()["download"].rpartition("/")[2])


async def _files(house: Any) -> None:
    mapping = {"name": "till", "mapping": {"name": "full_name", "email": "email"}}
    await house.ask("POST", "/v1/imports/mappings", json=mapping)
    rows = {
        "content": "name,email\nOla,ola@example.com\nIda,nothing\n",
        "headers": {"Content-Type": "text/csv"},
    }
    await house.ask("POST", "/v1/imports", **rows)


async def _segments(house: Any, person_id: str) -> None:
    condition = {"op": "country", "is_in": ["NO"]}
    body = {"name": "Norge", "condition": condition}
    segment = (await house.ask("POST", "/v1/segments", json=body))["id"]
    chosen = (await house.ask("POST", "/v1/segments", json={"name": "Liste", "kind": "list"}))["id"]
    people = {"person_ids": [person_id]}
    await house.ask("POST", f"/v1/segments/{chosen}/members", json=people)
    request = AudienceRequest(
        launch_id=LAUNCH,
        campaign_id=UUID(int=2),
        segment_id=UUID(segment),
        purpose=Purpose.NEWSLETTER,
        channel=Channel.EMAIL,
    )
    await house.rig.publish(AudienceRequestedV1(items=(request,)))
    house.known.add("launch_id", str(LAUNCH))


async def _twins(house: Any) -> None:
    """Two pairs who may be the same person: one pair waits, one is merged. And somebody who asked to be forgotten."""
    ids = [
        await _person(house, full_name=name, email=f"{mail}@example.com", phone=None)
        for name, mail in (
            ("Ingrid Solbakken", "ingrid.s"),
            ("Ingrid Solbakken", "i.solbakken"),
            ("Per Lund", "per.l"),
            ("Per Lund", "p.lund"),
        )
    ]
    pair = {"known_id": ids[2], "merged_id": ids[3]}
    await house.ask("POST", "/v1/merges", json=pair)
    leaves = await _person(house, full_name="Eva Lie", email="eva@example.com", phone=None)
    answer = await house.client.request("DELETE", f"/v1/contacts/{leaves}")
    house.known.add("erasure_id", answer.headers["location"].rpartition("/")[2])


async def _tokens(house: Any, person_id: str) -> None:
    signer = house.rig.service.scope.extras[LinkSigner]
    now = house.rig.clock.now()
    for page in PAGES:
        token = path_to(signer, page, UUID(person_id), now=now).rpartition("/")[2]
        house.known.add(f"/p/{page}/", token)
    pool = await house.rig.service.database.pool()
    for row in await pool.fetch("SELECT id FROM confirmation"):
        later = now + timedelta(days=1)
        token = signer.make("confirm", row["id"].bytes, expires_at=later)
        house.known.add("/p/confirm/", token)


async def _export(house: Any) -> None:
    made = await house.ask("POST", "/v1/exports", json={"fields": ["id", "email"]})

    async def is_done() -> bool:
        told = await house.client.get(f"/v1/exports/{made['id']}")
        return bool(told.json()["state"] == "done")

    await eventually(is_done, message="the export was not written")
    link = await house.ask("POST", f"/v1/exports/{made['id']}/link")
    house.known.add("/p/exports/", link["url"].rpartition("/")[2])
