"""A launch of many people beside the bare COPY of the same rows, and a pre-flight, each in one run.

Launch: freeze with routes of two channels, cells, hold-out, codes, and the release of every piece, as the services do
it, without a broker between them: at most 3 times the COPY of the frozen pages, the pieces and the outbox in turns.
Pre-flight: at most 10 s for a million people, in proportion for fewer, and at most 5 statements per table.

    python benchmarks/campaign_launch.py [PEOPLE]
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from uuid import UUID

import asyncpg
import uvloop
from _collector import as_in_the_house
from pydantic import SecretStr
from segments import ADDRESSES, CONSENTS, FILL, ORDERS
from sqlalchemy import event

from campaign_svc.campaigns.model import Campaign, Cell, Launch, Preflight
from campaign_svc.campaigns.usecases import take_audience
from campaign_svc.main import SPEC as CAMPAIGN
from campaign_svc.settings import CampaignSettings
from contacts_svc.main import SPEC as CONTACTS
from contacts_svc.segments import usecases
from contacts_svc.segments.schemas import SegmentIn
from contacts_svc.settings import ContactsSettings
from kantis_contracts.campaign import AudienceRequest, PreflightRequest
from kantis_contracts.contacts import AudienceFrozenV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.brokers.embedded import EmbeddedBroker
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.ids import new_id
from kantis_kit.service import Service, ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.signing import make_keys
from kantis_kit.tx import write

PEOPLE = 100_000
MOST_TIMES = 3.0
MOST_SECONDS = 10.0
OF_PEOPLE = 1_000_000
MOST_STATEMENTS = 5
CHANNELS = (Channel.EMAIL, Channel.LETTER, Channel.SMS, Channel.PHONE)
CONDITION = {"op": "country", "is_in": ["NO", "SE", "DK", "FI"]}
FROZEN = "contacts.audience.frozen.v1"
Owners = tuple[asyncpg.Connection, asyncpg.Connection]


async def opened(
    stack: AsyncExitStack,
    folder: Path,
    postgres: EmbeddedPostgres,
    spec: ServiceSpec,
    kind: Callable[..., ServiceSettings],
) -> tuple[Service, asyncpg.Connection]:
    """Return a service on a fresh database, not started, and its owner's connection."""
    dsns = await provision(postgres.superuser_dsn(), spec.name, passwords=postgres.secrets)
    await migrate(dsns.owner_dsn, spec.migrations)
    settings = kind(
        environment="test",
        data_dir=folder,
        keys_dir=folder / "keys",
        postgres_dsn=SecretStr(dsns.app_dsn),
        postgres_owner_dsn=SecretStr(dsns.owner_dsn),
        link_keys=SecretStr("1:" + "5a" * 32),
    )
    service = Service(spec, settings, broker=EmbeddedBroker(dsns.app_dsn, name="bench"))
    stack.push_async_callback(service.database.close)
    owner = await asyncpg.connect(dsns.owner_dsn)
    stack.push_async_callback(owner.close)
    return service, owner


async def preflight(service: Service, segment: UUID) -> tuple[float, float, Counter[str]]:
    """Answer a pre-flight; return seconds, processor seconds here, and how often each table was asked."""
    asked: Counter[str] = Counter()

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        for table in ("person", "identifier", "permission_state", "message_fact", "quality_score"):
            asked[table] += f"FROM {table}" in statement or f"JOIN {table}" in statement

    engine = service.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    request = PreflightRequest(
        preflight_id=new_id(), campaign_id=new_id(), segment_id=segment, purpose=Purpose.OFFERS,
        channels=CHANNELS, without_debtors=True, tired_from=4,
    )  # fmt: skip
    begin, cpu = perf_counter(), process_time()
    async with write(service.scope, actor="bench") as tx:
        await usecases.answer_preflights(tx, (request,))
    taken = perf_counter() - begin, process_time() - cpu
    event.remove(engine, "before_cursor_execute", count)
    return *taken, asked


async def launch(contacts: Service, campaign: Service, owners: Owners, segment: UUID) -> float:
    """Freeze the audience, take it in part by part, release every piece; return the seconds."""
    launch_id, campaign_id = await plan(campaign, segment)
    request = AudienceRequest(
        launch_id=launch_id, campaign_id=campaign_id, segment_id=segment, purpose=Purpose.OFFERS,
        channel=Channel.EMAIL, channels=(Channel.EMAIL, Channel.LETTER),
    )  # fmt: skip
    begin = perf_counter()
    async with write(contacts.scope, actor="bench") as tx:
        await usecases.freeze_audiences(tx, (request,))
    taken = perf_counter() - begin
    parts = await owners[0].fetch("SELECT data FROM outbox WHERE type = $1 ORDER BY seq", FROZEN)
    begin = perf_counter()
    for part in parts:
        event_ = AudienceFrozenV1.model_validate_json(part["data"])
        async with write(campaign.scope, actor="bench") as tx:
            await take_audience(tx, event_)
    return taken + perf_counter() - begin


