"""Many first leads in one transaction: one statement, however many they are.

Only leads of people of whom nothing is known yet are kept here, by the same rules and in the same rows as `take_lead`
keeps them; about every other one nothing is done but said so, and it goes the long way.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import orjson

from contacts_svc.intake import events
from contacts_svc.intake.model import Form
from contacts_svc.intake.usecases import guards
from contacts_svc.intake.usecases.asking import QUESTION_LIVES, path_of
from contacts_svc.intake.usecases.inserts import INSERTS, TABLES, behind
from contacts_svc.intake.usecases.leads import fields_of
from contacts_svc.intake.usecases.looking import (
    IS_CLEAR,
    LOOK,
    ROUTE,
    FirstPost,
    Question,
    Seen,
    as_read,
    counts_of,
)
from contacts_svc.people.usecases.newcomers import Newcomer, newcomer
from kantis_contracts.contacts import (
    ConfirmationRequestedV1,
    LeadReceivedV1,
    PermissionChangedV1,
    PersonChangedV1,
)
from kantis_kit.groups import Statements
from kantis_kit.ids import new_id_text
from kantis_kit.outbox import COLUMNS as OUTBOX_COLUMNS
from kantis_kit.outbox import Encoded

_NOTHING: Final = frozenset({None})
INSERTS_IF_CLEAR = behind(LOOK, IS_CLEAR)
"""The inserts, with the question whether they may be in the same statement."""


class Outcome(Enum):
    """What became of a lead."""

    TAKEN = "taken"
    KNOWN = "known"
    """Something is known already: the long way decides."""
    STALE = "stale"
    """The form is not as it was read."""


def is_plain(form: Form) -> bool:
    """Say whether the posts to a form can be kept together: it asks for no more than names, addresses and one yes."""
    return not (
        form.fields
        or form.topics
        or form.boxes
        or form.download
        or form.proof_of_work_bits
        or len(set(form.purposes)) < len(form.purposes)
        or len(set(form.channels)) < len(form.channels)
    )


class FirstLeads:
    """Keeps the leads of people of whom nothing is known yet.

    While everybody is kept, a group looks and is written by one statement. When somebody was not, because they were known
    or an hour is full, the next groups look first, until everybody is kept again: rows that are made up for nothing cost
    more than a look.
    """

    def __init__(self) -> None:
        self._all_were_kept = True

    async def take(self, tx: Statements, posts: Sequence[FirstPost]) -> list[Outcome]:
        """Keep what can be kept together, and tell what became of each.

        Two that share an address, a mailbox or a key are not kept together: the second goes the long way.
        """
        outcomes = [Outcome.KNOWN] * len(posts)
        chosen = _alone(posts)
        question = Question(tx, [posts[index] for index in chosen])
        if self._all_were_kept:
            seen = await _Written(tx, question, question.posts).write_if_clear()
            if seen.is_clear:
                for index in chosen:
                    outcomes[index] = Outcome.TAKEN
                return outcomes
        else:
            seen = await question.look(tx)
        taken = []
        for number, index in enumerate(chosen):
            post = posts[index]
            if as_read(post) in seen.stale:
                outcomes[index] = Outcome.STALE
            elif number not in seen.known and seen.have_room(post):
                taken.append(post)
                outcomes[index] = Outcome.TAKEN
        self._all_were_kept = len(taken) == len(chosen)
        if taken:
            await _Written(tx, question, taken).write()
        return outcomes


def _alone(posts: Sequence[FirstPost]) -> list[int]:
    seen: set[str | None] = set()
    chosen = []
    for index, post in enumerate(posts):
        named = {post.key, post.email, post.phone, post.mailbox} - _NOTHING
        if seen.isdisjoint(named):
            seen |= named
            chosen.append(index)
    return chosen


class _Written:
    """The rows and events of the leads that are kept."""

    def __init__(self, tx: Statements, question: Question, posts: Sequence[FirstPost]) -> None:
        self.tx = tx
        self.question = question
        self.now = tx.clock.now()
        self.expires_at = self.now + QUESTION_LIVES
        self.rows: dict[str, list[Mapping[str, Any]]] = {name: [] for name in TABLES}
        self.cards: list[bytes] = []
        self.leads: list[bytes] = []
        self.permissions: list[bytes] = []
        self.questions: list[bytes] = []
        for post in posts:
            self._add(post)
        self._count(counts_of(posts))

    def _add(self, post: FirstPost) -> None:
        now, rows, pattern = self.now, self.rows, post.pattern
        person = newcomer(post.posted.draft, origin=pattern.origin, now=now)
        person_id, lead_id = person.id, new_id_text()
        rows["idempotency"].append(
            {
                "caller": post.caller,
                "route": ROUTE,
                "key": post.key,
                "request_hash": post.digest,
                "status": post.status,
                "headers": post.headers,
                "body": post.content,
                "stored_at": now,
            }
        )
        rows["identifier"].extend(person.identifiers)
        rows["person"].append(person.person)
        rows["person_change"].append(person.change)
        self.cards.append(person.card())
        whose = {"lead_id": lead_id, "person_id": person_id}
        rows["lead"].append(
            {
                **pattern.lead,
                "id": lead_id,
                "person_id": person_id,
                "fields": orjson.dumps(fields_of(post.posted)).decode(),
                "evidence": orjson.dumps(post.evidence).decode(),
                "first_at": now,
                "last_at": now,
            }
        )
        self.leads.append(orjson.dumps({**pattern.told, **whose}))
        for said in pattern.entries:
            proof = {**post.evidence, "lead_id": lead_id}
            entry = said.fill(person_id, proof, actor=self.tx.actor, now=now)
            rows["permission_state"].append(entry.state)
            rows["permission_ledger"].append(entry.entry)
            self.permissions.append(entry.told())
        if pattern.member is not None:
            rows["list_member"].append({**pattern.member, "person_id": person_id, "added_at": now})
        rows["touched_person"].append(
            {"person_id": person_id, "families": pattern.families, "at": now}
        )
        if post.mailbox is not None and pattern.question is not None:
            question = {**pattern.question, **whose, "email": post.email}
            self._ask(question, post.mailbox, person, pattern.form.key)

    def _ask(self, question: dict[str, Any], mailbox: str, person: Newcomer, form_key: str) -> None:
        question |= {
            "id": new_id_text(),
            "requested_at": self.now,
            "expires_at": self.expires_at,
        }
        self.rows["confirmation"].append(question)
        self.rows["confirmation_slot"].append({"address": mailbox, "last_at": self.now})
        self.rows["asked_mailbox"].append(
            {"hash": self.question.hashes[mailbox], "unanswered": 1, "last_at": self.now}
        )
        self.questions.append(
            events.question_json(
                question,
                form_key,
                preferred_name=person.person["preferred_name"],
                path=path_of(self.tx, UUID(question["id"]), self.expires_at),
            )
        )

    def _count(self, counts: Mapping[str, int]) -> None:
        hour = guards.hour_of(self.now)
        # One order for all, so that nobody waits in a circle.
        self.rows["intake_window"] = [
            {"name": name, "starts_at": hour, "shard": guards.a_shard(), "counted": counts[name]}
            for name in sorted(counts)
        ]
        self.rows["identifier"].sort(key=itemgetter("kind", "value"))
        self.rows["confirmation_slot"].sort(key=itemgetter("address"))
        self.rows["asked_mailbox"].sort(key=itemgetter("hash"))

    async def write(self) -> None:
        """Write the rows in one statement, and the events with them."""
        await self.tx.put(INSERTS, *self._columns())

    async def write_if_clear(self) -> Seen:
        """Write them in the statement that looks, unless it sees anything that needs another way."""
        question = self.question
        columns = self._columns()
        (row,) = await self.tx.put(INSERTS_IF_CLEAR, *columns, *question.arguments, question.room())
        if not row["is_clear"]:
            self.tx.unstage()
        return question.seen(row, is_clear=row["is_clear"])

    def _columns(self) -> list[list[Any]]:
        self.tx.stage(
            Encoded(PersonChangedV1, self.cards),
            Encoded(LeadReceivedV1, self.leads),
            Encoded(PermissionChangedV1, self.permissions),
            Encoded(ConfirmationRequestedV1, self.questions),
        )
        told = self.tx.outbox_rows()
        self.rows["outbox"] = [dict(zip(OUTBOX_COLUMNS, row, strict=True)) for row in told]
        return [
            [row[name] for row in self.rows[table]]
            for table, columns in TABLES.items()
            for name in columns
        ]


__all__ = ["INSERTS_IF_CLEAR", "FirstLeads", "Outcome", "is_plain"]
