"""`kantis import FILE`: a file of contacts is sent to a running installation, and its progress shown until it is in."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from kantis import runtime
from kantis.installation import Surroundings
from kantis_kit.errors import KantisError

Run: TypeAlias = Callable[[Coroutine[Any, Any, dict[str, Any]]], dict[str, Any]]
"""Runs work to its end and words its refusals."""
Answer: TypeAlias = dict[str, Any]
PART_BYTES = 1 << 18
LOOK_SECONDS = 0.3
PATIENCE = 200
"""How often in a row nobody may answer: about a minute."""
_REFUSED = 400
_AWAY = frozenset({429, 502, 503, 504})
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ImportFailed(KantisError):
    """The file was refused, could not be read, or nobody answers."""


def register(app: typer.Typer, run: Run) -> None:
    """Add the command to the command line."""

    @app.command("import")
    def import_contacts(
        file: Annotated[Path, typer.Argument(help="CSV or XLSX.", exists=True, dir_okay=False)],
        source: Annotated[str, typer.Option(help="Where these contacts come from.")] = "",
        country: Annotated[str, typer.Option(help="Of rows that name none.")] = "NO",
        saved_mapping: Annotated[
            str, typer.Option("--mapping", help="Name of a saved mapping.")
        ] = "",
        list_id: Annotated[str, typer.Option("--list", help="Id of a list that all join.")] = "",
        *,
        again: Annotated[bool, typer.Option(help="Also when the file was taken before.")] = False,
        preview: Annotated[bool, typer.Option(help="Only tell how it would be read.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    ) -> None:
        """Import a file of contacts into the running installation.

        `KANTIS_URL` and `KANTIS_KEY` name another one.
        """
        given = {
            "name": file.name,
            "source": source,
            "country": country,
            "saved_mapping": saved_mapping,
            "list_id": list_id,
            "again": "true" if again else "",
            "preview": "true" if preview else "",
        }
        screen = Console(stderr=True, highlight=False)
        told = run(_import(file, {name: one for name, one in given.items() if one}, screen))
        if as_json or preview:
            typer.echo(json.dumps(told, ensure_ascii=False, indent=None if as_json else 2))
        else:
            screen.print(summary(told))
        if told.get("state") == "failed":
            raise typer.Exit(1)


async def _import(file: Path, parameters: Mapping[str, str], screen: Console) -> Answer:
    from kantis.operations import create_api_key  # noqa: PLC0415 - imports the gateway

    around = Surroundings.read()
    url, key = (os.environ.get(name, "") for name in ("KANTIS_URL", "KANTIS_KEY"))
    if not url:
        running = runtime.read(around.data_dir)
        if running is None:
            raise ImportFailed("Nothing runs here: start it with `kantis up`, or set KANTIS_URL")
        url = running.url
    key = key or await create_api_key(around, role="marketer", name=f"import of {file.name}"[:100])
    return await import_file(file, parameters, url=url, key=key, screen=screen)


async def import_file(
    file: Path,
    parameters: Mapping[str, str],
    *,
    url: str,
    key: str,
    screen: Console,
    transport: Any = None,  # noqa: ANN401 - httpx is imported late
) -> Answer:
    """Send a file and follow it to its end; returns the import as the API tells it.

    A file that is sent twice is taken once: the API knows it by its hash.

    Raises:
        ImportFailed: refused, or nobody answers for a minute.
    """
    import httpx  # noqa: PLC0415 - slow, and only for this

    timeout = httpx.Timeout(30, read=600)  # a workbook is read through before it is promised
    async with httpx.AsyncClient(
        base_url=url,
        timeout=timeout,
        trust_env=False,
        transport=transport,
        headers={"Authorization": f"Bearer {key}"},
    ) as client:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        with Progress(*columns, TimeElapsedColumn(), console=screen, transient=True) as bar:
            try:
                told = await _send(client, file, parameters, bar)
            except httpx.TransportError as error:
                raise ImportFailed(f"{url} does not answer: {type(error).__name__}") from error
            if "id" not in told:
                return told
            return await _follow(client, told, bar)


async def _send(client: Any, file: Path, parameters: Mapping[str, str], bar: Progress) -> Answer:  # noqa: ANN401 - as above
    size = (await asyncio.to_thread(file.stat)).st_size
    task = bar.add_task(f"Sending {file.name}", total=size)

    async def parts() -> AsyncIterator[bytes]:
        with file.open("rb") as source:
            while part := await asyncio.to_thread(source.read, PART_BYTES):
                yield part
                bar.advance(task, len(part))

    kind = _WORKBOOK if file.suffix.lower() == ".xlsx" else "text/csv"
    headers = {"Content-Type": kind, "Content-Length": str(size)}
    answer = await client.post(
        "/v1/imports", content=parts(), params=dict(parameters), headers=headers
    )
    if answer.status_code >= _REFUSED:
        raise ImportFailed(_worded(answer))
    told: Answer = answer.json()
    return told


async def _follow(client: Any, told: Answer, bar: Progress) -> Answer:  # noqa: ANN401 - as above
    import httpx  # noqa: PLC0415 - as above

    task = bar.add_task("Importing", total=100)
    silent = 0
    while told["state"] == "running":
        bar.update(task, completed=told["percent"], description=f"Importing, row {told['rows']}")
        await asyncio.sleep(LOOK_SECONDS)
        try:
            answer = await client.get(f"/v1/imports/{told['id']}")
        except httpx.TransportError:
            answer = None
        if answer is None or answer.status_code in _AWAY:
            silent += 1
            if silent > PATIENCE:
                raise ImportFailed(f"Nobody answers; import {told['id']} goes on by itself")
            continue
        silent = 0
        if answer.status_code >= _REFUSED:
            raise ImportFailed(_worded(answer))
        told = answer.json()
    return told


def _worded(answer: Any) -> str:  # noqa: ANN401 - as above
    try:
        problem = answer.json()
        return f"{problem['title']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"the answer was {answer.status_code}"


def summary(told: Answer) -> str:
    """Say in a few lines what became of the file."""
    lines = [
        f"Import {told['id']} is {told['state']}",
        f"  {told['created']} new, {told['updated']} changed, {told['unchanged']} as before, {told['rejected']} not taken",
    ]
    if told.get("problem"):
        lines.append(f"  {told['problem']}")
    if told["rejected"]:
        lines.append(f"  rows that were not taken: GET /v1/imports/{told['id']}/rejects.csv")
    return "\n".join(lines)
