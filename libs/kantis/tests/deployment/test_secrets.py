"""The secrets of a deployment: made once, laid out so that nobody holds another's, and stable from start to start."""

import hashlib
import json
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kantis.deployment.secrets import Places, fill_vault, hand_out
from kantis.registry import ALL
from kantis_kit.auth.links import LinkSigner
from kantis_kit.signing import Keys

PLACES = Places()


@pytest.fixture
def vault(tmp_path):
    fill_vault(tmp_path / "vault")
    return tmp_path / "vault"


@pytest.fixture
def out(vault, tmp_path):
    hand_out(vault, tmp_path / "out", PLACES)
    return tmp_path / "out"


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nobody_else_may_read_the_vault(vault):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in vault.iterdir() if path.is_file()}

    assert 0o700 == stat.S_IMODE(vault.stat().st_mode)
    assert {0o600} == modes


def test_what_is_handed_out_is_read_by_its_group_and_written_by_nobody(out):
    assert {0o440} == {
        stat.S_IMODE(path.stat().st_mode) for path in out.rglob("*") if path.is_file()
    }


def test_another_start_changes_nothing(vault, out):
    before = contents(vault), contents(out)

    fill_vault(vault)
    hand_out(vault, out, PLACES)

    assert before == (contents(vault), contents(out))


def test_no_two_secrets_are_alike(vault):
    values = [
        value for name, value in contents(vault).items() if value and name != "keys/public.json"
    ]

    assert len(values) == len(set(values))


def test_a_changed_secret_reaches_those_who_need_it_and_only_them(vault, out):
    before = contents(out)
    (vault / "rabbitmq_orders").write_text("another-password", encoding="utf-8")

    hand_out(vault, out, PLACES)

    after = contents(out)
    changed = {name for name in after if after[name] != before[name]}
    assert {"orders/broker_url", "rabbitmq/definitions.json"} == changed


@pytest.mark.parametrize("service", ALL)
def test_a_service_finds_everything_that_it_needs(out, service):
    folder = out / service
    dsn = urlsplit((folder / "postgres_dsn").read_text(encoding="utf-8"))
    broker = urlsplit((folder / "broker_url").read_text(encoding="utf-8"))

    assert (f"{service}_app", f"/kantis_{service}", "postgres") == (
        dsn.username,
        dsn.path,
        dsn.hostname,
    )
    assert (service, "/kantis", "rabbitmq") == (broker.username, broker.path, broker.hostname)
    assert LinkSigner.from_text((folder / "link_keys").read_text(encoding="utf-8"))
    keys = Keys.load(folder / "keys", service)
    assert keys.private.public_key() == keys.public(service)[0]


@pytest.mark.parametrize("service", ALL)
def test_a_service_is_given_no_secret_of_another(vault, out, service):
    others = {
        name: value
        for name, value in contents(vault).items()
        for other in ALL
        if other != service and name in {f"{other}_app", f"rabbitmq_{other}", f"keys/{other}.key"}
    }
    owners = {name: value for name, value in contents(vault).items() if name.endswith("_owner")}
    held = "".join(contents(out / service).values())

    assert [] == [name for name, value in (others | owners).items() if value in held]
    assert contents(vault)["postgres"] not in held


def test_an_owner_of_a_database_is_known_to_the_migrations_alone(out):
    assert {f"{service}_dsn" for service in ALL} == set(contents(out / "owners"))
    for service in ALL:
        dsn = urlsplit((out / "owners" / f"{service}_dsn").read_text(encoding="utf-8"))
        assert f"{service}_owner" == dsn.username


def test_what_nobody_needs_any_more_is_taken_away(vault, out):
    (out / "orders" / "old_secret").write_text("x", encoding="utf-8")

    hand_out(vault, out, PLACES)

    assert not (out / "orders" / "old_secret").exists()


def test_the_broker_gets_hashes_and_no_password(vault, out):
    text = (out / "rabbitmq" / "definitions.json").read_text(encoding="utf-8")
    given = json.loads(text)

    assert list(ALL) == [user["name"] for user in given["users"]]
    assert all(user["tags"] == [] for user in given["users"])
    assert not [service for service in ALL if contents(vault)[f"rabbitmq_{service}"] in text]


def test_a_password_s_hash_is_what_rabbitmq_makes_of_it():
    import base64

    from kantis.deployment.rabbit import password_hash

    raw = base64.b64decode(password_hash("secret"))

    assert raw[4:] == hashlib.sha256(raw[:4] + b"secret").digest()
