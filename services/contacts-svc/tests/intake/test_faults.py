"""Leads and confirmations when posts come twenty times at once, and when the process dies between any two steps."""

import asyncio
import itertools
from collections import Counter
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from contacts_svc.intake.limits import LeadLimits
from contacts_svc.main import SPEC
from kantis_contracts.contacts import ConfirmationRequestedV1, LeadReceivedV1, PersonChangedV1
from kantis_kit import failpoints
from kantis_kit.failpoints import FailPointHit

FORM = {
    "key": "autumn",
    "source": "Autumn competition",
    "purposes": ["newsletter"],
    "titles": {"nb": "Høst"},
    "consent": {"nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."}},
    "default_language": "nb",
}
LEAD = {"full_name": "Åse Bjørk", "email": "ase@example.com", "consent": True}
GENEROUS = {
    "contacts": {"form_posts_per_ip": "10000/minute", "form_posts_per_address": "10000/hour"}
}


@pytest.fixture(autouse=True)
def no_failpoint_stays():
    yield
    failpoints.disarm_all()


async def make_form(rig, **changes):
    async with rig.client() as client:
        answer = await client.post("/v1/forms", json={**FORM, **changes})
    assert answer.status_code == 201, answer.text


async def state_of(rig, person_id):
    async with rig.client() as client:
        return [
            one["state"]
            for one in (await client.get(f"/v1/contacts/{person_id}/permissions")).json()
        ]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one-lead"}])
async def test_the_same_lead_posted_twenty_times_at_once_is_one_lead(rig_for, headers):
    rig = await rig_for(SPEC, settings=GENEROUS)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        answers = await asyncio.gather(
            *(visitor.post("/f/autumn", json=LEAD, headers=headers) for _ in range(20))
        )
        told = Counter(answer.status_code for answer in answers)
        again = await visitor.post("/f/autumn", json=LEAD, headers=headers)
        other = await visitor.post(
            "/f/autumn", json={**LEAD, "full_name": "Other"}, headers=headers
        )
    await rig.drain()

    assert told.keys() <= {202, 409}  # 409: the first one under this key is still at work
    assert 1 == len({answer.text for answer in answers if answer.status_code == 202})
    # What says something else is another visitor's, whatever key it brings: the one person, and nobody is asked again.
    assert [202, 202] == [again.status_code, other.status_code]
    assert (1, 1, 1) == tuple(
        len(rig.items(kind)) for kind in (PersonChangedV1, LeadReceivedV1, ConfirmationRequestedV1)
    )


async def test_a_crash_at_any_step_of_the_double_opt_in_leaves_all_or_nothing(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)
    outcomes = []

    async with rig.anonymous() as visitor:

        async def crash(point, path, **body):
            failpoints.arm(point, "raise")
            try:
                answer = await visitor.post(path, **body)
            except FailPointHit:
                return "died"
            finally:
                failpoints.disarm_all()
            return answer.status_code

        outcomes.append(await crash("tx.before_commit", "/f/autumn", json=LEAD))
        await rig.drain()
        nothing = rig.items(LeadReceivedV1)
        outcomes.append(await crash("tx.after_commit", "/f/autumn", json=LEAD))
        await visitor.post("/f/autumn", json=LEAD)
        await rig.drain()
        (asked,) = rig.items(ConfirmationRequestedV1)
        outcomes.append(await crash("tx.before_commit", asked.confirm_path))
        before = await state_of(rig, asked.person_id)
        outcomes.append(await crash("tx.after_commit", asked.confirm_path))
        after = await state_of(rig, asked.person_id)
        replayed = await visitor.post(asked.confirm_path)
    async with rig.client() as client:
        proof = (await client.get(f"/v1/contacts/{asked.person_id}/permissions/proof")).json()

    assert 202 not in outcomes
    assert 200 not in outcomes
    assert [] == nothing
    assert 1 == len(rig.items(LeadReceivedV1))
    assert (["pending"], ["granted"], 200) == (before, after, replayed.status_code)
    assert ["pending", "granted"] == [one["state"] for one in proof]
    evidence = proof[-1]["evidence"]
    assert str(asked.request_id) == evidence["confirmation_id"]
    assert {"form_key", "lead_id", "asked_at", "address_hash", "posted", "box"} <= evidence.keys()
    assert ("1", "email", "newsletter") == (
        proof[-1]["text_version"],
        proof[-1]["channel"],
        proof[-1]["purpose"],
    )


