"""Surveys are answered once, by link or API, in five languages; panels count votes, beta tests seats."""

import asyncio
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import pytest

from campaign_svc.main import SPEC
from campaign_svc.surveys.queries import judge
from campaign_svc.surveys.schemas import Question
from kantis_contracts.campaign import SurveyAnsweredV1
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_kit.ids import new_id

LANGUAGES = ("nb", "sv", "da", "fi", "en")


def words(text):
    return {one: f"{text} {one}" for one in LANGUAGES}


RECOMMEND = {
    "key": "recommend", "kind": "nps", "words": words("Recommend?"), "is_required": True, "low_term": "unhappy",
}  # fmt: skip
WHY = {
    "key": "why", "kind": "choice", "words": words("Why?"),
    "choices": [
        {"key": "price", "words": words("Price"), "term": "too_dear"},
        {"key": "other", "words": words("Other")},
    ],
}  # fmt: skip
SAY = {"key": "say", "kind": "text", "words": words("Anything else?")}
SURVEY = {"name": "After", "titles": words("How was it?"), "questions": [RECOMMEND, WHY, SAY]}


@pytest.fixture
async def desk(rig_for):
    """Return a rig, how to call it, how to make a survey, and how to get a person's link to it."""
    rig = await rig_for(SPEC)

    async def call(method, path, **more):
        async with rig.client() as client:
            return await client.request(method, f"/v1/surveys{path}", **more)

    async def make(**more):
        made = await call("POST", "", json={**SURVEY, **more})
        assert 201 == made.status_code, made.text
        return made.json()["id"]

    async def link(survey_id, person_id, **more):
        body = {"person_ids": [str(person_id)], **more}
        (one,) = (await call("POST", f"/{survey_id}/links", json=body)).json()
        return one["url"].removeprefix("http://kantis.test")

    return SimpleNamespace(rig=rig, call=call, make=make, link=link)


async def test_a_link_shows_the_questions_in_five_languages_and_takes_one_answer(desk):
    kari, survey_id = new_id(), await desk.make()
    path = await desk.link(survey_id, kari)
    async with desk.rig.anonymous() as visitor:
        shown = {one: await visitor.get(path, params={"lang": one}) for one in LANGUAGES}
        given = {"recommend": "3", "why": "price", "say": "Slow, but kind"}
        first = await visitor.post(path, data=given, headers={"Accept-Language": "fi"})
        again = await visitor.post(path, data={"recommend": "10"}, params={"lang": "da"})
    await desk.rig.drain()

    for one, page in shown.items():
        assert 200 == page.status_code
        assert f"Recommend? {one}" in page.text
        assert str(kari) not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "Olemme saaneet vastauksesi" in first.text
    assert "det første gælder" in again.text
    (told,) = desk.rig.items(SurveyAnsweredV1)
    assert (kari, {"recommend": 3}, ("too_dear", "unhappy"), "Slow, but kind", "link") == (
        told.person_id, told.scores, told.terms, told.text, told.way,
    )  # fmt: skip
    (kept,) = (await desk.call("GET", f"/{survey_id}/answers")).json()["items"]
    assert ({"recommend": "3", "why": "price"}, "fi") == (kept["answers"], kept["language"])


async def test_a_survey_in_one_language_asks_everybody_in_that_one(desk):
    ask = {**RECOMMEND, "words": {"nb": "Anbefaler du oss?"}}
    path = await desk.link(
        await desk.make(titles={"nb": "Hvordan gikk det?"}, questions=[ask]), new_id()
    )
    finnish = {"Accept-Language": "fi, en;q=0.8"}
    async with desk.rig.anonymous() as visitor:
        shown = await visitor.get(path, headers=finnish)
        refused = await visitor.post(path, data={}, headers=finnish)

    assert [200, 422] == [shown.status_code, refused.status_code]
    for page in (shown, refused):
        assert "Anbefaler du oss?" in page.text
        assert '<html lang="nb"' in page.text


async def test_looking_answers_nothing_and_one_link_opened_five_times_is_one_answer(desk):
    survey_id = await desk.make()
    path = await desk.link(survey_id, new_id())
    async with desk.rig.anonymous() as visitor:
        await visitor.get(path)
        assert 0 == (await desk.call("GET", f"/{survey_id}/results")).json()["answers"]
        body = {"answers": {"recommend": "9"}}
        answers = await asyncio.gather(*(visitor.post(path, json=body) for _ in range(5)))
    assert [200, 200, 200, 200, 201] == sorted(one.status_code for one in answers)
    assert 1 == (await desk.call("GET", f"/{survey_id}/results")).json()["answers"]


