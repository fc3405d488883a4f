"""Many first leads in one transaction: two statements, however many they are.

Only leads of people of whom nothing is known yet are kept here, by the same rules and in the same rows as `take_lead`
keeps them; about every other one nothing is done but said so, and it goes the long way.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import SimpleNamespace
from typing import Any, cast

import orjson

from contacts_svc.intake import events
from contacts_svc.intake.boxes import boxes_of
from contacts_svc.intake.model import Form, Lead
from contacts_svc.intake.schemas import MAIN_BOX
from contacts_svc.intake.usecases import guards
from contacts_svc.intake.usecases.asking import asked_of, path_of, question_values
from contacts_svc.intake.usecases.inserts import INSERTS, TABLES
from contacts_svc.intake.usecases.knowledge import needs_owner
from contacts_svc.intake.usecases.leads import Posted, consents, lead_values, origin_of
from contacts_svc.people.rules import canonical
from contacts_svc.people.usecases.newcomers import Newcomer, newcomer
from contacts_svc.permissions.usecases.first import first_entries
from contacts_svc.settings import ContactsSettings
from contacts_svc.touched import Family
from kantis_contracts.contacts import (
    ConfirmationRequestedV1,
    LeadReceivedV1,
    PermissionChangedV1,
    PersonChangedV1,
)
from kantis_contracts.values import Language
from kantis_kit.groups import Statements
from kantis_kit.outbox import COLUMNS as OUTBOX_COLUMNS
from kantis_kit.outbox import Encoded

# OFFSET 0: each is asked by its key. The planner would rather read all the numbers of a small register once, and stay with
# that plan while the register grows.
_LOOK = """
    WITH windows AS MATERIALIZED (
        SELECT name, sum(counted) AS counted FROM intake_window
        WHERE name = ANY($1::text[]) AND starts_at = $2 GROUP BY name
    )
    SELECT
        EXISTS (SELECT FROM form WHERE id = given.form_id AND version = given.form_version AND is_active OFFSET 0) AS is_current,
        NOT EXISTS (SELECT FROM idempotency WHERE caller = given.caller AND route = $3 AND key = given.key OFFSET 0)
        AND NOT EXISTS (SELECT FROM identifier WHERE kind = 'email' AND value = given.email AND is_identifying OFFSET 0)
        AND NOT EXISTS (SELECT FROM identifier WHERE kind = 'phone' AND value = given.phone AND is_identifying OFFSET 0)
        AND NOT EXISTS (SELECT FROM identifier WHERE kind = 'phone' AND value = given.phone AND NOT is_identifying OFFSET 0)
        AND NOT EXISTS (SELECT FROM confirmation_slot WHERE address = given.mailbox OFFSET 0)
        AND NOT EXISTS (SELECT FROM asked_mailbox WHERE hash = given.hash OFFSET 0) AS is_new,
        coalesce((SELECT counted FROM windows WHERE name = 'form:' || given.form_id), 0) AS of_form,
        coalesce((SELECT counted FROM windows WHERE name = 'asked'), 0) AS asked
    FROM unnest(
        $4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[], $11::text[]
    ) WITH ORDINALITY AS given (form_id, form_version, key, email, phone, mailbox, hash, caller, n)
    ORDER BY n
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

    form: Form
    posted: Posted
    language: Language
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
    words: tuple[str, str] = field(init=False)
    """The words of the box, and their version."""
    asks: Mapping[str, Any] | None = field(init=False)
    mailbox: str | None = field(init=False)
    """Whom a question would go to; None when nobody is asked."""

    def __post_init__(self) -> None:
        draft = self.posted.draft
        self.email = draft.email.value if draft.email else None
        self.phone = draft.phone.value if draft.phone else None
        box = boxes_of(self.form)[MAIN_BOX]
        self.words = box.words(self.language, self.form.default_language)
        self.asks, self.mailbox = None, None
        lead = cast("Lead", SimpleNamespace(is_consented=bool(self.posted.seen)))
        if draft.email is not None and needs_owner(self.form, lead):
            self.asks = asked_of(box, self.words, ())
            self.mailbox = canonical(draft.email) if self.asks else None


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
    written = _Written(tx)
    asked = 0
    of_form: Counter[Any] = Counter()
    most_asked = tx.settings(ContactsSettings).confirmations_per_hour
    for index, (is_current, is_new, counted, counted_asked) in zip(
        chosen, await _look(tx, [posts[index] for index in chosen]), strict=True
    ):
        post = posts[index]
        if not is_current:
            outcomes[index] = Outcome.STALE
            continue
        asks = post.mailbox is not None
        has_room = counted + of_form[post.form.id] < guards.share_of(tx, post.form)
        may_ask = not asks or counted_asked + asked < most_asked
        if is_new and has_room and may_ask:
            written.add(post)
            of_form[post.form.id] += 1
            asked += asks
            outcomes[index] = Outcome.TAKEN
    if written.leads:
        await written.write(of_form, asked)
    return outcomes


def _alone(posts: Sequence[FirstPost]) -> list[int]:
    seen: set[tuple[str, str]] = set()
    chosen = []
    for index, post in enumerate(posts):
        named = {
            (kind, value)
            for kind, value in (
                ("key", post.key),
                ("email", post.email),
                ("phone", post.phone),
                ("mailbox", post.mailbox),
            )
            if value is not None
        }
        if not named & seen:
            seen |= named
            chosen.append(index)
    return chosen


