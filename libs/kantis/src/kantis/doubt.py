"""`kantis settle-log FILE`: what became of messages in doubt is read from the log of the relay that took them."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from kantis.errors import InstallationError
from kantis.installation import Surroundings

Run = Callable[[Coroutine[Any, Any, Any]], Any]
SERVICE = "messaging"


def register(app: typer.Typer, run: Run) -> None:
    """Add the command to the command line; `run` runs work to its end and words its refusals."""

    @app.command("settle-log")
    def settle_log(
        file: Annotated[
            Path, typer.Argument(help="A log of Postfix.", exists=True, dir_okay=False)
        ],
        *,
        complete: Annotated[
            bool,
            typer.Option(
                "--complete",
                help="It holds everything since the first message in doubt: what it does not know was not sent, and is.",
            ),
        ] = False,
        as_json: Annotated[
            bool, typer.Option("--json", help="For machines: one JSON document on standard output.")
        ] = False,
    ) -> None:
        """Settle messages in doubt by the relay's log."""
        told = run(settle(Surroundings.read(), file, is_complete=complete))
        if as_json:
            typer.echo(json.dumps(told))
            return
        typer.echo(
            f"{told['sent']} sent, {told['failed']} failed, {told['not_sent']} not sent and planned again;"
            f" {told['left']} in doubt still ({told['lines']} lines read)",
            err=True,
        )


async def settle(around: Surroundings, file: Path, *, is_complete: bool) -> dict[str, Any]:
    """Settle what is in doubt by a log of any size; return the counts.

    Raises:
        InstallationError: the database of messaging-svc cannot be reached from here.
    """
    from kantis.operations import reachable_scopes  # noqa: PLC0415 - imports the chassis
    from kantis_kit.tx import write  # noqa: PLC0415 - as above
    from messaging_svc.dispatch import doubt  # noqa: PLC0415 - as above
    from messaging_svc.dispatch.relaylog import RelayLog  # noqa: PLC0415 - as above

    with file.open(encoding="utf-8", errors="replace") as lines:
        log = RelayLog().read(lines)
    if not log.fates:
        raise InstallationError(f"{file.name} is no log of Postfix: no line names a Message-ID")
    async with reachable_scopes(around) as scopes:
        if SERVICE not in scopes:
            raise InstallationError("Run this where the database of messaging-svc is reachable")
        async with write(scopes[SERVICE], actor="command line") as tx:
            return asdict(await doubt.settle_by_log(tx, log, is_complete=is_complete))
