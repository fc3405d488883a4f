"""`kantis user …`: who signs in to the console, and the link by which the first one does."""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from kantis import runtime
from kantis.errors import InstallationError
from kantis.installation import Surroundings
from kantis_kit.settings import ServiceSettings
from kantis_kit.tx import Tx

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Json = Annotated[
    bool, typer.Option("--json", help="For machines: one JSON document on standard output.")
]


def register(app: typer.Typer, run: Run) -> None:
    """Add the commands to the command line; `run` runs work to its end and words its refusals."""
    users = typer.Typer(help="Users of the console.", no_args_is_help=True)
    app.add_typer(users, name="user")

    @users.command("add")
    def add(
        email: Annotated[str, typer.Argument(help="The e-mail address they sign in with.")],
        *,
        name: Annotated[str, typer.Option(help="Their name; the address when left out.")] = "",
        role: Annotated[
            str,
            typer.Option(
                help="administrator, marketer, fulfilment, bookkeeper, developer or viewer."
            ),
        ] = "viewer",
        language: Annotated[str, typer.Option(help="nb, sv, da, fi or en.")] = "en",
        as_json: Json = False,
    ) -> None:
        """Add a user and print the one-time link that sets their password, alone."""
        link = run(add_user(Surroundings.read(), email, name or email, role, language))
        typer.echo(json.dumps({"link": link}) if as_json else link)

    @users.command("link")
    def link(
        email: Annotated[str, typer.Argument(help="Of a user who needs another password.")],
        *,
        as_json: Json = False,
    ) -> None:
        """Print a one-time link that sets the password of a user anew, alone."""
        made = run(new_link(Surroundings.read(), email))
        typer.echo(json.dumps({"link": made}) if as_json else made)


async def add_user(around: Surroundings, email: str, name: str, role: str, language: str) -> str:
    """Add a user; return their one-time link.

    Raises:
        InstallationError: no such role or language, or no address.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - only this command needs it

    from gateway.users import usecases  # noqa: PLC0415 - as above
    from gateway.users.schemas import UserIn  # noqa: PLC0415 - as above
    from kantis.operations import in_gateway  # noqa: PLC0415 - imports the chassis

    try:
        given = UserIn.model_validate(
            {"email": email, "name": name, "role": role, "language": language}
        )
    except ValidationError as error:
        found = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise InstallationError(found) from None

    async def make(tx: Tx) -> str:
        return (await usecases.add_user(tx, given))[1]

    return _address(around, await in_gateway(around, make))


async def new_link(around: Surroundings, email: str) -> str:
    """Return a one-time link of a user.

    Raises:
        UserNotFound: nobody has this address.
    """
    from gateway.users import queries, usecases  # noqa: PLC0415 - only this command needs it
    from gateway.users.errors import UserNotFound  # noqa: PLC0415 - as above
    from kantis.operations import in_gateway  # noqa: PLC0415 - imports the chassis

    async def make(tx: Tx) -> str:
        user = await queries.find_by_email(tx, email)
        if user is None:
            raise UserNotFound(f"Nobody signs in with {email}; add them with `kantis user add`")
        return (await usecases.make_link(tx, user.id))[0]

    return _address(around, await in_gateway(around, make))


async def first_link(around: Surroundings) -> str | None:
    """Return a one-time link that makes the first user; None when there is somebody already."""
    from gateway.users import usecases  # noqa: PLC0415 - only this needs it
    from kantis.operations import in_gateway  # noqa: PLC0415 - imports the chassis

    token = await in_gateway(around, usecases.make_first_link)
    return _address(around, token) if token else None


def _address(around: Surroundings, token: str) -> str:
    running = runtime.read(around.data_dir)
    base = running.url if running is not None else ServiceSettings().public_url
    return f"{base}/console/welcome/{token}"
