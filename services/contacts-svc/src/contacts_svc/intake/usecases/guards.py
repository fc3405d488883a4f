"""What keeps a form from being used against others, counted in rows: it outlives restarts and is shared by replicas."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.intake.errors import ProofMissing, TooManyLeads
from contacts_svc.intake.model import AskedMailbox, Form, IntakeWindow, ProofOfWork
from contacts_svc.people import queries as people_queries
from contacts_svc.people.rules import address_hash
from contacts_svc.settings import ContactsSettings
from kantis_kit.groups import MOST, UNDER_WAY
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx

HOUR = timedelta(hours=1)
ASKED = "asked"
MOST_UNANSWERED = 3
SHARDS = 32
PROOFS_KEPT = timedelta(days=8)  # longer than the gateway keeps a lead that waits
_BITS = 8


def hour_of(now: datetime) -> datetime:
    """Return when the window began that this moment lies in."""
    return now.replace(minute=0, second=0, microsecond=0)


UNSEEN = UNDER_WAY * MOST
"""How many questions groups may be writing that nobody can count yet; so near the limit all leads go the long way."""
_LAST_QUESTIONS = 7_310_018
"""The advisory lock of who may ask one of the last questions of an hour."""


async def counted(tx: ReadTx, name: str) -> int:
    """Return how much was counted under this name in this hour."""
    table = table_of(IntakeWindow)
    found: int = await tx.scalar(
        select(func.coalesce(func.sum(table.c.counted), 0)).where(
            table.c.name == name, table.c.starts_at == hour_of(tx.clock.now())
        )
    )
    return int(found)


def a_shard() -> int:
    """Return one of the rows that share a count."""
    return new_id().bytes[-1] % SHARDS


async def count(tx: Tx, name: str) -> None:
    """Count one more; the last thing in a transaction, so that others wait for the row as briefly as can be."""
    table = table_of(IntakeWindow)
    new = insert(table).values(
        name=name,
        starts_at=hour_of(tx.clock.now()),
        shard=a_shard(),
        counted=1,
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["name", "starts_at", "shard"],
            set_={"counted": table.c.counted + 1},
        )
    )


def window_of(form_id: UUID) -> str:
    """Return the name under which the posts to a form are counted."""
    return f"form:{form_id}"


def share_of(tx: ReadTx, form: Form) -> int:
    """Return how many posts a form takes in an hour."""
    return form.posts_per_hour or tx.settings(ContactsSettings).form_posts_per_hour


async def check_form(tx: ReadTx, form: Form) -> None:
    """Refuse a post to a form that has had its share of this hour. Raises `TooManyLeads`."""
    most = share_of(tx, form)
    if await counted(tx, window_of(form.id)) >= most:
        now = tx.clock.now()
        wait = int((hour_of(now) + HOUR - now).total_seconds()) + 1
        raise TooManyLeads(
            f"This form takes {most} posts an hour; wait a little",
            headers={"Retry-After": str(wait)},
        )


async def count_post(tx: Tx, form: Form) -> None:
    """Count a post that the form has taken."""
    await count(tx, window_of(form.id))


async def may_ask_more(tx: Tx) -> bool:
    """Say whether the house may ask one more mailbox in this hour, whatever form and address.

    Who comes near the limit asks one after the other until they have committed: nobody counts what another is about to.
    """
    most = tx.settings(ContactsSettings).confirmations_per_hour
    if await counted(tx, ASKED) < most - UNSEEN:
        return True
    await tx.execute(select(func.pg_advisory_xact_lock(_LAST_QUESTIONS)))
    return await counted(tx, ASKED) < most


async def count_question(tx: Tx, mailbox: str) -> bool:
    """Count a question to a mailbox; False when three were not answered, and it is never asked again by itself."""
    table = table_of(AskedMailbox)
    new = insert(table).values(hash=mailbox_hash(tx, mailbox), unanswered=1, last_at=tx.clock.now())
    mine = await tx.scalar(
        new.on_conflict_do_update(
            index_elements=["hash"],
            set_={"unanswered": table.c.unanswered + 1, "last_at": new.excluded.last_at},
            where=table.c.unanswered < MOST_UNANSWERED,
        ).returning(table.c.unanswered)
    )
    return mine is not None


async def is_deaf(tx: ReadTx, mailbox: str) -> bool:
    """Say whether a mailbox was asked as often as it may be without an answer."""
    found = await tx.scalar(
        select(col(AskedMailbox.unanswered)).where(
            col(AskedMailbox.hash) == mailbox_hash(tx, mailbox),
            col(AskedMailbox.unanswered) >= MOST_UNANSWERED,
        )
    )
    return found is not None


async def note_answer(tx: Tx, mailbox: str) -> None:
    """Start counting anew: its owner has answered."""
    await tx.execute(
        delete(table_of(AskedMailbox)).where(col(AskedMailbox.hash) == mailbox_hash(tx, mailbox))
    )


def mailbox_hash(tx: ReadTx, mailbox: str) -> bytes:
    """Return by what a mailbox is known that was asked."""
    return address_hash(people_queries.suppression_key(tx), ("mailbox", mailbox))


def is_proof(started: str, proof: str, bits: int) -> bool:
    """Say whether SHA-256 of challenge and proof begins with so many zero bits."""
    digest = hashlib.sha256(f"{started}:{proof}".encode()).digest()
    return bool(proof) and int.from_bytes(digest, "big") >> (len(digest) * _BITS - bits) == 0


async def use_proof(tx: Tx, form: Form, started: str, proof: str) -> None:
    """Take the work that a form asks for; one challenge is worth one post. Raises `ProofMissing`."""
    if not form.proof_of_work_bits:
        return
    where = f"get a new challenge at /f/{form.key}/challenge"
    if not is_proof(started, proof, form.proof_of_work_bits):
        raise ProofMissing(
            f"proof: SHA-256 of `started:proof` must begin with {form.proof_of_work_bits} zero bits; {where}"
        )
    mine = await tx.scalar(
        insert(table_of(ProofOfWork))
        .values(hash=hashlib.sha256(started.encode()).digest(), used_at=tx.clock.now())
        .on_conflict_do_nothing()
        .returning(table_of(ProofOfWork).c.used_at)
    )
    if mine is None:
        raise ProofMissing(f"started: this challenge was used already; {where}")


async def forget_guards(tx: Tx) -> None:
    """Delete what no longer counts."""
    now = tx.clock.now()
    await tx.execute(
        delete(table_of(IntakeWindow)).where(col(IntakeWindow.starts_at) < now - 2 * HOUR)
    )
    await tx.execute(
        delete(table_of(ProofOfWork)).where(col(ProofOfWork.used_at) < now - PROOFS_KEPT)
    )
