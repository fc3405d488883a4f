"""A campaign of personal 15.5 KB HTML mails with ten tracked links and a pixel, against postfix's C sender.

In one run, turn by turn, into the same sink: postfix's smtp-source over ten connections (the limit); compile and wire
alone, without a database; the whole path of the sender (claim, gate with permission and suppression, render, SMTP,
outcomes, event in the outbox), everything durable, from planned rows to announced ends. First into a sink that costs
little (`_sink.py`), then into postfix's smtp-sink, which is the limit itself. Rates are ratios; beside them the
processor time of the sender a mail and its largest memory.

What no sender of this language and these parts can do without is measured by itself, as a floor under the whole path: the
same bytes over the same connections, with nothing written and nothing known (`wire alone`); the same rows claimed, handed
over, recorded and told of, with nothing written and nothing sent (`rows alone`); and a signature, for mails that leave
without a relay that signs.

postfix's two tools are looked for on the path and in KANTIS_POSTFIX_BIN; without them the other figures are measured. On
Debian `apt-get download postfix && dpkg -x postfix_*.deb FOLDER` brings them without installing a mail server; their
libraries then need LD_LIBRARY_PATH=FOLDER/usr/lib/postfix.

    python benchmarks/mail_send.py [MAILS] [ROUNDS]
"""

import asyncio
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from _collector import as_in_the_house
from _mail_parts import (
    CONNECTIONS,
    LINK_KEYS,
    OFFER,
    SIZE_BYTES,
    RowsCarrier,
    SameAgain,
    Stock,
    own_settings,
    signing,
    stock_of,
    template,
)
from _sink import cheap_sink, sink_cost

from kantis_contracts.campaign import OfferCard, Piece, PieceReleasedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.signing import make_keys
from kantis_kit.tx import write
from messaging_svc.dispatch import usecases
from messaging_svc.dispatch.mail import MailCarrier
from messaging_svc.dispatch.sender import Sender
from messaging_svc.main import SPEC
from messaging_svc.settings import MessagingSettings
from messaging_svc.wire.pool import Pool
from messaging_svc.wire.server import Server

HERE = Path(__file__)
SOURCE, BARE, WHOLE = "smtp-source", "compile + wire", "whole path"
WIRE, ROWS = "wire alone", "rows alone"


