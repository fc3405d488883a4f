"""A first post, and what a group of them asks of the database before it may be written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contacts_svc.intake.usecases import guards
from contacts_svc.intake.usecases.leads import Posted
from contacts_svc.intake.usecases.patterns import Pattern
from contacts_svc.settings import ContactsSettings
from kantis_kit.groups import Statements

# OFFSET 0: each is asked by its key. The planner would rather read all the numbers of a small register once, and stay with
# that plan while the register grows.
LOOK = """
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
IS_CLEAR = """cardinality(known) = 0 AND NOT false = ANY (are_current)
    AND NOT EXISTS (SELECT FROM unnest(counted, $12::bigint[]) AS window_now (counted, room) WHERE counted > room)"""
"""Nobody is known, no form has changed, and every count has room for the whole group."""
ROUTE = "POST /f/{form_key}"
"""Under which the kit's route stores the answers of this address."""


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


def counts_of(posts: Sequence[FirstPost]) -> Counter[str]:
    """Return how much posts count, by the names of the windows."""
    return Counter(name for post in posts for name in _counted_as(post))


def _counted_as(post: FirstPost) -> Sequence[str]:
    window = post.pattern.window
    return (window,) if post.mailbox is None else (window, guards.ASKED)


def as_read(post: FirstPost) -> tuple[UUID, int]:
    """Return the form of a post, and the version that was read."""
    return post.pattern.form.id, post.pattern.form.version


class Question:
    """What is asked about a group, as arguments of `LOOK`."""

    def __init__(self, tx: Statements, posts: Sequence[FirstPost]) -> None:
        self.posts = posts
        self._read = {as_read(post): post.pattern for post in posts}
        forms = {one.window: one.form for one in self._read.values()}
        mailboxes = [post.mailbox for post in posts]
        self.hashes = {one: guards.mailbox_hash(tx, one) for one in mailboxes if one is not None}
        """By what the mailboxes are known that are asked."""
        self._most = {window: guards.share_of(tx, form) for window, form in forms.items()}
        most_asked = tx.settings(ContactsSettings).confirmations_per_hour
        self._most[guards.ASKED] = most_asked - guards.UNSEEN
        self.arguments: Sequence[Any] = (
            [form_id for form_id, _ in self._read],
            [version for _, version in self._read],
            list(self._most),
            guards.hour_of(tx.clock.now()),
            ROUTE,
            [post.caller for post in posts],
            [post.key for post in posts],
            [post.email for post in posts],
            [post.phone for post in posts],
            mailboxes,
            [None if one is None else self.hashes[one] for one in mailboxes],
        )

    def room(self) -> list[int]:
        """Return how much may have been counted under each name for all to fit: the last argument of `IS_CLEAR`."""
        wanted = counts_of(self.posts)
        return [most - wanted[name] for name, most in self._most.items()]

    async def look(self, tx: Statements) -> "Seen":
        """Ask."""
        (row,) = await tx.look(LOOK, *self.arguments)
        return self.seen(row)

    def seen(self, row: Mapping[str, Any], *, is_clear: bool = False) -> "Seen":
        """Read the answer."""
        return Seen(
            is_clear,
            {number - 1 for number in row["known"]},
            {one for one, is_now in zip(self._read, row["are_current"], strict=True) if not is_now},
            dict(zip(self._most, row["counted"], strict=True)),
            self._most,
        )


@dataclass(slots=True)
class Seen:
    """What stood in the database before a group is written, and the counts as it is taken."""

    is_clear: bool
    """Whether the group was written in the same breath."""
    known: set[int]
    """Which posts, by their place, name what is known already."""
    stale: set[tuple[UUID, int]]
    """Forms that are not as they were read."""
    counted: Mapping[str, int]
    most: Mapping[str, int]
    taken: Counter[str] = field(default_factory=Counter)

    def have_room(self, post: FirstPost) -> bool:
        """Count a post, and the question that it asks, unless there were too many of either in this hour."""
        names = _counted_as(post)
        if any(self.counted[name] + self.taken[name] >= self.most[name] for name in names):
            return False
        self.taken.update(names)
        return True


__all__ = ["IS_CLEAR", "LOOK", "ROUTE", "FirstPost", "Question", "Seen", "as_read", "counts_of"]
