"""`kantis sagas`: long transactions whose compensation failed too often, in every reachable service."""

import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from kantis.installation import Surroundings

if TYPE_CHECKING:
    from kantis_kit.sagas import Saga

Run = Callable[[Coroutine[Any, Any, Any]], Any]
MOST = 500


def register(app: typer.Typer, run: Run) -> None:
    """Add the commands to the command line; `run` runs work to its end and words its refusals."""
    sagas_app = typer.Typer(help="Long transactions that wait for a person.", no_args_is_help=True)
    app.add_typer(sagas_app, name="sagas")

    @sagas_app.command("list")
    def list_sagas(
        *,
        as_json: Annotated[
            bool, typer.Option("--json", help="For machines: one JSON document on standard output.")
        ] = False,
    ) -> None:
        """List the stuck sagas of all services, the longest stuck first."""
        rows = run(list_stuck(Surroundings.read()))
        if as_json:
            typer.echo(json.dumps(rows))
        elif not rows:
            typer.echo("Nothing is stuck", err=True)
        else:
            columns = ("service", "id", "kind", "key", "step", "problem")
            table = Table(*columns)
            for row in rows:
                table.add_row(*(row[name] for name in columns))
            Console().print(table)

    @sagas_app.command("resume")
    def resume_sagas(
        saga_id: Annotated[
            UUID | None, typer.Argument(help="One saga; all stuck ones when left out.")
        ] = None,
    ) -> None:
        """Try the compensation of stuck sagas again; mend what stopped it first."""
        count = run(resume(Surroundings.read(), saga_id))
        typer.echo(f"{count} resumed", err=True)


async def list_stuck(around: Surroundings) -> list[dict[str, Any]]:
    """Return the stuck sagas of every reachable service, the longest stuck first."""
    from kantis.operations import reachable_scopes  # noqa: PLC0415 - imports the chassis
    from kantis_kit import sagas  # noqa: PLC0415 - as above
    from kantis_kit.tx import read  # noqa: PLC0415 - as above

    found = []
    async with reachable_scopes(around) as scopes:
        for name, scope in scopes.items():
            async with read(scope) as tx:
                found += [_summary(name, saga) for saga in await sagas.list_stuck(tx, MOST)]
    return sorted(found, key=lambda row: row["changed_at"])


async def resume(around: Surroundings, saga_id: UUID | None) -> int:
    """Let one stuck saga or all of them be compensated again; return how many there were."""
    from kantis.operations import reachable_scopes  # noqa: PLC0415 - imports the chassis
    from kantis_kit import sagas  # noqa: PLC0415 - as above
    from kantis_kit.tx import write  # noqa: PLC0415 - as above

    ids = None if saga_id is None else [saga_id]
    count = 0
    async with reachable_scopes(around) as scopes:
        for scope in scopes.values():
            async with write(scope, actor="command line") as tx:
                count += await sagas.resume(tx, ids)
    return count


def _summary(service: str, saga: "Saga") -> dict[str, Any]:
    return {
        "service": service,
        "id": str(saga.id),
        "kind": saga.kind,
        "key": saga.key,
        "step": saga.step,
        "attempts": saga.attempts,
        "problem": saga.problem,
        "started_at": saga.started_at.isoformat(),
        "changed_at": saga.changed_at.isoformat(),
    }