async def bare(port: int, stock: Stock) -> dict[str, float]:
    """Send mails that no ledger knows."""
    mails = stock.left
    pool = Pool(
        Server("127.0.0.1", port), stock, CONNECTIONS, lambda: pool.poke(lambda: stock.left)
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(pool.run())
        pool.want()
        started, used = perf_counter(), process_time()
        await stock.done.wait()
        seconds, used = perf_counter() - started, process_time() - used
        pool.finish()
    return {"rate": mails / seconds, "cpu": used}


async def worker(text: str, kind: type[MailCarrier]) -> dict[str, float]:
    """Be a sender until nothing is left to be announced."""
    settings = MessagingSettings(**json.loads(text))
    service = Service(SPEC, settings)
    sender = Sender(service, settings, kind(settings))
    task = asyncio.ensure_future(sender.run())
    pool = await service.database.pool()
    started, used = perf_counter(), process_time()
    while await pool.fetchval("SELECT EXISTS (SELECT FROM dispatch WHERE NOT is_announced)"):
        await asyncio.sleep(0.2)
        if task.done():
            await task
    seconds, used = perf_counter() - started, process_time() - used
    sender.stop()
    await task
    sent = await pool.fetchval("SELECT count(*) FROM dispatch WHERE state = 'accepted'")
    await pool.close()
    return {"rate": sent / seconds, "cpu": used}


def child(kind: str, *arguments: str) -> dict[str, float]:
    """Run a part in a process of its own; return its figures with what it used."""
    done = subprocess.run(
        [sys.executable, str(HERE), kind, *arguments], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


async def as_child(kind: str, arguments: list[str]) -> None:
    """Run as a part, and print the figures."""
    as_in_the_house()
    if kind in ("worker", "rows"):
        found = await worker(arguments[0], MailCarrier if kind == "worker" else RowsCarrier)
    else:
        port, mails = map(int, arguments)
        stock = stock_of(mails)
        found = await bare(port, stock if kind == "bare" else SameAgain(stock))
    found["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


@dataclass
class House:
    """messaging-svc's database with a campaign in it."""

    service: Service
    owner: "asyncpg.Connection[asyncpg.Record]"
    settings: dict[str, Any]
    template_id: UUID

    async def people(self, count: int) -> None:
        """Know people who allow it."""
        await self.owner.execute(
            """
            INSERT INTO person_card (person_id, version, preferred_name, language, country, email, email_hash, changed_at)
            SELECT gen_random_uuid(), 1, 'Kari ' || n, 'nb', 'NO', 'kari' || n || '@kunde.example',
                sha256(('kari' || n)::bytea), now()
            FROM generate_series(1, $1::int) n
            """,
            count,
        )
        await self.owner.execute(
            """
            INSERT INTO permission_card
            SELECT person_id, 'email', 'offers', 'granted', 1, gen_random_uuid(), 'consent', now() - interval '1 day'
            FROM person_card
            ON CONFLICT DO NOTHING
            """
        )

    async def launch(self, *, afresh: bool = True) -> None:
        """Plan a mail for everybody; what was there before is gone, but where it is not `afresh`."""
        if afresh:
            await self.owner.execute("TRUNCATE dispatch CASCADE")
        persons = [row[0] for row in await self.owner.fetch("SELECT person_id FROM person_card")]
        shared: dict[str, Any] = {
            "campaign_id": new_id(), "campaign_name": "Vår", "launch_id": new_id(), "cell_id": new_id(),
            "key_code": "A", "cell_name": "A", "segment_id": new_id(), "segment_name": "Alle",
            "channel": Channel.EMAIL, "purpose": Purpose.OFFERS, "template_id": self.template_id,
            "offer": OfferCard.model_validate(OFFER),
        }  # fmt: skip
        for start in range(0, len(persons), 1_000):
            pieces = tuple(
                Piece(piece_id=new_id(), person_id=person, response_code=f"K{start + n:07d}")
                for n, person in enumerate(persons[start : start + 1_000])
            )
            async with write(self.service.scope) as tx:
                await usecases.plan_pieces(tx, PieceReleasedV1(**shared, items=pieces))
        if afresh:
            await self.owner.execute("VACUUM ANALYZE dispatch, person_card, permission_card")


async def open_house(stack: AsyncExitStack, mails: int) -> House:
    """Make the database, the template and the people."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
    make_keys(folder / "keys", ("messaging", "gateway"))
    postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
    dsns = await provision(postgres.superuser_dsn(), "messaging", passwords=postgres.secrets)
    await migrate(dsns.owner_dsn, SPEC.migrations)
    settings = {
        "postgres_dsn": dsns.app_dsn, "keys_dir": str(folder / "keys"), "data_dir": str(folder / "data"),
        "broker_url": "postgresql://given",
    }  # fmt: skip
    service = Service(SPEC, own_settings(0, **settings))
    stack.push_async_callback(service.stop)
    owner = await asyncpg.connect(dsns.owner_dsn)
    stack.push_async_callback(owner.close)
    template_id, compiled = new_id(), json.dumps(template())
    await owner.execute(
        "INSERT INTO template (id, name, version, created_at, changed_at) VALUES ($1, 'x', 1, now(), now())",
        template_id,
    )
    await owner.execute(
        "INSERT INTO template_version (id, template_id, number, source, compiled, created_by, created_at)"
        " VALUES ($1, $2, 1, '{}', $3, 'bench', now())", new_id(), template_id, compiled,
    )  # fmt: skip
    house = House(service, owner, settings, template_id)
    await house.people(mails)
    return house


@contextmanager
def postfix_sink(tool: str) -> Iterator[int]:
    """Run postfix's sink."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([tool, *user, f"127.0.0.1:{port}", "100"]) as process:
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                os.sched_yield()
            yield port
        finally:
            process.kill()


def find(tool: str) -> str | None:
    """Return where one of postfix's tools lies."""
    folder = os.environ.get("KANTIS_POSTFIX_BIN")
    return (
        shutil.which(tool, path=folder)
        if folder
        else shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin")
    )


def smtp_source(tool: str, port: int, mails: int) -> dict[str, float]:
    """Have postfix send as many mails of that size."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = perf_counter()
    subprocess.run(
        [tool, "-s", str(CONNECTIONS), "-d", "-m", str(mails), "-l", str(SIZE_BYTES * 11 // 10),
         "-f", "post@lys.example", "-t", "kari@kunde.example", f"127.0.0.1:{port}"], check=True,
    )  # fmt: skip
    seconds = perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"rate": mails / seconds, "cpu": cpu, "mib": 0}


async def run(
    house: House, port: int, mails: int, source: str | None
) -> dict[str, dict[str, float]]:
    """Measure one round into one sink."""
    found = {}
    if source:
        found[SOURCE] = smtp_source(source, port, mails)
    found[WIRE] = child("wire", str(port), str(mails))
    found[BARE] = child("bare", str(port), str(mails))
    await house.launch()
    settings = (
        json.loads(own_settings(port).model_dump_json(exclude_defaults=True)) | house.settings
    )
    settings |= {"link_keys": LINK_KEYS, "smtp_host": "127.0.0.1", "smtp_port": port}
    found[WHOLE] = child("worker", json.dumps(settings))
    await house.launch()
    found[ROWS] = child("rows", json.dumps(settings))
    return found


async def main(mails: int, rounds: int) -> None:
    """Measure, sink by sink, round by round."""
    source, sink = find("smtp-source"), find("smtp-sink")
    if not source or not sink:
        print("postfix's tools were not found (see above); going on without.")
    async with AsyncExitStack() as stack:
        house = await open_house(stack, mails)
        for name, opened in (
            ("cheap sink", cheap_sink()),
            ("smtp-sink", postfix_sink(sink) if sink else None),
        ):
            if opened is None:
                continue
            with opened as port:
                rates: dict[str, list[dict[str, float]]] = defaultdict(list)
                for _ in range(rounds):
                    for what, figures in (await run(house, port, mails, source)).items():
                        rates[what].append(figures)
                show(name, rates, mails)
                if name == "cheap sink":
                    taken, used = sink_cost(port)
                    print(f"{name:12} cost of the sink itself {used / taken:6.1f} µs a mail")
                    print(f"{name:12} a DKIM signature, beside {signing():6.1f} µs a mail")


def show(name: str, rates: dict[str, list[dict[str, float]]], mails: int) -> None:
    """Print the medians of a sink."""
    limit = statistics.median(one["rate"] for one in rates[SOURCE]) if SOURCE in rates else None
    for what, figures in rates.items():
        rate = statistics.median(one["rate"] for one in figures)
        cpu = statistics.median(one["cpu"] for one in figures) / mails * 1e6
        mib = max(one["mib"] for one in figures)
        told = f"{rate:8.0f}/s  {cpu:6.1f} µs a mail  {mib:5.0f} MiB"
        print(f"{name:12} {what:16} {told}", f"{rate / limit:5.2f} of {SOURCE}" if limit else "")
    floor = sum(
        statistics.median(one["cpu"] for one in rates[what]) / mails * 1e6 for what in (WIRE, ROWS)
    )
    print(f"{name:12} floor: {WIRE} and {ROWS} {floor:6.1f} µs a mail")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in ("bare", "wire", "worker", "rows"):
        uvloop.run(as_child(sys.argv[1], sys.argv[2:]))
    else:
        given = [int(value) for value in sys.argv[1:]]
        uvloop.run(main(*(given + [100_000, 3][len(given) :])))
