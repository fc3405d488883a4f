"""The command line: `kantis up`, and what people and scripts need beside it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from kantis import doubt, runtime, sagas, users
from kantis.deployment.commands import register
from kantis.importing import register as register_import
from kantis.installation import Installation, Surroundings
from kantis_kit.errors import KantisError

app = typer.Typer(
    help="Direct marketing that never mails anyone twice or against their wish.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
keys_app = typer.Typer(help="API keys of the gateway.", no_args_is_help=True)
parked_app = typer.Typer(help="Messages that wait for a person.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(parked_app, name="parked")

screen = Console(stderr=True, highlight=False)
T = TypeVar("T")
Json = Annotated[
    bool, typer.Option("--json", help="For machines: one JSON document on standard output.")
]


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what we refuse on purpose is a sentence, not a traceback."""
    import uvloop  # noqa: PLC0415 - `kantis version` needs no loop

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except KantisError as error:
        screen.print(f"[red]kantis:[/red] {error}")
        raise typer.Exit(1) from error


register(app, _run)
sagas.register(app, _run)
doubt.register(app, _run)
register_import(app, _run)
users.register(app, _run)


@app.command()
def version(as_json: Json = False) -> None:
    """Print the version."""
    from importlib.metadata import version as installed  # noqa: PLC0415 - slow, and only for this

    number = installed("kantis")
    typer.echo(json.dumps({"version": number}) if as_json else f"kantis {number}")


@app.command()
def up(
    processes: Annotated[
        bool, typer.Option("--processes", help="One process per service and role.")
    ] = False,
    detach: Annotated[
        bool,
        typer.Option("--detach", help="Run in the background; return when everything is ready."),
    ] = False,
) -> None:
    """Start the whole system; ctrl-C ends it."""
    around = Surroundings.read()
    already = runtime.read(around.data_dir)
    if already is not None:
        if detach:
            screen.print(f"Kantis runs already at {already.url}")
            return
        screen.print(f"[red]kantis:[/red] it runs already at {already.url} on {around.data_dir}")
        raise typer.Exit(1)
    if detach:
        _detach(around, processes=processes)
        return
    _run(_check_libraries())
    separate = processes or bool(around.postgres_url) or bool(around.rabbitmq_url)
    _run(_up(around, separate=separate))


async def _check_libraries() -> None:
    from kantis.doctor import refuse_known_holes  # noqa: PLC0415 - only what starts something asks

    refuse_known_holes()


async def _up(around: Surroundings, *, separate: bool) -> None:
    from kantis.processes import all_processes  # noqa: PLC0415 - imports every service
    from kantis.runner import everything, wait_for_signal  # noqa: PLC0415 - as above
    from kantis_kit.observability import configure_logging  # noqa: PLC0415 - as above

    configure_logging(
        os.environ.get("KANTIS_LOG_LEVEL", "WARNING"), "console" if sys.stderr.isatty() else "json"
    )
    with screen.status("Starting PostgreSQL …") as status:
        installation = await Installation.open(around)

        def told(name: str) -> None:
            status.update(f"Starting {name} …")

        try:
            house = (
                all_processes(installation, starting=told)
                if separate
                else everything(installation, starting=told)
            )
            async with house as running:
                status.stop()
                first = await users.first_link(around) if _is_watched() else None
                _tell_addresses(installation.note(), first)
                watching = asyncio.ensure_future(installation.keep_postgres())
                asked = await wait_for_signal()
                screen.print("Stopping …")
                if asked is signal.SIGTERM:
                    await running.drain()
                watching.cancel()
        finally:
            await installation.close()


def _is_watched() -> bool:
    """Say whether a person sees what is told: a link that lets somebody in goes to them, never into a log."""
    return sys.stderr.isatty()


def _tell_addresses(running: runtime.Running, first_link: str | None) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("Kantis", running.url)
    table.add_row("Console", f"{running.url}/console")
    table.add_row("API explorer", f"{running.url}/docs")
    if running.mailbox:
        table.add_row("Mailbox", f"{running.url}/mailbox")
    screen.print(table)
    if first_link is not None:
        screen.print("Nobody can sign in yet. This link makes the first user, once:")
        screen.print(first_link, soft_wrap=True)


def _detach(around: Surroundings, *, processes: bool) -> None:
    around.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = around.data_dir / "kantis.log"
    command = [sys.executable, "-m", "kantis", "up", *(["--processes"] if processes else [])]
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    with screen.status("Starting Kantis …"):
        while (running := runtime.read(around.data_dir)) is None or running.pid != child.pid:
            try:
                child.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            screen.print(f"[red]kantis:[/red] it did not start; the end of {log}:")
            screen.print(log.read_text(encoding="utf-8", errors="replace")[-3000:], markup=False)
            raise typer.Exit(1)
    _tell_addresses(running, _run(users.first_link(around)) if _is_watched() else None)
    screen.print(f"It runs on in the background (process {child.pid}); `kantis stop` ends it.")


@app.command()
def stop() -> None:
    """End the installation that runs on the data folder."""
    around = Surroundings.read()
    running = runtime.read(around.data_dir)
    if running is None:
        screen.print(f"Nothing runs on {around.data_dir}")
        return
    os.kill(running.pid, signal.SIGTERM)
    with screen.status("Stopping …"):
        while running.is_alive:
            _pause()
    screen.print("Stopped")


def _pause() -> None:
    import select  # noqa: PLC0415 - a wait without a clock

    select.select((), (), (), 0.05)


