"""The short way of a lead leaves what the long way leaves, and answers what the long way answers."""

import asyncio
import json
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
import pytest

from contacts_svc.intake import posts
from contacts_svc.intake.fast import fast_leads
from contacts_svc.main import SPEC
from kantis_contracts.contacts import LeadReceivedV1, PersonChangedV1
from kantis_kit import failpoints
from kantis_kit.auth.links import LinkSigner
from kantis_kit.failpoints import FailPointHit
from kantis_kit.testing.rig import LINK_KEYS

SEED = 20_260_411
LONG = replace(SPEC, fast={})
POSTS = 60
LEAD = {"full_name": "Åse Bjørk", "consent": True, "consent_version": ""}
GENEROUS = {
    "contacts": {
        "form_posts_per_ip": "100000/minute",
        "form_posts_per_address": "3/hour",
        "form_minimum_seconds": 0,
    }
}
FORM = {
    "key": "autumn",
    "source": "Autumn competition",
    "titles": {"nb": "Høst", "en": "Autumn"},
    "consent": {
        "nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."},
        "en": {"version": "1", "text": "Yes, send me news."},
    },
    "default_language": "nb",
    "origins": ["https://shop.example"],
    "redirects": ["https://shop.example/thanks"],
}
FORMS = (
    FORM,
    {
        **FORM,
        "key": "spring",
        "double_opt_in": False,
        "purposes": ["offers", "newsletter"],
        "channels": ["email", "sms", "letter"],
        "country": "SE",
    },
    {**FORM, "key": "letters", "channels": ["letter", "sms"], "posts_per_hour": 2},
    {**FORM, "key": "asks", "topics": [{"key": "boats", "labels": {"nb": "Båt", "en": "Boats"}}]},
)
TABLES = [
    "person",
    "identifier",
    "person_change",
    "lead",
    "permission_state",
    "permission_ledger",
    "list_member",
    "touched_person",
    "confirmation",
    "confirmation_slot",
    "asked_mailbox",
    "intake_window",
    "idempotency",
    "form_trap",
    "timer",
    "outbox",
]
NOT_COMPARED = {
    "id",
    "request_hash",
    "seq",
    "ledger_id",
    "shard",
    "correlation_id",
    "traceparent",
    "followed",
}
UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TOKENS = re.compile(r"/p/confirm/[A-Za-z0-9._~-]+")


async def make_forms(rig):
    """Make the forms; return for each what its page says of when it was given."""
    signer = LinkSigner.from_text(LINK_KEYS)
    async with rig.client() as client:
        made = await client.post("/v1/segments", json={"name": "List", "kind": "list"})
        stamps = {}
        for form in FORMS:
            body = {**form, "list_id": made.json()["id"]} if form["key"] != "letters" else form
            answer = await client.post("/v1/forms", json=body)
            assert answer.status_code == 201, answer.text
            form_id = UUID(answer.json()["id"])
            stamps[form["key"]] = posts.stamp(signer, form_id, rig.clock.now())
    return stamps


def a_post(rng, number):
    """Return one post as people, programs and machines send them: half are good, the others have something about them."""
    some = rng.choice
    body = {
        "email": some([f"a{number}@example.com", f"A{number}+tag@Example.COM"]),
        "phone": some(["", "", f"+47 9{number:03d} 12 34"]),
        "full_name": some(["Åse Bjørk", "Åse Bjørk 😀"]),
        "preferred_name": some(["", "Åse"]),
        "street": some(["", "Storgata 1"]),
        "city": some(["", "Oslo"]),
        "consent": some([True, True, False]),
        "consent_version": some(["", "1"]),
        "language": some([None, "nb", "en", "fi"]),
        "country": some([None, None, "DK"]),
        "next": some(["", "https://shop.example/thanks"]),
    }
    oddities = [
        {"email": ""},
        {"email": "no address"},
        {"email": "a1@example.com"},
        {"email": f"b.{number}@gmail.com", "phone": "912 34 567"},
        {"phone": "12"},
        {"full_name": ""},
        {"full_name": "x" * 201},
        {"full_name": "Kari 01010112345"},
        {"postal_code": "0155"},
        {"postal_code": "bad code here!"},
        {"consent_version": "2"},
        {"website": "http://spam"},
        {"topics": ["boats"]},
    ]
    if rng.random() < 0.5:
        body.update(some(oddities))
    return {name: value for name, value in body.items() if value not in (None, "", [])}