async def _look(tx: Statements, posts: Sequence[FirstPost]) -> Sequence[Any]:
    mailboxes = [post.mailbox for post in posts]
    return await tx.look(
        _LOOK,
        [guards.ASKED, *{guards.window_of(post.form.id) for post in posts}],
        guards.hour_of(tx.clock.now()),
        ROUTE,
        [post.form.id for post in posts],
        [post.form.version for post in posts],
        [post.key for post in posts],
        [post.email for post in posts],
        [post.phone for post in posts],
        mailboxes,
        [guards.mailbox_hash(tx, one) if one else None for one in mailboxes],
        [post.caller for post in posts],
    )


@dataclass
class _Written:
    """The rows and events of the leads that are kept."""

    tx: Statements
    rows: dict[str, list[Mapping[str, Any]]] = field(
        default_factory=lambda: {name: [] for name in TABLES}
    )
    leads: list[bytes] = field(default_factory=list)
    cards: list[bytes] = field(default_factory=list)
    permissions: list[bytes] = field(default_factory=list)
    questions: list[bytes] = field(default_factory=list)

    def add(self, post: FirstPost) -> None:
        """Describe one lead."""
        now = self.tx.clock.now()
        draft, form = post.posted.draft, post.form
        person = newcomer(draft, origin=origin_of(draft), now=now)
        self.rows["idempotency"].append(self._stored(post, now))
        self.rows["identifier"].extend(person.identifiers)
        self.rows["person"].append(person.person)
        self.rows["person_change"].append(person.change)
        self.cards.append(person.card())
        words = dict.fromkeys(post.posted.seen, post.words)
        values = lead_values(
            form,
            post.posted,
            person.id,
            words,
            version=post.words[1],
            evidence=post.evidence,
            now=now,
        )
        lead = cast("Lead", SimpleNamespace(**values))
        self.rows["lead"].append(
            _as_json(values, ("fields", "evidence", "answers", "topics", "boxes"))
        )
        self.leads.append(events.lead_json(lead, form))
        families = Family.PROFILE | Family.REACH
        said = consents(form, lead, draft, words, now=now)
        for entry in first_entries(said, actor=self.tx.actor, recorded_at=now):
            self.rows["permission_state"].append(entry.state)
            self.rows["permission_ledger"].append(entry.entry)
            self.permissions.append(entry.told())
            families |= Family.PERMISSION
        if form.list_id is not None:
            families |= Family.LIST
            self.rows["list_member"].append(
                {
                    "segment_id": form.list_id,
                    "person_id": person.id,
                    "source": f"form:{form.key}",
                    "added_at": now,
                }
            )
        self.rows["touched_person"].append(
            {"person_id": person.id, "families": int(families), "at": now}
        )
        mailbox = post.mailbox
        if mailbox is not None:
            self._ask(post, person, lead, mailbox, now)

    def _stored(self, post: FirstPost, now: datetime) -> Mapping[str, Any]:
        return {
            "caller": post.caller,
            "route": ROUTE,
            "key": post.key,
            "request_hash": post.digest,
            "status": post.status,
            "headers": post.headers,
            "body": post.content,
            "stored_at": now,
        }

    def _ask(
        self, post: FirstPost, person: Newcomer, lead: Lead, mailbox: str, now: datetime
    ) -> None:
        values = question_values(lead, post.email or "", {MAIN_BOX: post.asks or {}}, now=now)
        self.rows["confirmation"].append(_as_json(values, ("purposes", "boxes")))
        self.rows["confirmation_slot"].append({"address": mailbox, "last_at": now})
        self.rows["asked_mailbox"].append(
            {"hash": guards.mailbox_hash(self.tx, mailbox), "unanswered": 1, "last_at": now}
        )
        self.questions.append(
            events.question_json(
                values,
                post.form,
                preferred_name=person.person["preferred_name"],
                path=path_of(self.tx, values["id"], values["expires_at"]),
            )
        )

    async def write(self, of_form: Mapping[Any, int], asked: int) -> None:
        """Write the rows in one statement and stage the events."""
        hour = guards.hour_of(self.tx.clock.now())
        counts = {guards.window_of(form_id): count for form_id, count in of_form.items()}
        if asked:
            counts[guards.ASKED] = asked
        # One order for all, so that nobody waits in a circle.
        self.rows["intake_window"] = [
            {"name": name, "starts_at": hour, "shard": guards.a_shard(), "counted": counts[name]}
            for name in sorted(counts)
        ]
        self.rows["identifier"].sort(key=lambda row: (row["kind"], row["value"]))
        self.rows["confirmation_slot"].sort(key=lambda row: str(row["address"]))
        self.rows["asked_mailbox"].sort(key=lambda row: bytes(row["hash"]))
        self.tx.stage(
            Encoded(PersonChangedV1, self.cards),
            Encoded(LeadReceivedV1, self.leads),
            Encoded(PermissionChangedV1, self.permissions),
            Encoded(ConfirmationRequestedV1, self.questions),
        )
        told = self.tx.outbox_rows()
        self.rows["outbox"] = [dict(zip(OUTBOX_COLUMNS, row, strict=True)) for row in told]
        await self.tx.put(INSERTS, *_columns(self.rows))


def _as_json(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {**values, **{name: orjson.dumps(values[name]).decode() for name in names}}


def _columns(rows: Mapping[str, list[Mapping[str, Any]]]) -> list[list[Any]]:
    return [
        [row[name] for row in rows[table]] for table, columns in TABLES.items() for name in columns
    ]


__all__ = ["FirstPost", "Outcome", "is_plain", "take_first"]
