"""A real PostgreSQL in a folder: the wheel's binaries, started, adopted, stopped and killed by us.

The wheel's own server object is not used: it trusts everybody who reaches the socket and gives up after ten seconds.

```
<data folder>/            0700 (as root 0710 with the group of the server's user)
  kantis.lock             held as long as a Kantis uses the folder
  secrets.json            0600, the superuser's password and those of the roles
  postgres.log            0600
  pgdata/  run/           0700, the cluster and its socket
```
"""

import asyncio
import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

import asyncpg

from kantis_kit.db.cluster import (
    SETTINGS,
    SUPERUSER,
    EmbeddedPostgresError,
    bin_dir,
    check_cluster,
    make_cluster,
    spawn,
)
from kantis_kit.db.osuser import ServerUser, server_user
from kantis_kit.db.postmaster import Postmaster, PostmasterFile
from kantis_kit.db.provision import Secrets
from kantis_kit.errors import KantisError

_LONGEST_SOCKET_PATH = 100  # the systems allow 104 to 108
_LARGEST_LOG_BYTES = 10 * 1024 * 1024
_DURABILITY = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")

_THROWAWAY: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


class DataFolderInUse(EmbeddedPostgresError):
    """Another Kantis holds the data folder."""


class EmbeddedPostgres:
    """One PostgreSQL cluster in one folder, used by one Kantis at a time.

    The server is in a session of its own, so that ctrl-C in a terminal does not reach it; it ends with `stop`, or with
    this process when that ends in order. When this process is killed, the server lives on and the next `start` takes
    it over.

    Args:
        data_dir: made when it is not there.
        max_connections: of all roles together.
        settings: more settings of the server; those that make a commit durable are refused.
        port: also listen on 127.0.0.1 at this port. Without it, the unix socket is the only door.
        throwaway: nothing is kept for ever: do not wait for the disk. For tests.
        start_timeout_seconds: recovery after a crash may take as long.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        max_connections: int = 200,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
        throwaway: bool = False,
        start_timeout_seconds: float = 120.0,
    ) -> None:
        for name in _DURABILITY:
            if name in (settings or {}):
                message = f"{name} keeps committed rows safe and cannot be changed."
                raise EmbeddedPostgresError(message)
        self.data_dir = data_dir.expanduser().resolve()
        self.pgdata = self.data_dir / "pgdata"
        self.log_path = self.data_dir / "postgres.log"
        self.secrets = Secrets(self.data_dir / "secrets.json")
        self._settings = {
            **SETTINGS,
            "max_connections": str(max_connections),
            "listen_addresses": "127.0.0.1" if port else "",
            "port": str(port or 5432),
            **(_THROWAWAY if throwaway else {}),
            **(settings or {}),
        }
        self._throwaway = throwaway
        self._start_timeout_seconds = start_timeout_seconds
        self._lock: IO[str] | None = None
        self._postmaster: Postmaster | None = None
        self._run_folder: Path | None = (
            None  # of a server of ours: those who know its address find it there again
        )
        self._owner_pid = os.getpid()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """Process number of the server, while it runs under our hands."""
        return self._postmaster.pid if self._postmaster else None

    @property
    def socket_dir(self) -> Path:
        """Folder of the running server's socket.

        Raises:
            EmbeddedPostgresError: no server runs in this data folder.
        """
        return self._running().socket_dir

    def _running(self) -> PostmasterFile:
        found = PostmasterFile.read(self.pgdata)
        if found is None or not found.is_alive():
            message = f"No PostgreSQL runs in {self.data_dir}. Start it with `kantis up`."
            raise EmbeddedPostgresError(message)
        return found

    def superuser_dsn(self, database: str = "postgres") -> str:
        """Return the superuser's address; also of a server that another process of ours holds."""
        self._running()  # before a password is made for a server that is not there
        return self.dsn(SUPERUSER, self.secrets.password(SUPERUSER), database)

    def dsn(self, role: str, password: str, database: str) -> str:
        """Return a role's address as a URL for asyncpg: `postgresql://role:password@/database?host=/folder`."""
        found = self._running()
        login = f"{quote(role, safe='')}:{quote(password, safe='')}"
        port = "" if found.port == 5432 else f"&port={found.port}"  # noqa: PLR2004 - the usual one
        return f"postgresql://{login}@/{quote(database, safe='')}?host={quote(str(found.socket_dir))}{port}"

    async def start(self) -> None:
        """Start the server, or take over the healthy one that a killed Kantis left behind.

        Raises:
            DataFolderInUse: another Kantis uses the folder.
            UserError: we are root and there is no other user to run as.
            EmbeddedPostgresError: the cluster is of another version, damaged, or not up within the time-out.
        """
        if self._postmaster is not None:
            return
        user = server_user()
        self._prepare_folder(user)
        self._take_lock()
        try:
            if not (self.pgdata / "PG_VERSION").exists():
                await make_cluster(
                    self.data_dir,
                    user,
                    password=self.secrets.password(SUPERUSER),
                    throwaway=self._throwaway,
                )
            check_cluster(self.pgdata, user)
            postmaster = await self._adopt()
            if postmaster is None:
                postmaster = await self._launch(user)
            self._postmaster = postmaster
            await self._close_doors()
        except BaseException:
            self._postmaster = None
            self._drop_lock()
            raise
        self._owner_pid = os.getpid()
        atexit.register(self._at_exit)

    def is_alive(self) -> bool:
        """Say whether the server's main process lives; `kill` and `start` bring it back when it does not."""
        found = PostmasterFile.read(self.pgdata)
        return found is not None and found.is_alive()

    async def stop(self) -> None:
        """End the server: open transactions are rolled back, nothing needs recovery at the next start."""
        postmaster, self._postmaster = self._postmaster, None
        if postmaster is not None:
            await postmaster.stop()
            self._remove_run_folder(postmaster.socket_dir)
        self._forget()

    async def kill(self) -> None:
        """End every process of the server at once, as a power cut does; the next start recovers."""
        postmaster, self._postmaster = self._postmaster, None
        if postmaster is not None:
            await postmaster.kill()
        self._forget()

    def release(self) -> None:
        """Leave the server running and let go of the folder; another process may take it over."""
        if self._postmaster is not None:
            self._postmaster.release()
            self._postmaster = None
        self._forget()

    def _forget(self) -> None:
        self._drop_lock()
        atexit.unregister(self._at_exit)

    def _at_exit(self) -> None:
        if self._postmaster is not None and self._owner_pid == os.getpid():
            self._postmaster.stop_blocking()
            self._remove_run_folder(self._postmaster.socket_dir)

    def _prepare_folder(self, user: ServerUser) -> None:
        user.reach(bin_dir() / "postgres")
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            user.reach(self.data_dir)
            if user.drop:
                os.chown(self.data_dir, 0, user.gid)
            self.data_dir.chmod(0o710 if user.drop else 0o700)
        except OSError as error:
            message = (
                f"{self.data_dir} cannot be made or used ({error.strerror}). Make it writable for the user who "
                "runs Kantis, or choose another folder with KANTIS_DATA_DIR."
            )
            raise EmbeddedPostgresError(message) from error
        if self.log_path.exists() and self.log_path.stat().st_size > _LARGEST_LOG_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))

    def _take_lock(self) -> None:
        descriptor = os.open(self.data_dir / "kantis.lock", os.O_RDWR | os.O_CREAT, 0o600)
        lock = os.fdopen(descriptor, "r+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = lock.read().strip()
            lock.close()
            message = (
                f"{self.data_dir} is in use by another Kantis{f' (process {holder})' if holder else ''}. "
                "Stop that one, or choose another folder with KANTIS_DATA_DIR."
            )
            raise DataFolderInUse(message) from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _drop_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def _adopt(self) -> Postmaster | None:
        """Take over a healthy server of this folder; end one that is not, or that listens elsewhere."""
        found = PostmasterFile.read(self.pgdata)
        if found is None or not found.is_alive():
            if found is not None:
                if found.socket_dir != self._run_folder:
                    self._remove_run_folder(found.socket_dir)
                found.disown()
            return None
        postmaster = Postmaster(self.pgdata, found.pid)
        ready = await postmaster.wait_ready(self._start_timeout_seconds)
        if ready is None:
            return None  # it was just ending
        if ready.port == int(self._settings["port"]) and await self._answers():
            return postmaster
        await postmaster.stop()
        return None

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.superuser_dsn(), timeout=10)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        try:
            wanted = self._settings["listen_addresses"]
            return bool(await connection.fetchval("SHOW listen_addresses") == wanted)
        finally:
            await connection.close()

    async def _launch(self, user: ServerUser) -> Postmaster:
        socket_dir = self._make_run_folder(user)
        settings = {
            **self._settings,
            "unix_socket_directories": str(socket_dir),
            "unix_socket_permissions": "0700",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(bin_dir() / "postgres"), "-D", str(self.pgdata), *options]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._start_timeout_seconds
        while True:
            log_starts_at = self.log_path.stat().st_size if self.log_path.exists() else 0
            descriptor = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as log:
                process = spawn(self.data_dir, user, command, log)
            postmaster = Postmaster(self.pgdata, process.pid, process=process)
            try:
                ready = await postmaster.wait_ready(deadline - loop.time())
            except asyncio.CancelledError:
                postmaster.stop_blocking()
                raise
            except TimeoutError:
                postmaster.release()
                message = (
                    f"PostgreSQL in {self.data_dir} is not ready after {self._start_timeout_seconds:.0f} s and "
                    f"goes on recovering. Start again in a while; {self.log_path} tells how far it is."
                )
                raise EmbeddedPostgresError(message) from None
            if ready is not None:
                return postmaster
            said = self.log_path.read_bytes()[log_starts_at:].decode(errors="replace").strip()
            if "postmaster.pid" in said and "already exists" in said:
                # One that a killed Kantis had only just started, and that had not written its number before.
                adopted = await self._adopt()
                if adopted is not None:
                    return adopted
            elif "pre-existing shared memory block" not in said:
                deadline = 0.0
            if loop.time() > deadline:
                self._remove_run_folder(socket_dir)
                message = f"PostgreSQL in {self.data_dir} did not start: {said[-2000:]}"
                raise EmbeddedPostgresError(message)
            await asyncio.sleep(0.05)  # processes of a killed server are still ending

    def _make_run_folder(self, user: ServerUser) -> Path:
        if self._run_folder is not None and self._run_folder.is_dir():
            return self._run_folder
        folder = self.data_dir / "run"
        name = f".s.PGSQL.{self._settings['port']}"
        if len(os.fsencode(folder / name)) > _LONGEST_SOCKET_PATH:
            folder = Path(
                tempfile.mkdtemp(prefix="kantis-")
            )  # 0700, and no name that others could guess
        folder.mkdir(mode=0o700, exist_ok=True)
        user.own(folder)
        user.reach(folder)
        self._run_folder = folder
        return folder

    def _remove_run_folder(self, folder: Path) -> None:
        if folder.name.startswith("kantis-") and folder.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(folder, ignore_errors=True)
            self._run_folder = None

    async def _close_doors(self) -> None:
        """Leave the superuser alone in the databases that initdb makes."""
        try:
            connection = await asyncpg.connect(self.superuser_dsn(), timeout=30)
        except asyncpg.InvalidPasswordError as error:
            message = (
                f"The superuser's password in {self.data_dir / 'secrets.json'} does not fit the cluster beside it. "
                "Put both back from the same backup."
            )
            with contextlib.suppress(KantisError):
                if self._postmaster is not None:
                    await self._postmaster.stop()
            raise EmbeddedPostgresError(message) from error
        try:
            for database in ("postgres", "template1"):
                if await connection.fetchval(
                    "SELECT has_database_privilege('public', $1, 'CONNECT')", database
                ):
                    await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        finally:
            await connection.close()