async def plan(campaign: Service, segment: UUID) -> tuple[UUID, UUID]:
    """Make a launch of two cells with a hold-out, as its use case leaves it."""
    now = campaign.scope.clock.now()
    planned = Campaign(
        id=new_id(), name="Bench", segment_id=segment, purpose="offers", channel="email", currency="NOK",
        expected_response_pct=Decimal(2), state="launching", hold_out_pct=5, created_at=now, updated_at=now,
    )  # fmt: skip
    asked = Preflight(
        id=new_id(), campaign_id=planned.id, campaign_version=1, state="counting", requested_at=now
    )
    begun = Launch(
        id=new_id(), campaign_id=planned.id, preflight_id=asked.id, state="launching", launched_at=now,
        launched_by="bench",
    )  # fmt: skip
    ways = [
        {"channel": name, "template_id": str(new_id()), "cost_per_piece_minor": cost}
        for name, cost in (("email", 10), ("letter", 1500))
    ]
    cells = [
        Cell(id=new_id(), campaign_id=planned.id, name=name, key_code=name * 3, share_pct=50,
             template_id=UUID(str(ways[0]["template_id"])), routes=ways)
        for name in "AB"
    ]  # fmt: skip
    async with write(campaign.scope, actor="bench") as tx:
        for one in (planned, *cells, asked, begun):
            tx.add(one)
            await tx.flush()
    return begun.id, planned.id


async def copied(owners: Owners) -> float:
    """Return the seconds of the bare COPY of the same rows into tables with the same keys and indexes."""
    taken = 0.0
    for owner, table in (
        (owners[0], "frozen_page"), (owners[0], "outbox"), (owners[1], "piece"), (owners[1], "outbox"),
    ):  # fmt: skip
        with tempfile.TemporaryFile() as file:
            await owner.copy_from_table(table, output=file, format="binary")
            await owner.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            file.seek(0)
            begin = perf_counter()
            await owner.copy_to_table(f"bare_{table}", source=file, format="binary")
            taken += perf_counter() - begin
    return taken


def line(name: str, figure: str, goal: str, *, is_met: bool) -> None:
    """Print a figure beside its goal."""
    sys.stdout.write(f"{name:<34} {figure:<40} {goal:<10} {'met' if is_met else 'MISSED'}\n")


async def main(people: int) -> None:
    """Measure and print."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
        make_keys(folder / "keys", ("contacts", "campaign", "gateway"))
        contacts, register = await opened(stack, folder, postgres, CONTACTS, ContactsSettings)
        # Nobody sends here, so nothing comes to its end: all of it is one wave.
        campaign, plans = await opened(
            stack, folder, postgres, CAMPAIGN, partial(CampaignSettings, wave_in_flight=people)
        )
        await register.execute(FILL, people)
        for statement in (ADDRESSES, CONSENTS, ORDERS, "VACUUM ANALYZE"):
            await register.execute(statement)
        as_in_the_house()
        async with write(contacts.scope, actor="bench") as tx:
            body = SegmentIn.model_validate({"name": "Everybody", "condition": CONDITION})
            segment = (await usecases.make_segment(tx, body)).id
        seconds, cpu, asked = await preflight(contacts, segment)
        most = MOST_SECONDS * people / OF_PEOPLE
        figure = f"{seconds:.2f} s, {cpu:.2f} s of it in our process"
        line(f"pre-flight of {people:,}", figure, f"<= {most:.1f} s", is_met=seconds <= most)
        table, times = asked.most_common(1)[0]
        goal = f"<= {MOST_STATEMENTS}"
        line("statements to one table", f"{times} ({table})", goal, is_met=times <= MOST_STATEMENTS)
        taken = await launch(contacts, campaign, (register, plans), segment)
        pieces = await plans.fetchval("SELECT count(*) FROM piece")
        bare = await copied((register, plans))
        figure = f"{taken:.2f} s, COPY {bare:.2f} s: {taken / bare:.1f} x"
        line(
            f"launch of {pieces:,}", figure, f"<= {MOST_TIMES} x", is_met=taken <= MOST_TIMES * bare
        )


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE))