def a_request(rng, number, started):
    """Return path, content and headers of one request."""
    key = rng.choice(
        ["autumn", "autumn", "autumn", "spring", "spring", "spring", "letters", "asks", "none"]
    )
    body = a_post(rng, number)
    headers = {
        "idempotency-key": f"post-{number if rng.random() < 0.95 else 1}",
        "user-agent": "Firefox",
        "accept-language": rng.choice(["nb", "en-GB,en;q=0.9", "fi"]),
    }
    if rng.random() < 0.2:
        headers["origin"] = rng.choice(["https://shop.example", "https://elsewhere.example"])
    if rng.random() < 0.6:
        if rng.random() < 0.2:
            body["started"] = rng.choice([started.get(key, ""), "forged"])
        content = json.dumps(body) if rng.random() < 0.95 else '{"broken'
        headers["content-type"] = "application/json"
    else:
        body["consent"] = "on" if body.pop("consent") else ""
        content = urlencode({**body, "started": started.get(key, "")}, doseq=True)
        headers["content-type"] = "application/x-www-form-urlencoded"
    return f"/f/{key}?lang={rng.choice(['', 'en'])}", content.encode(), headers


def told_of(answer):
    """Return what an answer says, without what is another one's every time."""
    body = re.sub(r'"correlation_id":"[^"]*"|value="[^"]*"', "", answer.text)
    headers = {
        k: v for k, v in answer.headers.items() if k not in ("x-correlation-id", "content-length")
    }
    return answer.status_code, body, headers


async def rows_of(rig):
    """Return every row that posts leave, with the names of things in place of their ids."""
    connection = await asyncpg.connect(rig.dsns["contacts"])
    try:
        found = {
            table: [dict(row) for row in await connection.fetch(f"SELECT * FROM {table}")]
            for table in TABLES
        }
    finally:
        await connection.close()
    names = {}
    for row in sorted(found["identifier"], key=lambda one: (one["kind"], one["value"])):
        names.setdefault(str(row["person_id"]), f"person {row['value']}")
    for row in found["lead"]:
        names[str(row["id"])] = f"lead {row['form_key']} {names[str(row['person_id'])]}"
    families, windows, items = Counter(), Counter(), []
    for row in found.pop("touched_person"):
        families[names[str(row["person_id"])]] |= row["families"]
    for row in found.pop("intake_window"):
        windows[row["name"], row["starts_at"]] += row["counted"]
    for row in found["idempotency"]:
        row["caller"] = row["caller"].partition(":")[
            0
        ]  # the rest is of the request, as its hash is
    for row in found.pop("outbox"):
        items += [(row["type"], one) for one in json.loads(row["data"])["items"]]

    def told(row):
        shown = json.dumps(
            {k: v for k, v in row.items() if k not in NOT_COMPARED}
            if isinstance(row, dict)
            else row,
            default=lambda one: one.hex() if isinstance(one, bytes) else str(one),
            sort_keys=True,
        )
        shown = TOKENS.sub("<link>", UUIDS.sub(lambda one: names.get(one[0], "<id>"), shown))
        return re.sub(r'\\?"ledger_id\\?": ?\\?"[^"]*"', "", shown)

    return {
        "touched": dict(families),
        "windows": sorted(windows.values()),
        "events": sorted(map(told, items)),
        **{table: sorted(map(told, rows)) for table, rows in found.items()},
    }


@pytest.fixture(autouse=True)
def no_failpoint_stays():
    yield
    failpoints.disarm_all()


class Pages:
    """The pages behind the short way; notes what they are asked."""

    def __init__(self, app):
        self.app, self.state, self.asked = app, app.state, 0

    async def __call__(self, scope, receive, send):
        self.asked += scope["method"] == "POST"
        await self.app(scope, receive, send)


