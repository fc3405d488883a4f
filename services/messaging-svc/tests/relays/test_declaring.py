"""Relays and groups of domains at the API: what is kept, what is never shown, what is refused."""

import pytest

from kantis_kit.ids import new_id
from kantis_kit.tx import read
from kantis_kit.vault import CannotUnseal, Vault
from messaging_svc.relays.model import SEALED
from messaging_svc.relays.queries import get_routes
from messaging_svc.settings import MessagingSettings

RELAY = {"name": "a", "host": "mx.lys.example", "port": 587, "user": "kari", "password": "hemmelig"}


@pytest.fixture
async def call(open_house):
    house = await open_house(smtp_host="")

    async def make(method, path, expected=None, **body):
        async with house.rig.client() as client:
            answer = await client.request(method, path, json=body or None)
        assert expected in (None, answer.status_code), answer.text
        return answer

    make.house = house
    return make


async def _routes(call):
    service = call.house.rig.service
    settings = service.settings
    assert isinstance(settings, MessagingSettings)
    vault = Vault.from_text(settings.link_keys.get_secret_value(), purpose=SEALED)
    async with read(service.scope) as tx:
        return await get_routes(tx, settings, vault)


async def test_a_password_is_kept_sealed_never_shown_and_stays_until_it_is_changed(call):
    made = await call("POST", "/v1/relays", 201, **RELAY)
    where = f"/v1/relays/{made.json()['id']}"
    kept = {name: value for name, value in RELAY.items() if name != "password"}
    changed = await call("PUT", where, 200, **(kept | {"port": 465, "tls": "implicit"}))
    told = [made.text, changed.text, (await call("GET", "/v1/relays", 200)).text]
    pool = await call.house.rig.service.database.pool()
    rows = str(await pool.fetch("SELECT r.*, a.* FROM relay r, audit a"))
    (relay,) = (await _routes(call)).relays.values()
    await call("PUT", where, 200, **(kept | {"user": ""}))
    (open_one,) = (await _routes(call)).relays.values()

    assert ("hemmelig", 465, "implicit") == (relay.password, relay.port, relay.tls)
    assert "hemmelig" not in "".join(told) + rows + repr(relay)
    assert '"has_password":true' in changed.text
    assert "" == open_one.password


async def test_what_makes_no_sense_is_refused_with_its_reason(call):
    await call("POST", "/v1/relays", 201, **RELAY)
    other = (await call("POST", "/v1/relays", 201, **(RELAY | {"name": "b"}))).json()["id"]
    cases = [
        ("POST", "/v1/relays", RELAY, 409, "relay-exists"),
        ("PUT", f"/v1/relays/{other}", RELAY, 409, "relay-exists"),
        ("PUT", f"/v1/relays/{new_id()}", RELAY, 404, "relay-not-found"),
        ("DELETE", f"/v1/relays/{new_id()}", {}, 404, "relay-not-found"),
        ("POST", "/v1/relays", RELAY | {"name": "c", "password": None}, 422, "password-missing"),
        ("POST", "/v1/relays", RELAY | {"name": "c", "tls": "none"}, 422, "tls"),
        ("POST", "/v1/relays", RELAY | {"name": "c", "user": ""}, 422, "user"),
        ("POST", "/v1/relays", RELAY | {"name": "c", "domains": ["group:big"]}, 422, "unknown-domain-group"),
        ("POST", "/v1/relays", RELAY | {"name": "c", "host": "a b\r\nMAIL"}, 422, "host"),
        ("PUT", "/v1/mail-domains/big", {"patterns": []}, 422, "patterns"),
        ("PUT", "/v1/mail-domains/big", {"patterns": ["x"], "messages_per_minute": 0}, 422, "messages_per_minute"),
        ("DELETE", "/v1/mail-domains/big", {}, 404, "domain-group-not-found"),
    ]  # fmt: skip

    for method, path, body, status, word in cases:
        answer = await call(method, path, status, **body)
        assert word in answer.text, (path, body, answer.text)


async def test_a_group_that_a_relay_serves_stays(call):
    await call("PUT", "/v1/mail-domains/big", 200, patterns=["BIG.example", "*.big.example"])
    made = await call("POST", "/v1/relays", 201, **(RELAY | {"domains": ["group:big"]}))
    refused = await call("DELETE", "/v1/mail-domains/big", 409)
    await call("DELETE", f"/v1/relays/{made.json()['id']}", 204)
    await call("DELETE", "/v1/mail-domains/big", 204)

    assert "The relay a serves it" in refused.text
    shown = (await call("GET", "/v1/mail-domains", 200)).json()
    assert {"groups": [], "slow": [], "waiting": 0} == shown


async def test_a_relay_whose_password_cannot_be_opened_any_more_is_not_used(call):
    await call("POST", "/v1/relays", 201, **RELAY)
    sealed = Vault.from_text("1:" + "ab" * 32, purpose=SEALED).seal("hemmelig")
    pool = await call.house.rig.service.database.pool()
    await pool.execute("UPDATE relay SET sealed = $1", sealed)

    assert {} == (await _routes(call)).relays


def test_a_new_key_seals_and_the_old_one_still_opens():
    old, both = (
        Vault.from_text("1:" + "ab" * 32, purpose=SEALED),
        Vault.from_text(f"2:{'cd' * 32},1:{'ab' * 32}", purpose=SEALED),
    )

    assert "x" == both.open(old.seal("x"))
    with pytest.raises(CannotUnseal):
        old.open(both.seal("x"))