async def test_a_forged_foreign_old_or_late_link_is_told_in_words(desk):
    survey_id = await desk.make()
    path = await desk.link(survey_id, new_id(), valid_days=1)
    other = await desk.link(survey_id, new_id())
    async with desk.rig.anonymous() as visitor:
        forged = await visitor.get(path[:-3] + "AAA", headers={"Accept-Language": "sv"})
        stranger = await visitor.post("/q/abc", json={"answers": {}})
        desk.rig.clock.advance(timedelta(days=1, hours=1))
        old = await visitor.get(path)
        await desk.call("POST", f"/{survey_id}/close")
        closed = await visitor.post(other, data={"recommend": "9"}, params={"lang": "nb"})
    assert [404, 404, 404, 410] == [one.status_code for one in (forged, stranger, old, closed)]
    assert "Länken är inte giltig" in forged.text
    assert "survey-unknown" in stranger.json()["type"]
    assert "ikke lenger mulig" in closed.text


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "recommend: needs an answer"),
        ({"recommend": "11"}, "a number from 0 to 10"),
        ({"recommend": "9", "why": "colour"}, "one of price, other"),
        ({"recommend": "9", "age": "9"}, "age: the survey has no such question"),
    ],
    ids=["missing", "off the scale", "no choice", "no question"],
)
async def test_an_answer_that_does_not_fit_is_refused_by_name_and_nothing_is_kept(
    desk, answers, said
):
    survey_id = await desk.make()
    body = {"person_id": str(new_id()), "answers": answers}
    refused = await desk.call("POST", f"/{survey_id}/answers", json=body)
    async with desk.rig.anonymous() as visitor:
        path = await desk.link(survey_id, new_id())
        page = await visitor.post(path, data=answers, params={"lang": "nb"})
    assert (422, 422) == (refused.status_code, page.status_code)
    assert said in refused.json()["detail"]
    assert "Noe mangler" in page.text
    assert 0 == (await desk.call("GET", f"/{survey_id}/results")).json()["answers"]


def test_nps_and_csat_are_counted_as_the_field_counts_them():
    nps = Question.model_validate(RECOMMEND)
    csat = Question.model_validate({**RECOMMEND, "kind": "csat"})
    result = judge(nps, Counter({"10": 3, "9": 1, "8": 2, "7": 1, "6": 1, "0": 2}))
    assert (10, 10.0, 6.8) == (result.answers, result.score, result.mean)
    assert 75.0 == judge(csat, Counter({"5": 2, "4": 1, "1": 1})).score
    assert judge(nps, Counter()).score is None


async def test_a_beta_test_has_as_many_testers_as_seats_and_the_others_wait(desk):
    survey_id = await desk.make(kind="beta", seats=2)
    bodies = [{"person_id": str(new_id()), "answers": {"recommend": "9"}} for _ in range(5)]
    answers = await asyncio.gather(
        *(desk.call("POST", f"/{survey_id}/answers", json=one) for one in bodies)
    )
    path = await desk.link(survey_id, new_id())
    async with desk.rig.anonymous() as visitor:
        page = await visitor.post(path, data={"recommend": "9"}, params={"lang": "en"})
    seats = [one.json()["seat"] for one in answers]
    assert [1, 2] == sorted(one for one in seats if one)
    assert 3 == seats.count(None)
    assert "waiting list" in page.text


async def test_a_panel_counts_one_vote_of_each_and_shows_what_is_not_hidden(desk):
    survey_id = await desk.make(kind="panel", questions=[])
    paths = [await desk.link(survey_id, new_id()) for _ in range(3)]
    async with desk.rig.anonymous() as visitor:
        await visitor.post(paths[0], data={"idea": "Red <b>lamps</b>"})
        (idea,) = (await desk.call("GET", f"/{survey_id}/ideas")).json()
        for path in (*paths[1:], paths[1]):
            await visitor.post(path, data={"vote": idea["id"]})
        shown = await visitor.get(paths[2])
        ideas = (await desk.call("GET", f"/{survey_id}/ideas")).json()
        hidden = await desk.call(
            "PATCH", f"/{survey_id}/ideas/{idea['id']}", json={"is_hidden": True}
        )
        after = await visitor.get(paths[2])
        lost = await visitor.post(paths[2], json={"votes": [idea["id"]]})
    assert "Red &lt;b&gt;lamps" in shown.text
    assert [3] == [one["votes"] for one in ideas]
    assert [True] == [one["is_hidden"] for one in hidden.json()]
    assert "lamps" not in after.text
    assert 404 == lost.status_code


async def test_who_is_forgotten_leaves_figures_and_no_words(desk):
    kari, survey_id = new_id(), await desk.make()
    body = {"person_id": str(kari), "answers": {"recommend": "9", "say": "call Kari"}}
    await desk.call("POST", f"/{survey_id}/answers", json=body)
    request = ErasureRequest(
        erasure_id=new_id(), person_ids=(kari,), requested_at=desk.rig.clock.now()
    )
    await desk.rig.publish(ErasureRequestedV1(items=(request,)))
    await desk.rig.drain()

    (kept,) = (await desk.call("GET", f"/{survey_id}/answers")).json()["items"]
    assert (None, {}, {"recommend": "9"}) == (kept["person_id"], kept["texts"], kept["answers"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"titles": {}}, "titles"),
        ({"titles": {"nb": "Hei", "is": "Hæ"}}, "titles"),
        (
            {"questions": [RECOMMEND, {**SAY, "words": {"nb": "Noe mer?"}}]},
            "say: give the words in each language",
        ),
        ({"questions": []}, "ask at least one"),
        ({"questions": [RECOMMEND, RECOMMEND]}, "two have the same key"),
        ({"kind": "beta"}, "seats"),
        ({"questions": [{**WHY, "choices": []}]}, "two choices or more"),
        ({"closes_at": "2020-01-01T00:00:00Z"}, "past"),
    ],
    ids=[
        "no language",
        "language of no people",
        "half a language",
        "no question",
        "one key twice",
        "no seats",
        "no choices",
        "closed already",
    ],
)
async def test_a_survey_that_makes_no_sense_is_refused(rig_for, change, said):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await client.post("/v1/surveys", json={**SURVEY, **change})
    assert 422 == answer.status_code
    assert said in answer.text