async def test_one_mailbox_in_many_spellings_is_asked_once_a_day_and_three_times_in_all(rig_for):
    rig = await rig_for(SPEC, settings=GENEROUS)
    await make_form(rig)
    await make_form(rig, key="winter")
    asked = []

    async with rig.anonymous() as attacker:
        for day in range(5):
            for n in range(6):
                path = "/f/autumn" if n % 3 else "/f/winter"
                name, host = ("vic.tim", "googlemail") if n % 2 else ("Victim", "gmail")
                email = f"{name}+{day}{n}@{host}.com"
                answer = await attacker.post(path, json={**LEAD, "email": email})
                assert 202 == answer.status_code
            await rig.drain()
            asked.append(len(rig.items(ConfirmationRequestedV1)))
            rig.clock.advance(timedelta(hours=24, minutes=1))

    assert [1, 2, 3, 3, 3] == asked


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one-lead"}])
async def test_who_repeats_a_lead_while_the_database_is_away_does_not_post_too_often(
    rig_for, postgres_server, headers
):
    narrow = {"contacts": {"form_posts_per_ip": "5/minute", "form_posts_per_address": "5/hour"}}
    rig = await rig_for(SPEC, settings=narrow, start=False)
    await make_form(rig)
    database = urlsplit(rig.dsns["contacts"]).path[1:]
    end = f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'"

    async with rig.anonymous() as visitor:
        other = {**LEAD, "email": "ola@example.com"}
        await visitor.post("/f/autumn", json=other, headers={"Idempotency-Key": "before"})
        await postgres_server.execute(end, f"ALTER DATABASE {database} RENAME TO {database}_away")
        away = [await visitor.post("/f/autumn", json=LEAD, headers=headers) for _ in range(12)]
        await postgres_server.execute(f"ALTER DATABASE {database}_away RENAME TO {database}")
        back = await visitor.post("/f/autumn", json=LEAD, headers=headers)

    assert {503} == {answer.status_code for answer in away}
    assert 202 == back.status_code, back.text


@pytest.mark.parametrize(
    ("posts", "of_one_network", "asked_in_all"),
    [(30, 12, 9), pytest.param(10_000, 120, 1_040, marks=pytest.mark.slow)],
)
async def test_an_attack_on_one_mailbox_and_one_from_one_network_keep_nobody_out(
    rig_for, posts, of_one_network, asked_in_all
):
    settings = {
        "trust_forwarded_for": True,
        "form_posts_per_ip": f"{of_one_network}/minute",
        "confirmations_per_hour": asked_in_all,
    }
    rig = await rig_for(SPEC, settings={"contacts": settings}, start=False)
    # It is all one minute, however long it takes.
    standing = LeadLimits.from_settings(
        rig.service.settings, moment=lambda: rig.clock.now().timestamp()
    )
    rig.service.scope.extras[LeadLimits] = standing
    await make_form(rig)
    told = {kind: Counter() for kind in ("one mailbox", "one network", "machines", "people")}
    number = itertools.count()
    spellings = itertools.cycle(("vic.tim", "v.ictim", "victim", "V.i.c.tim"))
    hosts = itertools.cycle(("gmail.com", "googlemail.com"))

    async def post(visitor, kind, email, network, **more):
        answer = await visitor.post(
            "/f/autumn",
            json={**LEAD, "email": email, **more},
            headers={"Idempotency-Key": f"k{next(number)}", "X-Forwarded-For": network},
        )
        told[kind][answer.status_code] += 1

    def attacks(visitor, each):
        for n in each:
            victim = f"{next(spellings)}+{n}@{next(hosts)}"
            yield post(visitor, "one mailbox", victim, f"10.{n % 200}.{n // 200}.1")
            yield post(visitor, "one network", f"v{n}@example.com", "192.0.2.66")
        for n in each[::10]:
            network = f"172.16.{n // 250}.{n % 250}"
            yield post(visitor, "people", f"p{n}@example.org", network)
            yield post(visitor, "machines", f"m{n}@example.net", network, website="https://spam")

    async with rig.anonymous() as visitor:
        for first in range(0, posts, 50):
            each = range(first, min(first + 50, posts))
            await asyncio.gather(*attacks(visitor, each))
        pool = await rig.service.database.pool()
        addresses = [row["email"] for row in await pool.fetch("SELECT email FROM confirmation")]
        answered = {kind: Counter(counts) for kind, counts in told.items()}
        victims = [sum("@g" in email for email in addresses)]
        for day in range(1, 5):
            rig.clock.advance(timedelta(hours=24, minutes=1))
            for n in range(3):
                email = f"{next(spellings)}+{day}.{n}@{next(hosts)}"
                await post(visitor, "one mailbox", email, f"10.{n}.{day}.2")
            query = "SELECT count(*) FROM confirmation WHERE email LIKE '%@g%'"
            victims.append(await pool.fetchval(query))

    assert Counter({202: posts // 10}) == answered["people"] == answered["machines"]
    assert {202: 20, 429: posts - 20} == answered["one mailbox"]
    assert {202: of_one_network, 429: posts - of_one_network} == answered["one network"]
    assert [1, 2, 3, 3, 3] == victims
    assert asked_in_all == len(addresses) == len(set(addresses))
    assert not any(email.endswith("@example.net") for email in addresses)