@pytest.fixture
def watched():
    """Provide a spec whose pages are watched, and the pages once they stand."""
    pages = []

    def wrap(service, app):
        pages.append(Pages(app))
        return fast_leads(service, pages[-1])

    return replace(SPEC, fast={"/f": wrap}), pages


async def test_any_post_leaves_the_same_rows_and_answer_on_the_short_way_and_on_the_long(
    rig_for, watched
):
    rng = random.Random(SEED)
    spec, pages = watched
    rigs = [
        await rig_for(spec, settings=GENEROUS, start=False),
        await rig_for(LONG, settings=GENEROUS, start=False),
    ]
    started = [await make_forms(rig) for rig in rigs]
    answers = [[], []]

    for number in range(POSTS):
        state = rng.getstate()
        for rig, stamps, into in zip(rigs, started, answers, strict=True):
            rng.setstate(state)
            path, content, headers = a_request(rng, number, stamps)
            async with rig.anonymous() as visitor:
                answer = await visitor.post(path, content=content, headers=headers)
            into.append((path, *told_of(answer)))

    short, long = answers
    assert long == short, f"seed {SEED}"
    assert await rows_of(rigs[1]) == await rows_of(rigs[0]), f"seed {SEED}"
    assert {202, 200, 303, 403, 404, 422, 429} <= {status for _, status, *_ in short}
    assert POSTS * 0.25 < POSTS - pages[0].asked < POSTS * 0.8


async def test_leads_that_come_together_are_kept_together_and_one_of_them_alone_goes_the_long_way(
    rig_for, watched
):
    spec, pages = watched
    rig = await rig_for(spec, settings=GENEROUS, start=False)
    await make_forms(rig)
    bodies = [{**LEAD, "email": f"l{number}@example.com"} for number in range(12)]
    bodies[5] = {**bodies[5], "email": bodies[4]["email"]}  # the same mailbox twice in one group

    async with rig.anonymous() as visitor:
        answers = await asyncio.gather(
            *(
                visitor.post("/f/autumn", json=body, headers={"idempotency-key": f"k{number}"})
                for number, body in enumerate(bodies)
            )
        )
        again = await visitor.post("/f/autumn", json=bodies[0], headers={"idempotency-key": "k0"})
        other = await visitor.post("/f/autumn", json=bodies[1], headers={"idempotency-key": "k0"})
    rows = await rows_of(rig)

    assert {202} == {answer.status_code for answer in answers}
    assert (202, "true") == (again.status_code, again.headers["idempotency-replayed"])
    # Another visitor who comes with the same key is taken for themselves.
    assert (answers[0].content, 202) == (again.content, other.status_code)
    assert "idempotency-replayed" not in other.headers
    assert 11 == len(rows["lead"])
    assert 3 == pages[0].asked
    pool = await rig.service.database.pool()
    stored = await pool.fetch("SELECT data FROM outbox WHERE type = $1", PersonChangedV1.type)
    assert len(stored) < 11


async def test_after_somebody_who_is_known_everybody_new_is_kept_and_told_of_once(rig_for, watched):
    spec, pages = watched
    rig = await rig_for(spec, settings=GENEROUS, start=False)
    await make_forms(rig)

    async def together(*names):
        async with rig.anonymous() as visitor:
            return await asyncio.gather(
                *(
                    visitor.post(
                        "/f/autumn",
                        json={**LEAD, "email": f"{name}@example.com"},
                        headers={"idempotency-key": f"{name} {at}"},
                    )
                    for at, name in enumerate(names)
                )
            )

    answers = await together("a", "b", "c", "d")
    # The first of a group is written alone, so the one who is known comes behind, among people who are new.
    answers += await together("e", "f", "a", "g")
    answers += await together("h", "i", "j")
    answers += await together("k", "l")
    rows = await rows_of(rig)
    pool = await rig.service.database.pool()
    told = [
        item["lead_id"]
        for row in await pool.fetch("SELECT data FROM outbox WHERE type = $1", LeadReceivedV1.type)
        for item in json.loads(row["data"])["items"]
    ]

    assert [202] * 13 == [answer.status_code for answer in answers]
    assert 1 == pages[0].asked
    assert 12 == len(rows["lead"]) == len(told) == len(set(told))
    assert 12 == len(rows["confirmation"])
    counted = await pool.fetchval("SELECT sum(counted) FROM intake_window WHERE name = 'asked'")
    assert 12 == counted


