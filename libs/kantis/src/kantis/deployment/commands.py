"""Commands for deployments on servers; on a laptop, `kantis up` does all of it by itself."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

Run = Callable[[Coroutine[Any, Any, None]], None]
Vault = Annotated[Path, typer.Option(help="Folder of the secrets; back it up.")]


def register(app: typer.Typer, run: Run) -> None:
    """Add the commands to the command line; `run` runs work to its end and words its refusals."""

    @app.command("secrets")
    def make_secrets(
        vault: Vault,
        out: Annotated[Path, typer.Option(help="Folder below which each container finds its own.")],
    ) -> None:
        """Make the secrets that are missing and lay them out, a folder per container."""
        from kantis.deployment.secrets import fill_vault, hand_out  # noqa: PLC0415 - imports every service
        from kantis.deployment.setup import places  # noqa: PLC0415 - as above

        async def work() -> None:
            await asyncio.to_thread(fill_vault, vault)
            await asyncio.to_thread(hand_out, vault, out, places())

        run(work())
        typer.echo(f"The vault is {vault}; what containers get is below {out}", err=True)

    @app.command("provision")
    def provision(vault: Vault) -> None:
        """Make the databases and roles of every service on a PostgreSQL server."""
        from kantis.deployment.setup import places, provision_all  # noqa: PLC0415 - imports every service

        run(provision_all(vault, places(), told=lambda name: typer.echo(name, err=True)))

    @app.command("upkeep")
    def keep_up(
        owners: Annotated[Path, typer.Option(help="Folder with the owners' addresses.")],
    ) -> None:
        """Make and drop the partitions that only owners may touch, every few hours."""
        from kantis.deployment.setup import upkeep  # noqa: PLC0415 - imports every service

        run(upkeep(owners))

    @app.command("mailbox")
    def mailbox(
        folder: Annotated[Path, typer.Option(help="Where the mails are kept.")],
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        smtp_port: Annotated[int, typer.Option(help="Port for mails.")] = 1025,
        port: Annotated[int, typer.Option(help="Port for the pages.")] = 8000,
    ) -> None:
        """Catch every mail and show it; nothing is sent on."""
        from kantis.deployment.mailbox import serve_mailbox  # noqa: PLC0415 - imports the web framework

        run(serve_mailbox(folder, host=host, smtp_port=smtp_port, port=port))
