"""Memberships, points, coupons, answers, referrals and posts of people who were merged: they follow, and come back."""

from datetime import timedelta

from campaign_svc.main import SPEC
from campaign_svc.merges.usecases import take_merges
from kantis_contracts.contacts import SegmentChange, SegmentChangedV1, SegmentMove
from kantis_contracts.orders import OrderCard, OrderPaidV1
from kantis_kit.ids import new_id
from kantis_kit.testing.merges import follow

WORDS = dict.fromkeys(("nb", "sv", "da", "fi", "en"), "?")
TABLES = [
    "member", "points_entry", "club_order", "paid_order", "coupon", "competition_entry", "survey_answer", "idea",
    "idea_vote", "referrer", "referral", "community_post", "community_report", "care_member",
]  # fmt: skip


async def test_what_people_have_in_the_club_ends_where_merges_lead_and_comes_back(rig_for):
    rig = await rig_for(SPEC)
    people = [new_id() for _ in range(5)]
    now = rig.clock.now()
    segment_id = new_id()
    async with rig.client() as client:

        async def send(method, path, **body):
            answer = await client.request(method, f"/v1/{path}", json=body)
            assert answer.is_success, answer.text
            return answer.json() if answer.content else None

        await send("POST", "club/terms", texts=WORDS)
        tiers = [{"key": "all", "name": "All", "from_points": 0}]
        await send("PUT", "club/rules", currency="NOK", minor_per_point=1, tiers=tiers)
        await send("PUT", "referrers/rules", landing_url="https://www.example.com", most_per_day=9)
        series = await send("POST", "coupon-series", name="A", kind="gift", gift="mug")
        soon = f"{now + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        prize = await send("POST", "competitions", name="A", prizes=1, closes_at=soon)
        panel = await send("POST", "surveys", name="A", kind="panel", titles=WORDS)
        care = {"segment_id": str(segment_id), "name": "A", "most_per_month": 1}
        await send("POST", "care", goals=[{"kind": "referral", "target": 1}], **care)
        question = await send("POST", "community/posts", kind="question", text="Warm?")
        code = ""
        for person_id in map(str, people):
            await send("POST", "club/members", person_id=person_id, terms_version=1)
            issues = f"coupon-series/{series['id']}/issues"
            await send("POST", issues, person_ids=[person_id], reason="birthday")
            await send("POST", f"competitions/{prize['id']}/entries", person_id=person_id)
            await send(
                "POST", f"surveys/{panel['id']}/answers", person_id=person_id, idea=person_id
            )
            if code:
                await send("POST", f"referrers/{code}/referrals", person_id=person_id)
            code = (await send("POST", "referrers", person_id=person_id))["code"]
            review = {"product_id": str(panel["id"]), "stars": 5, "text": "Warm", "kind": "review"}
            await send("POST", "community/posts", person_id=person_id, **review)
            reports = f"community/posts/{question['id']}/reports"
            await send("POST", reports, person_id=person_id, reason="rude")
    cards = tuple(
        OrderCard(
            order_id=new_id(), version=1, number="1", person_id=one, total_minor=9, currency="NOK", changed_at=now,
        )
        for one in people
    )  # fmt: skip
    moves = tuple(
        SegmentMove(person_id=one, change=SegmentChange.ENTERED, at=now) for one in people
    )
    news = SegmentChangedV1(segment_id=segment_id, version=1, revision=1, members=5, items=moves)
    await rig.publish(OrderPaidV1(items=cards), news)
    await rig.drain()
    pool = await rig.service.database.pool()
    for table in TABLES:
        assert await pool.fetchval(f"SELECT count(person_id) FROM {table}"), table

    followed = await follow(rig.service, take_merges, people, tables=TABLES, seed=3)

    assert followed.expected == followed.found
    assert followed.before == followed.after