@app.command()
def demo(
    people: Annotated[int, typer.Option(help="How many people the register holds.")] = 10_000,
    as_json: Json = False,
) -> None:
    """Play the main job through the public API of the running installation.

    `KANTIS_URL` and `KANTIS_KEY` (an administrator's) name another one, as one in containers.
    """
    from kantis.demo.play import play  # noqa: PLC0415 - only this command needs it

    url, key = (os.environ.get(name, "") for name in ("KANTIS_URL", "KANTIS_KEY"))
    result = _run(play(Surroundings.read(), people=people, screen=screen, url=url, key=key))
    if as_json:
        typer.echo(json.dumps(result))


@app.command()
def serve(
    service: Annotated[
        str, typer.Argument(help="contacts, campaign, orders, messaging, analytics or gateway.")
    ],
    role: Annotated[str, typer.Option(help="web, worker or all.")] = "all",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Run one service in this process; its settings come from the environment."""
    from kantis.registry import ALL  # noqa: PLC0415 - imports nothing heavy, but keeps `version` quick
    from kantis.serve import Role  # noqa: PLC0415 - as above
    from kantis.serve import serve as run  # noqa: PLC0415 - as above

    if service not in ALL or role not in set(Role):
        screen.print(
            f"[red]kantis:[/red] a service is one of {', '.join(ALL)}; a role is web, worker or all"
        )
        raise typer.Exit(2)
    _run(_check_libraries())
    _run(run(service, Role(role), host=host, port=port))


@app.command()
def migrate(
    service: Annotated[
        str | None, typer.Argument(help="One service; all of them when left out.")
    ] = None,
) -> None:
    """Bring the databases to the newest revision.

    With a service, as its owner (`KANTIS_POSTGRES_OWNER_DSN`), as containers do it; without, for the installation of
    the data folder.
    """
    from kantis.operations import migrate_installation, migrate_one  # noqa: PLC0415 - imports every service

    _run(migrate_one(service) if service else migrate_installation(Surroundings.read()))
    screen.print("Migrated")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look for what is wrong and say how to mend it."""
    from kantis.doctor import examine  # noqa: PLC0415 - only this command needs it

    findings = _run(examine(Surroundings.read()))
    if as_json:
        typer.echo(json.dumps([finding.as_dict() for finding in findings]))
    else:
        for finding in findings:
            mark = "[green]good[/green]" if finding.good else "[red]wrong[/red]"
            screen.print(f"{mark}  {finding.what}")
            if not finding.good:
                screen.print(f"       {finding.mend}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


@app.command()
def openapi() -> None:
    """Print the merged description of the API as JSON."""
    from kantis.operations import merged_openapi  # noqa: PLC0415 - imports every service

    typer.echo(json.dumps(merged_openapi(), indent=2))


@keys_app.command("create")
def create_key(
    role: Annotated[
        str,
        typer.Option(
            help="administrator, marketer, fulfilment, bookkeeper, developer, site or viewer."
        ),
    ],
    name: Annotated[str, typer.Option(help="Whom or what the key is for.")] = "",
    as_json: Json = False,
) -> None:
    """Make an API key and print it, alone; it is not shown again."""
    from gateway.keys.roles import Role  # noqa: PLC0415 - as below
    from kantis.operations import create_api_key  # noqa: PLC0415 - imports the gateway

    if role not in set(Role):
        raise typer.BadParameter(
            f"{role!r} is no role; one of {', '.join(Role)}", param_hint="--role"
        )
    key = _run(create_api_key(Surroundings.read(), role=role, name=name))
    typer.echo(json.dumps({"key": key, "role": role}) if as_json else key)


@keys_app.command("init")
def init_keys() -> None:
    """Make the signing keys that are missing in `KANTIS_KEYS_DIR` (or the data folder)."""
    from pathlib import Path  # noqa: PLC0415 - only for this

    from kantis.registry import ALL  # noqa: PLC0415 - as above
    from kantis_kit.signing import make_keys  # noqa: PLC0415 - as above

    folder = Path(os.environ.get("KANTIS_KEYS_DIR") or Surroundings.read().data_dir / "keys")
    make_keys(folder, ALL)
    screen.print(f"Keys are in {folder}")


def _parked(work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    from kantis.operations import ParkedEverywhere  # noqa: PLC0415 - imports the chassis

    return _run(ParkedEverywhere(Surroundings.read()).use(work))


@parked_app.command("list")
def list_parked(as_json: Json = False) -> None:
    """List parked messages of all services, the newest first."""
    rows = _parked(lambda everywhere: everywhere.list())
    if as_json:
        typer.echo(json.dumps(rows))
        return
    if not rows:
        screen.print("Nothing is parked")
        return
    table = Table("service", "queue", "event", "type", "tries", "why")
    for row in rows:
        table.add_row(
            row["service"],
            row["queue"],
            row["event_id"],
            row["type"],
            str(row["attempts"]),
            row["reason"] or row["problem"],
        )
    Console().print(table)


@parked_app.command("show")
def show_parked(event_id: UUID) -> None:
    """Show one parked message with its content."""
    row = _parked(lambda everywhere: everywhere.show(event_id))
    if row is None:
        screen.print("[red]kantis:[/red] no such parked message")
        raise typer.Exit(1)
    typer.echo(json.dumps(row, indent=2))


@parked_app.command("replay")
def replay_parked(
    event_id: Annotated[
        UUID | None, typer.Argument(help="One message; all of them when left out.")
    ] = None,
) -> None:
    """Try parked messages again; each has its effect once."""
    count = _parked(lambda everywhere: everywhere.replay(event_id))
    screen.print(f"{count} let loose")
