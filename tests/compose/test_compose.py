"""docker-compose.yml brings up a system that does the main job, gives nobody more than it needs, and loses nothing.

The tests run in this order; the later ones hurt the system.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from kantis.registry import ALL, SERVICES
from kantis_kit.testing.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
STEPS = {"secrets", "provision", *(f"migrate-{name}" for name in ALL)}
RUNNING = {
    *SERVICES,
    *(f"{name}-worker" for name in SERVICES),
    "gateway",
    "mailbox",
    "upkeep",
    "postgres",
    "rabbitmq",
}
WITH_SECRETS = {name: {"postgres_dsn", "broker_url", "link_keys", "keys"} for name in ALL} | {
    "contacts": {"postgres_dsn", "broker_url", "link_keys", "keys", "suppression_key"},
    "messaging": {"postgres_dsn", "broker_url", "link_keys", "keys", "smtp_password"},
}
MAIN_JOB_PEOPLE = 300
LEADS = 20
FORM = {
    "key": "compose-form",
    "source": "Compose test",
    "titles": {"en": "Newsletter"},
    "consent": {"en": {"version": "1", "text": "Yes, send me news."}},
    "default_language": "en",
}
LEAD = {
    "preferred_name": "Åse",
    "language": "en",
    "country": "NO",
    "consent": True,
    "consent_version": "1",
}


@pytest.fixture
async def api(stack, key):
    async with httpx.AsyncClient(
        base_url=stack.url, timeout=30, headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


@pytest.fixture(scope="module")
def vault(stack):
    """Every secret of the vault by its path; the step that makes them is the one that can read them."""
    script = (
        "import json, pathlib; root = pathlib.Path('/run/kantis-vault');"
        "print(json.dumps({str(p.relative_to(root)): p.read_text() for p in root.rglob('*') if p.is_file()}))"
    )
    return json.loads(
        stack.compose("run", "--rm", "-T", "--entrypoint", "python", "secrets", "-c", script)
    )


def test_the_file_is_valid_for_both_kinds_of_compose(stack):
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]

    subprocess.run([*checker, str(ROOT / "docker-compose.yml")], check=True, capture_output=True)
    stack.compose("config", "--quiet")


def test_every_step_ended_well_and_everything_else_is_up(stack):
    states = {name: each["State"] for name, each in stack.containers().items()}

    assert STEPS | RUNNING == set(states)
    assert dict.fromkeys(STEPS, 0) == {name: states[name]["ExitCode"] for name in STEPS}
    assert dict.fromkeys(RUNNING, "running") == {name: states[name]["Status"] for name in RUNNING}


def test_the_main_job_plays_through_the_gateway(stack, key, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "kantis", "demo", "--people", str(MAIN_JOB_PEOPLE), "--json"],
        env={
            "PATH": "",
            "KANTIS_URL": stack.url,
            "KANTIS_KEY": key,
            "KANTIS_DATA_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    told = json.loads(done.stdout)
    assert told["orders"] == told["invoices"] > 0
    assert told["ledger"]["is_balanced"]
    assert 0 == told["sent"]["failed"] == told["sent"]["in_doubt"]


async def test_caught_mails_are_shown_through_the_gateway(api):
    page = await api.get("/mailbox")

    assert 200 == page.status_code
    assert "text/html" in page.headers["content-type"]


def test_only_the_gateway_has_a_door_to_the_outside(stack):
    open_doors = {
        name: ports
        for name, each in stack.containers().items()
        if (
            ports := {
                port: bound for port, bound in each["NetworkSettings"]["Ports"].items() if bound
            }
        )
    }

    assert {
        "gateway": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]}
    } == open_doors


def test_only_the_gateway_and_the_mail_sender_have_a_way_out(stack):
    networks = {
        name: {
            each.removeprefix(f"{stack.project}_") for each in found["NetworkSettings"]["Networks"]
        }
        for name, found in stack.containers().items()
    }
    inner = json.loads(
        subprocess.run(
            ["docker", "network", "inspect", f"{stack.project}_back"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )

    assert inner[0]["Internal"]
    assert {"none"} == networks.pop("secrets")
    assert {"back", "edge"} == networks.pop("gateway")
    assert {"back", "outside"} == networks.pop("messaging-worker")
    assert {"back"} == set().union(*networks.values())


def test_no_container_has_rights_that_it_does_not_need(stack):
    def weaknesses(each):
        host = each["HostConfig"]
        if each["Config"]["User"] in {"", "root", "0"}:
            yield "runs as root"
        if not host["ReadonlyRootfs"]:
            yield "may write to its root"
        if host["CapDrop"] != ["ALL"] or host["CapAdd"]:
            yield "has capabilities"
        if not any(option.startswith("no-new-privileges") for option in host["SecurityOpt"]):
            yield "may gain privileges"
        if not host["Memory"] or not (host["PidsLimit"] or 0) > 0:
            yield "has no limit"
        if host["Privileged"] or any("docker.sock" in bound for bound in host["Binds"] or ()):
            yield "may rule the engine"

    assert {} == {
        name: found
        for name, each in stack.containers().items()
        if (found := list(weaknesses(each)))
    }


@pytest.mark.parametrize("service", ALL)
def test_a_service_holds_its_own_secrets_only(stack, service):
    held = stack.compose("exec", "-T", service, "ls", "/run/secrets/kantis").split()
    keys = stack.compose("exec", "-T", service, "ls", "/run/secrets/kantis/keys").split()

    assert WITH_SECRETS[service] == set(held)
    assert {f"{service}.key", "public.json"} == set(keys)


def test_no_secret_is_in_a_log_or_in_what_the_engine_tells(stack, vault):
    public = {"keys/public.json"}
    secrets = {
        name: value.strip() for name, value in vault.items() if name not in public and value.strip()
    }
    told = json.dumps(stack.containers()) + stack.compose("logs", "--no-color")

    assert len(secrets) > 2 * len(ALL)
    # Keys are several lines; one of them is enough to give a key away.
    assert [] == [
        name
        for name, value in secrets.items()
        if value.splitlines()[len(value.splitlines()) // 2] in told
    ]


def test_a_service_may_nothing_in_postgresql_but_its_own_rows(stack):
    found = json.loads(stack.inside("contacts", "postgres_rights.py"))

    assert [] == found["allowed"]
    assert 0 <= found["own_work"]
    assert "scram-sha-256" == found["passwords"]


def test_a_service_may_nothing_in_rabbitmq_but_its_own_queues_and_keys(stack):
    found = json.loads(stack.inside("contacts", "rabbit_rights.py"))

    assert [] == found["allowed"]
    assert found["own_work"]


def test_a_dump_brings_a_lost_database_back(stack):
    def psql(query: str) -> str:
        return stack.compose(
            "exec",
            "-T",
            "postgres",
            "psql",
            "-U",
            "postgres",
            "-qtAX",
            "-d",
            "kantis_contacts",
            "-c",
            query,
        )

    people = "SELECT count(*), max(id::text) FROM person"
    stack.compose("stop", "contacts", "contacts-worker")
    before = psql(people)
    # Kept in the container: what a dump holds is no text.
    dump, back = (
        "pg_dump -U postgres -Fc {0} > /tmp/{0}",
        "pg_restore -U postgres --exit-on-error -d {0} /tmp/{0}",
    )
    stack.compose("exec", "-T", "postgres", "sh", "-c", dump.format("kantis_contacts"))

    stack.compose(
        "exec", "-T", "postgres", "dropdb", "-U", "postgres", "--force", "kantis_contacts"
    )
    stack.compose("run", "--rm", "provision")
    stack.compose("exec", "-T", "postgres", "sh", "-c", back.format("kantis_contacts"))

    assert before == psql(people)
    assert (
        "contacts_owner"
        == psql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'").strip()
    )
    stack.compose("start", "contacts", "contacts-worker")
    asyncio.run(stack.wait_ready())


async def test_a_killed_worker_comes_back_and_every_lead_gets_its_mail_once(stack, api):
    made = await api.post("/v1/forms", json=FORM)
    assert 201 == made.status_code, made.text
    addresses = [f"killed{number}@eksempel.test" for number in range(LEADS)]
    workers = ("contacts-worker", "messaging-worker")
    before = {name: stack.containers()[name]["RestartCount"] for name in workers}

    for number, address in enumerate(addresses):
        if number == LEADS // 2:
            for name in workers:
                stack.kill(name)
        lead = {**LEAD, "email": address}
        taken = await api.post(f"/f/{FORM['key']}", json=lead)
        assert taken.status_code in {200, 201, 202}, taken.text

    async def all_have_mail() -> bool:
        counts = [
            len((await api.get("/mailbox/api/mails", params={"to": each})).json()["items"])
            for each in addresses
        ]
        return all(counts)

    await eventually(
        all_have_mail, message="every lead has its mail", within=180, retry_on=(httpx.HTTPError,)
    )
    after = stack.containers()
    assert all(after[name]["RestartCount"] > before[name] for name in workers)
    await stack.wait_ready()
    for address in addresses:
        mails = (await api.get("/mailbox/api/mails", params={"to": address})).json()["items"]
        # A mail whose sender died after the server's "yes" is sent again as the same mail.
        assert 1 == len({mail["message_id"] for mail in mails}), address


async def test_leads_are_taken_while_their_service_is_away(stack, api):
    stack.compose("stop", "contacts")
    lead = {**LEAD, "email": "away@eksempel.test"}

    taken = await api.post(f"/f/{FORM['key']}", json=lead)
    stack.compose("start", "contacts")

    assert taken.status_code in {200, 201, 202}, taken.text

    async def has_mail() -> bool:
        return bool(
            (await api.get("/mailbox/api/mails", params={"to": lead["email"]})).json()["items"]
        )

    await eventually(
        has_mail, message="the lead has its mail", within=180, retry_on=(httpx.HTTPError,)
    )


async def test_the_broker_may_be_made_anew_and_everything_goes_on(stack, api):
    stack.compose("up", "-d", "--force-recreate", "--no-deps", "rabbitmq")
    await stack.wait_ready()
    lead = {**LEAD, "email": "anew@eksempel.test"}

    taken = await api.post(f"/f/{FORM['key']}", json=lead)

    assert taken.status_code in {200, 201, 202}, taken.text

    async def has_mail() -> bool:
        return bool(
            (await api.get("/mailbox/api/mails", params={"to": lead["email"]})).json()["items"]
        )

    await eventually(
        has_mail, message="the lead has its mail", within=180, retry_on=(httpx.HTTPError,)
    )


def test_another_up_changes_nothing(stack, vault):
    before = {name: each["Id"] for name, each in stack.containers().items() if name in RUNNING}

    stack.compose("up", "-d")
    asyncio.run(stack.wait_ready())

    after = {name: each["Id"] for name, each in stack.containers().items() if name in RUNNING}
    assert before == after
    script = "cd /run/kantis-vault && cat postgres contacts_app link_keys"
    again = stack.compose("run", "--rm", "-T", "--entrypoint", "sh", "secrets", "-c", script)
    assert vault["postgres"] + vault["contacts_app"] + vault["link_keys"] == again
