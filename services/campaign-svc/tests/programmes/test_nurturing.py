"""Endless nurturing: two years of one programme in seconds, with needs, an objection and two purchases on the way."""

from datetime import timedelta

from kantis_contracts.contacts import InsightCard, InsightChangedV1, LeadReceived, LeadReceivedV1
from kantis_contracts.orders import (
    OrderCard,
    OrderLineCard,
    OrderPlacedV1,
    ProductCard,
    ProductChangedV1,
)
from kantis_kit.ids import new_id

LAMP, SHADE, HEATER = (new_id() for _ in range(3))
SILENT = "silent"


def nurture(say):
    """Ask what is needed, offer what answers it, handle the objection, thank, send something to read, and begin again."""
    accept = {
        "kind": "accept",
        "within_days": 14,
        "accepted": "thanks",
        "objected": "why",
        "timed_out": "read",
    }
    return {
        "trigger": {"on": "form", "form_key": "newsletter"},
        "start": "ask",
        "steps": {
            "ask": {
                "kind": "ask", "about": "need", "question": "need", "say": say, "answered": "match",
                "within_days": 10, "timed_out": "read",
            },
            "match": {
                "kind": "match", "products": {"light": [str(LAMP), str(SHADE)], "warmth": [str(HEATER)]},
                "next": "offer", "nothing": "read",
            },
            "offer": {"kind": "offer", "say": say, "next": "accept"},
            "accept": accept,
            "why": {"kind": "objection", "reasons": {"too_expensive": "cheaper"}, "otherwise": "call"},
            "cheaper": {"kind": "message", "say": say, "next": "accept_again"},
            "accept_again": {**accept, "objected": "read"},
            "call": {"kind": "do", "action": {"kind": "task", "title": "Ring and ask why"}, "next": "read"},
            "thanks": {"kind": "message", "say": say, "next": "bought"},
            "bought": {"kind": "goal", "goal": "bought", "next": "satisfied"},
            "satisfied": {
                "kind": "ask", "question": "satisfied", "say": say, "answers": {"no": "call"}, "answered": "read",
                "within_days": 10, "timed_out": "read",
            },
            "read": {"kind": "content", "content": "magazine", "title": "Hjem", "say": say, "next": "quarter"},
            "quarter": {"kind": "wait", "days": 90, "at": "09:00", "weekdays": [2, 3, 4], "next": "round"},
            "round": {"kind": "loop", "to": "ask"},
        },
    }  # fmt: skip


class Kari:
    """A customer who does something at some of the steps at which the programme waits for her."""

    def __init__(self, programmes):
        self.id, self.programmes = new_id(), programmes
        self.plan = {
            ("ask", 1): lambda: self.learned("need", "light"),
            ("accept", 1): lambda: self.learned("no_buy_reason", "too_expensive"),
            ("accept_again", 1): lambda: self.ordered(LAMP),
            ("ask", 3): lambda: self.learned("need", "warmth"),
            ("accept", 2): lambda: self.ordered(SHADE),
            ("satisfied", 2): lambda: self.answered("no"),
        }
        self.seen = {}

    async def act(self, step):
        """Do what she does when the programme has come to this step for the so many-th time."""
        self.seen[step] = self.seen.get(step, 0) + 1
        act = self.plan.pop((step, self.seen[step]), None)
        if act is None:
            return False
        self.programmes.rig.clock.advance(timedelta(days=1))
        await act()
        await self.programmes.rig.drain()
        return True

    async def learned(self, kind, term):
        card = InsightCard(
            insight_id=new_id(),
            person_id=self.id,
            term=term,
            kind=kind,
            said_at=self.programmes.rig.clock.now(),
        )
        await self.programmes.rig.publish(InsightChangedV1(items=(card,)), copies=2)

    async def ordered(self, product_id):
        line = OrderLineCard(product_id=product_id, sku="X", quantity=1, amount_minor=10_000)
        card = OrderCard(
            order_id=new_id(), version=1, number="1", person_id=self.id, total_minor=10_000, currency="NOK",
            lines=(line,), changed_at=self.programmes.rig.clock.now(),
        )  # fmt: skip
        await self.programmes.rig.publish(OrderPlacedV1(items=(card,)))

    async def answered(self, word):
        await self.programmes.tell("answer.satisfied", self.id, facts={"answer": word})


async def test_two_years_with_needs_an_objection_and_two_purchases_and_still_in_it(programmes, say):
    products = tuple(
        ProductCard(product_id=one, version=1, sku=sku, name=sku, price_minor=19_900, currency="NOK", vat_pct=25,
                    available=10)
        for one, sku in ((LAMP, "LAMP"), (SHADE, "SHADE"), (HEATER, "HEATER"))
    )  # fmt: skip
    await programmes.rig.publish(ProductChangedV1(items=products))
    await programmes.rig.drain()
    path = await programmes.live(nurture(say), "Pleie")
    kari, begun = Kari(programmes), programmes.rig.clock.now()
    lead = LeadReceived(lead_id=new_id(), person_id=kari.id, form_key="newsletter")
    await programmes.rig.publish(LeadReceivedV1(items=(lead,)), copies=2)
    await programmes.rig.drain()

    for _ in range(100):  # a programme that stands still must not hang the test
        run = await programmes.run(path, kari.id)
        if not await kari.act(run["step"]):
            await programmes.go_on()
        if programmes.rig.clock.now() >= begun + timedelta(days=730):
            break

    run = await programmes.run(path, kari.id)
    story = [one["step"] for one in run["visits"] if one["kind"] not in ("wait", "loop")]
    assert begun + timedelta(days=730) <= programmes.rig.clock.now()
    assert {} == kari.plan
    assert [
        "ask", "match", "offer", "accept", "why", "cheaper", "accept_again", "thanks", "bought", "satisfied", "read",
        "ask", "read",
        "ask", "match", "offer", "accept", "thanks", "bought", "satisfied", "call", "read",
    ] == story[:22]  # fmt: skip
    assert {"ask", "read"} == set(story[22:])
    assert ("active", ["bought"]) == (run["state"], run["goals"])
    # What she has bought is not offered again: her second need for light is answered by the shade.
    assert str(SHADE) == run["facts"]["product"]
    visits = [(one["number"], one["step"]) for one in run["visits"]]
    assert list(range(1, len(visits) + 1)) == [number for number, _ in visits]
    said = sum(one["kind"] in ("ask", "offer", "message", "content") for one in run["visits"])
    is_asked = run["step"] in ("ask", "satisfied")
    assert said + is_asked == programmes.asked().total()
