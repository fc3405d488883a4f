"""What people write is shown when a moderator has looked at it; visitors see no more than the author chose."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_contracts.orders import OrderCard, OrderPaidV1
from kantis_kit.ids import new_id


@pytest.fixture
async def forum(rig_for):
    """Return a rig, a product, and how to call, write and decide."""
    rig = await rig_for(SPEC)
    product = str(new_id())

    async def call(method, path, **more):
        async with rig.client() as client:
            return await client.request(method, f"/v1/community{path}", **more)

    async def write(**body):
        return await call(
            "POST", "/posts", json={"product_id": product, "text": "Warm light", **body}
        )

    async def review(person_id, stars, **more):
        return await write(kind="review", person_id=str(person_id), stars=stars, **more)

    async def decide(answer, *, show=True):
        path = f"/posts/{answer.json()['id']}/decision"
        return await call("POST", path, json={"show": show, "reason": "our rules"})

    async def shown():
        return (await call("GET", f"/reviews/{product}")).json()

    return SimpleNamespace(
        rig=rig, call=call, write=write, review=review, decide=decide, shown=shown, product=product
    )


async def test_a_review_waits_for_a_moderator_and_names_its_author_as_they_chose(forum):
    kari, per, ola = (new_id() for _ in range(3))
    card = OrderCard(
        order_id=new_id(), version=1, number="1", person_id=kari, total_minor=1, currency="NOK",
        changed_at=forum.rig.clock.now(),
    )  # fmt: skip
    await forum.rig.publish(OrderPaidV1(items=(card,)))
    await forum.rig.drain()
    good = await forum.review(kari, 5, nickname="K.")
    bad = await forum.review(per, 2)
    refused = await forum.review(ola, 1)
    before = await forum.shown()
    waiting = (await forum.call("GET", "/posts")).json()["items"]
    for one, show in ((good, True), (bad, True), (refused, False)):
        await forum.decide(one, show=show)

    after = await forum.shown()

    assert (0, None, 3) == (before["reviews"], before["mean"], len(waiting))
    assert (2, 3.5) == (after["reviews"], after["mean"])
    assert {"1": 0, "2": 1, "3": 0, "4": 0, "5": 1} == after["counts"]
    assert [("", False), ("K.", True)] == [
        (one["nickname"], one["is_buyer"]) for one in after["items"]
    ]
    assert not any(str(one) in f"{after}" for one in (kari, per, ola))
    listed = (await forum.call("GET", "/posts", params={"state": "refused"})).json()["items"]
    assert ["our rules"] == [one["reason"] for one in listed]


async def test_a_person_reviews_a_product_once_and_the_company_not_at_all(forum):
    kari = new_id()
    answers = [
        await forum.review(kari, 5),
        await forum.review(kari, 1),
        await forum.write(kind="review", stars=5),
    ]
    assert [201, 409, 422] == [one.status_code for one in answers]
    assert "does not review its own goods" in answers[-1].text


async def test_a_question_is_answered_once_it_is_shown_and_our_answer_stands_first(forum):
    asked = await forum.write(kind="question", person_id=str(new_id()), text="Is it warm?")
    body = {"kind": "answer", "question_id": asked.json()["id"], "product_id": None}
    early = await forum.write(**body, person_id=str(new_id()), text="Yes")
    await forum.decide(asked)
    theirs = await forum.write(**body, person_id=str(new_id()), text="Yes", nickname="Ola")
    ours = await forum.write(**body, text="2700 K")
    hidden = (await forum.call("GET", "/questions")).json()["items"][0]["answers"]
    await forum.decide(theirs)

    (seen,) = (await forum.call("GET", "/questions", params={"product_id": forum.product})).json()[
        "items"
    ]

    assert (409, "question-not-shown") == (
        early.status_code,
        early.json()["type"].rsplit(":", 1)[-1],
    )
    assert ("waiting", "shown") == (theirs.json()["state"], ours.json()["state"])
    assert ["2700 K"] == [one["text"] for one in hidden]
    assert [("2700 K", True), ("Yes", False)] == [
        (one["text"], one["is_ours"]) for one in seen["answers"]
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Write to kari@example.com", "an e-mail address"),
        ("See www.example.com", "a link"),
        ("Ring 412 34 567", "a long number"),
        ("Warm, 2700 K, since 2024", ""),
    ],
    ids=["mail", "link", "telephone", "nothing"],
)
async def test_a_moderator_is_told_what_to_look_at(forum, text, said):
    written = (await forum.review(new_id(), 4, text=text)).json()
    assert said in written["caution"]
    assert bool(said) == bool(written["caution"])


async def test_three_people_have_a_post_wait_again_one_does_not_and_a_new_decision_counts_anew(
    forum,
):
    written = await forum.review(new_id(), 4)
    await forum.decide(written)
    path = f"/posts/{written.json()['id']}/reports"

    async def report(*people):
        for one in people:
            body = {"person_id": str(one), "reason": "not about the lamp"}
            assert 204 == (await forum.call("POST", path, json=body)).status_code
        return (await forum.shown())["reviews"]

    loud, *others = (new_id() for _ in range(4))
    forum.rig.clock.advance(timedelta(seconds=1))
    seen = [await report(loud, loud, loud), await report(*others[:2])]
    (waiting,) = (await forum.call("GET", "/posts")).json()["items"]
    forum.rig.clock.advance(timedelta(seconds=1))
    await forum.decide(written)
    after = await report(others[2])

    assert [1, 0, 1] == [*seen, after]
    assert "3 people" in waiting["caution"]


async def test_of_a_forgotten_author_the_stars_stay_and_the_words_go(forum):
    kari = new_id()
    await forum.decide(await forum.review(kari, 5, nickname="Kari", text="Kari likes it"))
    request = ErasureRequest(
        erasure_id=new_id(), person_ids=(kari,), requested_at=forum.rig.clock.now()
    )
    await forum.rig.publish(ErasureRequestedV1(items=(request,)))
    await forum.rig.drain()
    shown = await forum.shown()
    assert (1, 5.0, []) == (shown["reviews"], shown["mean"], shown["items"])
    listed = (await forum.call("GET", "/posts", params={"state": "shown"})).text
    assert "Kari" not in listed
    assert str(kari) not in listed
