"""Backups as operators make them: with `pg_dump` and `pg_restore` of the PostgreSQL that the wheel brings."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from kantis_kit.db.cluster import bin_dir
from kantis_kit.testing.postgres import PostgresServer


class Dump:
    """A dump of one service's database, made when `take` is called; `restore` sets the database back to it.

    Args:
        server: where the database is.
        name: of the service.
        dsn: any address of its database.
        file: where the dump is kept.
    """

    def __init__(self, server: PostgresServer, name: str, dsn: str, file: Path) -> None:
        self._server, self._name, self._file = server, name, file
        self._database = urlsplit(dsn).path.removeprefix("/")

    async def take(self) -> None:
        """Dump the database under its users."""
        await self._run("pg_dump", "-Fc", "-f", str(self._file))

    async def restore(self) -> None:
        """Make the database anew and fill it from the dump; its users must be gone."""
        await self._server.make_anew(self._database, self._name)
        await self._run("pg_restore", "--exit-on-error", str(self._file))

    async def _run(self, tool: str, *options: str) -> None:
        address = self._server.admin_dsn(self._database)
        process = await asyncio.create_subprocess_exec(
            str(bin_dir() / tool), "-d", address, *options,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        if process.returncode != 0:
            message = f"{tool} failed: {said.decode(errors='replace')}"
            raise RuntimeError(message)
