"""Many first leads in one transaction: two statements, however many they are.

Only leads of people of whom nothing is known yet are kept here, by the same rules and in the same rows as `take_lead`
keeps them; about every other one nothing is done but said so, and it goes the long way.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import orjson

from contacts_svc.intake import events
from contacts_svc.intake.model import Form
from contacts_svc.intake.usecases import guards
from contacts_svc.intake.usecases.asking import QUESTION_LIVES, path_of
from contacts_svc.intake.usecases.inserts import INSERTS, TABLES
from contacts_svc.intake.usecases.leads import Posted, fields_of
from contacts_svc.intake.usecases.patterns import Pattern
from contacts_svc.people.usecases.newcomers import Newcomer, newcomer
from contacts_svc.settings import ContactsSettings
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
# OFFSET 0: each is asked by its key. The planner would rather read all the numbers of a small register once, and stay with
# that plan while the register grows.
_LOOK = """
    SELECT
        ARRAY(
            SELECT EXISTS (SELECT FROM form WHERE id = read.id AND version = read.version AND is_active OFFSET 0)
            FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS read (id, version, n) ORDER BY n
        ) AS are_current,
        ARRAY(
            SELECT coalesce(
                (SELECT sum(counted) FROM intake_window WHERE name = asked.name AND starts_at = $4), 0
            )::bigint
            FROM unnest($3::text[]) WITH ORDINALITY AS asked (name, n) ORDER BY n
        ) AS counted,
        ARRAY(
            SELECT n FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[])
                WITH ORDINALITY AS given (caller, key, email, phone, mailbox, hash, n)
            WHERE EXISTS (SELECT FROM idempotency WHERE caller = given.caller AND route = $5 AND key = given.key OFFSET 0)
            OR EXISTS (SELECT FROM identifier WHERE kind = 'email' AND value = given.email AND is_identifying OFFSET 0)
            OR EXISTS (SELECT FROM identifier WHERE kind = 'phone' AND value = given.phone AND is_identifying OFFSET 0)
            OR EXISTS (SELECT FROM identifier WHERE kind = 'phone' AND value = given.phone AND NOT is_identifying OFFSET 0)
            OR EXISTS (SELECT FROM confirmation_slot WHERE address = given.mailbox OFFSET 0)
            OR EXISTS (SELECT FROM asked_mailbox WHERE hash = given.hash OFFSET 0)
        ) AS known
    """
ROUTE = "POST /f/{form_key}"
"""Under which the kit's route stores the answers of this address."""


class Outcome(Enum):
    """What became of a lead."""

    TAKEN = "taken"
    KNOWN = "known"
    """Something is known already: the long way decides."""
    STALE = "stale"
    """The form is not as it was read."""


@dataclass(slots=True)
class FirstPost:
    """A post, read and checked, with the answer that is stored beside its effect."""

    pattern: Pattern
    posted: Posted
    named: str
    """The first address, as it is counted."""
    evidence: Mapping[str, str]
    key: str
    caller: str
    """Whose key it is."""
    digest: bytes
    status: int
    headers: str
    content: bytes
    email: str | None = field(init=False)
    phone: str | None = field(init=False)
    mailbox: str | None = field(init=False)
    """Whom a question goes to; None when nobody is asked."""

    def __post_init__(self) -> None:
        email, phone = self.posted.draft.email, self.posted.draft.phone
        self.email = email.value if email else None
        self.phone = phone.value if phone else None
        self.mailbox = self.named if email and self.pattern.question else None


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


async def take_first(tx: Statements, posts: Sequence[FirstPost]) -> list[Outcome]:
    """Keep the leads of people of whom nothing is known yet, and tell what became of each.

    Two that share an address, a mailbox or a key are not kept together: the second goes the long way.
    """
    outcomes = [Outcome.KNOWN] * len(posts)
    chosen = _alone(posts)
    seen = await _look(tx, [posts[index] for index in chosen])
    written = _Written(tx, seen.hashes)
    for number, index in enumerate(chosen):
        post = posts[index]
        if _as_read(post) in seen.stale:
            outcomes[index] = Outcome.STALE
        elif number not in seen.known and seen.have_room(post):
            written.add(post)
            outcomes[index] = Outcome.TAKEN
    if written.leads:
        await written.write(seen.taken)
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


