"""The limit that lead intake is held against: the same statement in an application that does nothing else.

No gateway, no rules, no limits: JSON is read, the rows of one lead are made up from it, and groups are written by the
statement of contacts-svc, two at a time, each answered after its commit. The statement of contacts-svc looks before it
writes; `KANTIS_BENCH_BARE=insert` holds the house against the inserts alone, which look at nothing.
"""

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import asyncpg
import orjson

from contacts_svc.intake.usecases.inserts import INSERTS, TABLES
from contacts_svc.intake.usecases.looking import ROUTE
from contacts_svc.intake.usecases.together import INSERTS_IF_CLEAR
from kantis_kit.clock import SystemClock
from kantis_kit.ids import new_id

KINDS = ("person.changed", "lead.received", "permission.changed", "confirmation.requested")
UNDER_WAY = 2
INSERTS_ALONE = os.environ.get("KANTIS_BENCH_BARE") == "insert"
ANSWER = b'{"status":"received"}'
CLOCK = SystemClock()
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def rows_of(body: dict[str, Any], form: asyncpg.Record) -> dict[str, dict[str, Any]]:
    """Make the rows of one lead, with the values that contacts-svc would write."""
    now = CLOCK.now()
    person, lead = new_id(), new_id()
    email, name = body["email"], body["full_name"]
    text = "Ja takk, send meg nyhetsbrev."
    said = {
        "person_id": person,
        "channel": "email",
        "purpose": "newsletter",
        "state": "pending",
        "version": 1,
        "legal_basis": "consent",
        "source": "form bench: benchmark",
        "occurred_at": now,
    }
    ledger = new_id()
    evidence = '{"network":"10.0.0.0/24","user_agent":"Firefox"}'
    return {
        "idempotency": {
            "caller": "anonymous",
            "route": "POST /f/{form_key}",
            "key": str(person),
            "request_hash": person.bytes * 2,
            "status": 202,
            "headers": '{"content-type":"application/json"}',
            "body": ANSWER,
            "stored_at": now,
        },
        "identifier": {
            "id": new_id(),
            "kind": "email",
            "value": email,
            "person_id": person,
            "as_given": email,
            "label": "",
            "is_primary": True,
            "is_identifying": True,
            "source": "",
            "validity": "valid",
            "reachability": "unknown",
            "reach_reason": "",
            "created_at": now,
        },
        "person": dict.fromkeys(TABLES["person"], "")
        | {
            "id": person,
            "version": 1,
            "full_name": name,
            "language": "nb",
            "country": "NO",
            "time_zone": "Europe/Oslo",
            "lifecycle": "lead",
            "source": "benchmark",
            "recipient_kind": "person",
            "do_not_contact": False,
            "custom": "{}",
            "is_erased": False,
            "created_at": now,
            "updated_at": now,
        },
        "person_change": {
            "person_id": person,
            "version": 1,
            "at": now,
            "actor": "form:benchmark",
            "import_id": None,
            "import_row": None,
            "reason": "",
            "changes": orjson.dumps({"full_name": ["", name], "email": ["", email]}).decode(),
        },
        "lead": {
            "id": lead,
            "form_id": form["id"],
            "form_key": "bench",
            "person_id": person,
            "is_consented": True,
            "language": "nb",
            "fields": orjson.dumps(body).decode(),
            "text_version": "1",
            "evidence": evidence,
            "answers": "{}",
            "topics": "[]",
            "boxes": '{"consent":"1"}',
            "times": 1,
            "first_at": now,
            "last_at": now,
        },
        "permission_state": {**said, "ledger_id": ledger},
        "permission_ledger": {
            **said,
            "id": ledger,
            "text_shown": text,
            "text_version": "1",
            "evidence": evidence,
            "actor": "anonymous",
            "recorded_at": now,
        },
        "list_member": {
            "segment_id": form["list_id"],
            "person_id": person,
            "source": "form:bench",
            "added_at": now,
        },
        "touched_person": {"person_id": person, "families": 2047, "at": now},
        "confirmation": {
            "id": new_id(),
            "lead_id": lead,
            "form_id": form["id"],
            "person_id": person,
            "email": email,
            "language": "nb",
            "purposes": '["newsletter"]',
            "text_shown": text,
            "text_version": "1",
            "boxes": "{}",
            "requested_at": now,
            "expires_at": now,
        },
        "confirmation_slot": {"address": email, "last_at": now},
        "asked_mailbox": {"hash": person.bytes * 2, "unanswered": 1, "last_at": now},
    }


class Bare:
    """A group-commit application on one table of statements."""

    def __init__(
        self, connections: list["asyncpg.Connection[asyncpg.Record]"], form: asyncpg.Record
    ) -> None:
        self.free, self.form = connections, form
        self.waiting: deque[tuple[dict[str, Any], asyncio.Future[None]]] = deque()
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        body = orjson.loads((await receive())["body"])
        done = asyncio.get_running_loop().create_future()
        self.waiting.append((body, done))
        if self.free:
            task = asyncio.get_running_loop().create_task(self.run(self.free.pop()))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        await done
        headers = [(b"content-type", b"application/json"), (b"content-length", b"21")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": ANSWER})

    async def run(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Commit while somebody waits."""
        while self.waiting:
            group = [self.waiting.popleft() for _ in range(min(250, len(self.waiting)))]
            try:
                await self.keep(connection, [body for body, _ in group])
            except asyncpg.PostgresError as error:
                for _, done in group:
                    done.set_exception(error)
            else:
                for _, done in group:
                    done.set_result(None)
        self.free.append(connection)

    async def keep(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        bodies: list[dict[str, Any]],
    ) -> None:
        """Write one group."""
        made = [rows_of(body, self.form) for body in bodies]
        tables: dict[str, list[dict[str, Any]]] = {
            name: [rows[name] for rows in made if name in rows] for name in TABLES
        }
        now = CLOCK.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        tables["intake_window"] = [
            {"name": name, "starts_at": hour, "shard": now.microsecond % 32, "counted": len(made)}
            for name in ("asked", "form")
        ]
        data = orjson.dumps({"items": bodies})
        told = {
            **dict.fromkeys(("subject", "causation_id", "traceparent")),
            **dict.fromkeys(("occurred_at", "recorded_at"), now),
            "correlation_id": new_id(),
            "data": data,
        }
        tables["outbox"] = [{**told, "id": new_id(), "type": kind} for kind in KINDS]
        columns = [
            [row[name] for row in tables[table]]
            for table, names in TABLES.items()
            for name in names
        ]
        if INSERTS_ALONE:
            await connection.fetch(INSERTS, *columns)  # one statement, and so a transaction
            return
        keys, emails = tables["idempotency"], [row["value"] for row in tables["identifier"]]
        (seen,) = await connection.fetch(
            INSERTS_IF_CLEAR,
            *columns,
            [self.form["id"]],
            [self.form["version"]],
            ["asked", "form"],
            hour,
            ROUTE,
            [row["caller"] for row in keys],
            [row["key"] for row in keys],
            emails,
            [None] * len(made),
            emails,
            [row["hash"] for row in tables["asked_mailbox"]],
            [10_000_000, 10_000_000],
        )
        if not seen["is_clear"]:
            message = "somebody was known already"
            raise RuntimeError(message)


async def bare(dsn: str) -> Bare:
    """Return the application, on a database of contacts-svc's own tables."""
    connections = [await asyncpg.connect(dsn) for _ in range(UNDER_WAY)]
    form = await connections[0].fetchrow("SELECT id, version, list_id FROM form")
    if form is None:
        message = "make the form first"
        raise RuntimeError(message)
    return Bare(connections, form)