async def test_a_form_that_was_closed_or_reworded_is_not_served_from_memory(rig_for):
    rig = await rig_for(SPEC, settings=GENEROUS, start=False)
    await make_forms(rig)

    async def post(name, **more):
        async with rig.anonymous() as visitor:
            body = {**LEAD, "email": f"{name}@example.com", **more}
            return await visitor.post("/f/autumn", json=body, headers={"idempotency-key": name})

    first = await post("first")
    async with rig.client() as client:
        form = next(one for one in (await client.get("/v1/forms")).json() if one["key"] == "autumn")
        path = f"/v1/forms/{form['id']}"
        told = await client.get(path)
        new = {**FORM, "consent": {"nb": {"version": "2", "text": "Andre ord."}}}
        new["titles"] = {"nb": "Høst"}
        changed = await client.put(path, json=new, headers={"If-Match": told.headers["etag"]})
        second = await post("second")
        await client.delete(path)
        third = await post("third")
    pool = await rig.service.database.pool()
    versions = await pool.fetch("SELECT text_version FROM lead ORDER BY id")

    assert [202, 200, 202, 404] == [a.status_code for a in (first, changed, second, third)]
    assert ["1", "2"] == [row["text_version"] for row in versions]


async def test_a_lead_that_cannot_be_written_does_not_fail_those_beside_it(rig_for):
    rig = await rig_for(SPEC, settings=GENEROUS, start=False)
    await make_forms(rig)
    pool = await asyncpg.connect(rig.service.settings.postgres_owner_dsn.get_secret_value())
    await pool.execute(
        "ALTER TABLE lead ADD CONSTRAINT planted CHECK (fields->>'email' NOT LIKE 'bad%')"
    )
    await pool.close()

    async with rig.anonymous() as visitor:
        answers = await asyncio.gather(
            *(
                visitor.post(
                    "/f/autumn",
                    json={
                        **LEAD,
                        "email": f"{'bad' if number == 7 else 'good'}{number}@example.com",
                    },
                    headers={"idempotency-key": f"k{number}"},
                )
                for number in range(12)
            )
        )
    rows = await rows_of(rig)

    assert [500] == [one.status_code for one in answers if one.status_code != 202]
    assert 500 == answers[7].status_code
    assert (11, 11) == (len(rows["lead"]), len(rows["idempotency"]))


async def test_one_key_is_one_lead_on_the_short_way_also_after_a_day_and_after_a_crash(
    rig_for, watched
):
    spec, pages = watched
    rig = await rig_for(spec, settings=GENEROUS, start=False)
    await make_forms(rig)
    body = {**LEAD, "email": "once@example.com"}

    async def post(key="once", **more):
        async with rig.anonymous() as visitor:
            return await visitor.post(
                "/f/autumn", json={**body, **more}, headers={"idempotency-key": key}
            )

    failpoints.arm("tx.after_commit", "raise")  # the process dies between the effect and the answer
    try:
        died = await post()
    except FailPointHit:
        died = None
    failpoints.disarm_all()
    before = pages[0].asked
    at_once = await asyncio.gather(*(post() for _ in range(20)))
    rig.clock.advance(timedelta(hours=25))
    later = await post()
    rows = await rows_of(rig)

    assert died is None or died.status_code in (202, 500)
    assert 20 == pages[0].asked - before - 1
    assert {(202, "true")} == {
        (one.status_code, one.headers.get("idempotency-replayed")) for one in (*at_once, later)
    }
    assert 1 == len({one.content for one in (*at_once, later)})
    assert (1, 1, 1) == (len(rows["lead"]), len(rows["person"]), len(rows["confirmation"]))
    assert ['"times": 1'] == re.findall(r'"times": \d+', " ".join(rows["lead"]))