@dataclass(slots=True)
class _Seen:
    """What stood in the database before a group is written, and the counts as it is taken."""

    known: set[int]
    """Which posts, by their place, name what is known already."""
    stale: set[tuple[UUID, int]]
    """Forms that are not as they were read."""
    counted: Mapping[str, int]
    most: Mapping[str, int]
    hashes: Mapping[str, bytes]
    """By what the mailboxes are known that are asked."""
    taken: Counter[str]

    def have_room(self, post: FirstPost) -> bool:
        """Count a post, and the question that it asks, unless there were too many of either in this hour."""
        names = (
            (post.pattern.window,) if post.mailbox is None else (post.pattern.window, guards.ASKED)
        )
        for name in names:
            if self.counted[name] + self.taken[name] >= self.most[name]:
                return False
        for name in names:
            self.taken[name] += 1
        return True


def _as_read(post: FirstPost) -> tuple[UUID, int]:
    """Return the form of a post, and the version that was read."""
    return post.pattern.form.id, post.pattern.form.version


async def _look(tx: Statements, posts: Sequence[FirstPost]) -> _Seen:
    read = {_as_read(post): post.pattern for post in posts}
    forms = {one.window: one.form for one in read.values()}
    mailboxes = [post.mailbox for post in posts]
    hashes = {one: guards.mailbox_hash(tx, one) for one in mailboxes if one is not None}
    names = [guards.ASKED, *forms]
    ((are_current, counted, known),) = await tx.look(
        _LOOK,
        [form_id for form_id, _ in read],
        [version for _, version in read],
        names,
        guards.hour_of(tx.clock.now()),
        ROUTE,
        [post.caller for post in posts],
        [post.key for post in posts],
        [post.email for post in posts],
        [post.phone for post in posts],
        mailboxes,
        [None if one is None else hashes[one] for one in mailboxes],
    )
    most = {window: guards.share_of(tx, form) for window, form in forms.items()}
    most[guards.ASKED] = tx.settings(ContactsSettings).confirmations_per_hour - guards.UNSEEN
    return _Seen(
        {number - 1 for number in known},
        {one for one, is_current in zip(read, are_current, strict=True) if not is_current},
        dict(zip(names, counted, strict=True)),
        most,
        hashes,
        Counter(),
    )


class _Written:
    """The rows and events of the leads that are kept."""

    def __init__(self, tx: Statements, hashes: Mapping[str, bytes]) -> None:
        self.tx = tx
        self.now = tx.clock.now()
        self.expires_at = self.now + QUESTION_LIVES
        self.hashes = hashes
        self.rows: dict[str, list[Mapping[str, Any]]] = {name: [] for name in TABLES}
        self.cards: list[bytes] = []
        self.leads: list[bytes] = []
        self.permissions: list[bytes] = []
        self.questions: list[bytes] = []

    def add(self, post: FirstPost) -> None:
        """Describe one lead."""
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
            {"hash": self.hashes[mailbox], "unanswered": 1, "last_at": self.now}
        )
        self.questions.append(
            events.question_json(
                question,
                form_key,
                preferred_name=person.person["preferred_name"],
                path=path_of(self.tx, UUID(question["id"]), self.expires_at),
            )
        )

    async def write(self, counts: Mapping[str, int]) -> None:
        """Write the rows in one statement and stage the events."""
        hour = guards.hour_of(self.now)
        # One order for all, so that nobody waits in a circle.
        self.rows["intake_window"] = [
            {"name": name, "starts_at": hour, "shard": guards.a_shard(), "counted": counts[name]}
            for name in sorted(counts)
        ]
        self.rows["identifier"].sort(key=itemgetter("kind", "value"))
        self.rows["confirmation_slot"].sort(key=itemgetter("address"))
        self.rows["asked_mailbox"].sort(key=itemgetter("hash"))
        self.tx.stage(
            Encoded(PersonChangedV1, self.cards),
            Encoded(LeadReceivedV1, self.leads),
            Encoded(PermissionChangedV1, self.permissions),
            Encoded(ConfirmationRequestedV1, self.questions),
        )
        told = self.tx.outbox_rows()
        self.rows["outbox"] = [dict(zip(OUTBOX_COLUMNS, row, strict=True)) for row in told]
        await self.tx.put(INSERTS, *_columns(self.rows))


def _columns(rows: Mapping[str, list[Mapping[str, Any]]]) -> list[list[Any]]:
    return [
        [row[name] for row in rows[table]] for table, columns in TABLES.items() for name in columns
    ]


__all__ = ["FirstPost", "Outcome", "is_plain", "take_first"]
