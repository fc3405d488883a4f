"""What keeps forms from being used by machines, and against the mailboxes of others."""

import hashlib
import ipaddress
import itertools
import re
from datetime import timedelta

import pytest

from contacts_svc.intake.usecases.guards import is_proof
from contacts_svc.main import SPEC
from contacts_svc.visitors import truncated
from kantis_contracts.contacts import ConfirmationRequestedV1, LeadReceivedV1
from kantis_kit.tx import write

FORM = {
    "key": "autumn",
    "source": "Autumn",
    "titles": {"nb": "Høst"},
    "consent": {"nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."}},
    "default_language": "nb",
}
LEAD = {"full_name": "Åse Bjørk", "email": "ase@example.com", "consent": True}
BITS = 8


async def make_form(rig, **changes):
    async with rig.client() as client:
        answer = await client.post("/v1/forms", json={**FORM, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


def work(started):
    return next(str(n) for n in itertools.count() if is_proof(started, str(n), BITS))


async def test_work_is_asked_for_bound_to_form_and_time_and_worth_one_post(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig, proof_of_work_bits=BITS)
    await make_form(rig, key="other", proof_of_work_bits=BITS)

    async with rig.anonymous() as visitor:

        async def post(started, proof, email="a@example.com"):
            body = {**LEAD, "email": email, "started": started, "proof": proof}
            return (await visitor.post("/f/autumn", json=body)).status_code

        given = (await visitor.get("/f/autumn/challenge")).json()
        foreign = (await visitor.get("/f/other/challenge")).json()["started"]
        started, proof = given["started"], work(given["started"])
        wrong = next(str(n) for n in itertools.count() if not is_proof(started, str(n), BITS))
        answers = [
            await post("", ""),
            await post(started, wrong),
            await post(foreign, work(foreign)),
            await post(started, proof),
            await post(started, proof, "b@example.com"),
        ]
        late = (await visitor.get("/f/autumn/challenge")).json()["started"]
        rig.clock.advance(timedelta(hours=25))
        answers.append(await post(late, work(late), "c@example.com"))
    await rig.drain()

    assert BITS == given["bits"]
    assert [422, 422, 422, 202, 422, 422] == answers
    assert 1 == len(rig.items(LeadReceivedV1))


async def test_our_own_page_works_by_a_script_that_its_policy_names(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig, proof_of_work_bits=BITS)
    await make_form(rig, key="plain")

    async with rig.anonymous() as visitor:
        page = await visitor.get("/f/autumn")
        plain = await visitor.get("/f/plain")
        script = re.search(r"<script>(.*?)</script>", page.text, re.DOTALL)[1]
        started = re.search(r'name="started" value="([^"]+)"', page.text)[1]
        rig.clock.advance(timedelta(seconds=5))
        body = {"full_name": "Åse", "email": "a@example.com", "started": started}
        lazy = await visitor.post("/f/autumn", data=body)
        done = await visitor.post("/f/autumn", data={**body, "proof": work(started)})

    import base64

    name = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{name}'" in page.headers["content-security-policy"]
    assert "<script" not in plain.text
    assert "script-src" not in plain.headers["content-security-policy"]
    assert (422, 200) == (lazy.status_code, done.status_code)


async def test_two_visitors_of_one_moment_have_two_challenges(rig_for):
    rig = await rig_for(SPEC, start=False)
    await make_form(rig, proof_of_work_bits=BITS)

    async with rig.anonymous() as visitor:
        given = {(await visitor.get("/f/autumn/challenge")).json()["started"] for _ in range(5)}

    assert 5 == len(given)


async def test_a_form_takes_as_many_posts_an_hour_as_it_says_whatever_process_counts(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig, posts_per_hour=2)
    await make_form(rig, key="other")

    async with rig.anonymous() as visitor:

        async def post(path, n):
            return await visitor.post(path, json={**LEAD, "email": f"a{n}@example.com"})

        answers = [await post("/f/autumn", n) for n in range(3)]
        other = await post("/f/other", 9)
        rig.clock.advance(timedelta(hours=1))
        later = await post("/f/autumn", 4)

    assert [202, 202, 429] == [one.status_code for one in answers]
    assert 0 < int(answers[2].headers["retry-after"]) <= 3_601
    assert (202, 202) == (other.status_code, later.status_code)


async def test_a_mailbox_that_never_answers_is_asked_three_times_in_all(rig_for):
    rig = await rig_for(SPEC)
    forms = [f"form-{n}" for n in range(5)]
    for key in forms:
        await make_form(rig, key=key, purposes=["newsletter"])

    async with rig.anonymous() as visitor:
        for key in forms:
            answer = await visitor.post(f"/f/{key}", json=LEAD)
            assert 202 == answer.status_code
            await rig.drain()
            rig.clock.advance(timedelta(hours=25))
            await rig.drain()

    assert forms[:3] == [one.form_key for one in rig.items(ConfirmationRequestedV1)]


async def test_an_answer_lets_the_mailbox_be_asked_about_something_new(rig_for):
    rig = await rig_for(SPEC)
    purposes = ["newsletter", "offers", "surveys"]
    asks = rig.items

    async with rig.anonymous() as visitor:
        for n, purpose in enumerate([*purposes, *purposes]):
            if n < len(purposes):
                await make_form(rig, key=purpose, purposes=[purpose])
            await visitor.post(f"/f/{purpose}", json=LEAD)
            await rig.drain()
            if n < len(purposes):
                await visitor.post(asks(ConfirmationRequestedV1)[-1].confirm_path)
            rig.clock.advance(timedelta(hours=25))
        pool = await rig.service.database.pool()
        counted = await pool.fetchval("SELECT count(*) FROM asked_mailbox")

    assert (3, 0) == (len(asks(ConfirmationRequestedV1)), counted)


async def test_all_forms_together_ask_so_many_mailboxes_an_hour_and_the_others_later(rig_for):
    rig = await rig_for(SPEC, settings={"contacts": {"confirmations_per_hour": 2}})
    await make_form(rig)
    await make_form(rig, key="winter")

    async with rig.anonymous() as visitor:
        for n in range(4):
            path = "/f/autumn" if n % 2 else "/f/winter"
            answer = await visitor.post(path, json={**LEAD, "email": f"a{n}@example.com"})
            assert 202 == answer.status_code
    await rig.drain()
    first = len(rig.items(ConfirmationRequestedV1))
    rig.clock.advance(timedelta(hours=2))
    await rig.drain()

    assert (2, 4) == (first, len(rig.items(ConfirmationRequestedV1)))


async def test_what_no_longer_counts_is_forgotten(rig_for):
    from contacts_svc.intake.usecases import forget_guards

    rig = await rig_for(SPEC)
    await make_form(rig, proof_of_work_bits=BITS)
    async with rig.anonymous() as visitor:
        given = (await visitor.get("/f/autumn/challenge")).json()["started"]
        await visitor.post("/f/autumn", json={**LEAD, "started": given, "proof": work(given)})
    pool = await rig.service.database.pool()

    async def rows():
        return [
            await pool.fetchval("SELECT count(*) FROM intake_window"),
            await pool.fetchval("SELECT count(*) FROM proof_of_work"),
        ]

    before = await rows()
    rig.clock.advance(timedelta(days=9))
    async with write(rig.service.scope) as tx:
        await forget_guards(tx)

    assert [2, 1] == before
    assert [0, 0] == await rows()


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.77",
        "1.0.0.0",
        "255.255.255.255",
        "192.0.2.256",
        "192.0.2.07",
        "192.0.2",
        "",
        "::1",
        "2001:db8:1:2::3",
    ],
)
def test_a_network_is_cut_as_the_library_would_cut_it(address):
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        expected = ""
    else:
        bits = {4: 24, 6: 48}[found.version]
        expected = str(ipaddress.ip_network((found, bits), strict=False))

    assert expected == truncated(address)
