"""The embedded PostgreSQL keeps what it committed, lets nobody in unasked, and survives whoever started it."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from kantis_kit.db.cluster import SUPERUSER, EmbeddedPostgresError, bin_dir
from kantis_kit.db.embedded import DataFolderInUse, EmbeddedPostgres
from kantis_kit.db.postmaster import PostmasterFile, is_running
from kantis_kit.db.provision import ProvisionError
from kantis_kit.testing.proxy import FaultProxy
from kantis_kit.testing.rabbit_server import free_port
from kantis_kit.testing.waiting import eventually

STARTER = """
import asyncio, os, sys
from pathlib import Path
from kantis_kit.db.embedded import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    if sys.argv[2] == "wait":
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def query(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def start_elsewhere(data_dir: Path, then: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(data_dir), then], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("jit", "off"),
        ("shared_buffers", "128MB"),
        ("max_connections", "200"),
        ("log_error_verbosity", "terse"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
    ],
)
async def test_the_settings_are_durable_private_and_modest(shared_embedded, setting, value):
    assert value == await query(shared_embedded.superuser_dsn(), f"SHOW {setting}")


async def test_upper_and_lower_case_know_nordic_letters_and_order_is_by_code_point(shared_embedded):
    dsn = shared_embedded.superuser_dsn()

    assert await query(dsn, "SELECT upper('åæøäö')") == "ÅÆØÄÖ"
    assert await query(dsn, "SELECT 'Z' < 'a'") is True


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_what_makes_a_commit_durable_cannot_be_switched_off(data_dir, name):
    with pytest.raises(EmbeddedPostgresError, match="keeps committed rows safe"):
        EmbeddedPostgres(data_dir, settings={name: "off"})


async def test_nobody_comes_in_without_the_password(shared_embedded):
    folder = shared_embedded.socket_dir

    for dsn in (
        f"postgresql://{SUPERUSER}@/postgres?host={folder}",
        f"postgresql://{SUPERUSER}:wrong@/postgres?host={folder}",
        f"postgresql://nobody:wrong@/postgres?host={folder}",
    ):
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InterfaceError)):
            await query(dsn, "SELECT 1")


def test_files_and_folders_are_closed_to_others(shared_embedded):
    folder = shared_embedded.data_dir

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(folder) == (0o710 if os.geteuid() == 0 else 0o700)
    assert mode(folder / "secrets.json") == 0o600
    assert mode(folder / "postgres.log") == 0o600
    assert mode(folder / "pgdata") == 0o700
    assert mode(shared_embedded.socket_dir) == 0o700
    assert not (folder / "password.new").exists()


async def test_rows_survive_a_stop_and_a_kill(data_dir):
    async with EmbeddedPostgres(data_dir) as server:
        await query(server.superuser_dsn(), "CREATE TABLE kept (id int)")
        await query(server.superuser_dsn(), "INSERT INTO kept VALUES (1)")

    server = EmbeddedPostgres(data_dir)
    await server.start()
    await query(server.superuser_dsn(), "INSERT INTO kept VALUES (2)")
    pid = server.pid
    await server.kill()
    assert pid is not None
    assert not is_running(pid)

    async with EmbeddedPostgres(data_dir) as server:
        assert await query(server.superuser_dsn(), "SELECT sum(id) FROM kept") == 3


async def test_starting_twice_changes_nothing(data_dir):
    async with EmbeddedPostgres(data_dir) as server:
        pid = server.pid
        await server.start()

        assert pid == server.pid


async def test_a_second_user_of_the_folder_is_told_who_has_it(data_dir):
    async with EmbeddedPostgres(data_dir):
        with pytest.raises(DataFolderInUse, match=rf"process {os.getpid()}.*KANTIS_DATA_DIR"):
            await EmbeddedPostgres(data_dir).start()


async def test_another_process_may_ask_for_the_address_of_a_running_server(data_dir):
    async with EmbeddedPostgres(data_dir):
        assert await query(EmbeddedPostgres(data_dir).superuser_dsn(), "SELECT 1") == 1


def test_the_address_of_a_server_that_does_not_run_is_refused(data_dir):
    with pytest.raises(EmbeddedPostgresError, match="kantis up"):
        EmbeddedPostgres(data_dir).superuser_dsn()


async def test_a_path_too_long_for_a_socket_gets_a_folder_elsewhere_that_goes_with_the_server(
    data_dir,
):
    long_dir = data_dir / ("long-" * 20)
    async with EmbeddedPostgres(long_dir) as server:
        elsewhere = server.socket_dir
        assert await query(server.superuser_dsn(), "SELECT 1") == 1
        assert not elsewhere.is_relative_to(long_dir)
        assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700

    assert not elsewhere.exists()


async def test_a_server_that_is_started_again_is_found_at_its_old_address(data_dir):
    deep = data_dir / ("d" * 60) / ("e" * 60)
    server = EmbeddedPostgres(deep, throwaway=True)
    await server.start()
    try:
        before = server.superuser_dsn()
        await server.kill()
        await server.start()

        assert before == server.superuser_dsn()
    finally:
        await server.stop()


async def test_its_socket_can_be_reached_through_a_proxy_that_breaks(shared_embedded, data_dir):
    data_dir.mkdir()
    target = shared_embedded.socket_dir / ".s.PGSQL.5432"
    dsn = shared_embedded.superuser_dsn().replace(str(target.parent), str(data_dir))
    async with FaultProxy(target, listen=data_dir / target.name) as proxy:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT 1") == 1
        proxy.mode(drop=True, direction="down")
        with pytest.raises(TimeoutError):
            await connection.fetchval("SELECT 1", timeout=0.1)
        proxy.reset_all()
        await eventually(connection.is_closed, message="the connection is seen as lost")


async def test_a_port_on_loopback_asks_for_the_password_too(data_dir):
    port = free_port()
    async with EmbeddedPostgres(data_dir, port=port) as server:
        password = server.secrets.password(SUPERUSER)
        address = f"@127.0.0.1:{port}/postgres"
        assert await query(server.superuser_dsn(), "SELECT 1") == 1
        assert await query(f"postgresql://{SUPERUSER}:{password}{address}", "SELECT 1") == 1
        with pytest.raises(asyncpg.InvalidPasswordError):
            await query(f"postgresql://{SUPERUSER}:wrong{address}", "SELECT 1")


async def test_the_server_of_a_killed_process_is_taken_over(data_dir):
    starter = start_elsewhere(data_dir, "wait")
    with starter:
        pid = int(await asyncio.to_thread(starter.stdout.readline))
        with pytest.raises(DataFolderInUse, match=str(starter.pid)):
            await EmbeddedPostgres(data_dir).start()
        starter.kill()

    async with EmbeddedPostgres(data_dir) as server:
        assert pid == server.pid
        assert await query(server.superuser_dsn(), "SELECT 1") == 1

    assert not is_running(pid)


async def test_a_server_left_behind_that_listens_elsewhere_is_started_anew(data_dir):
    first = EmbeddedPostgres(data_dir)
    await first.start()
    pid = first.pid
    first.release()

    async with EmbeddedPostgres(data_dir, port=free_port()) as server:
        assert pid != server.pid
        assert await query(server.superuser_dsn(), "SHOW listen_addresses") == "127.0.0.1"


async def test_the_server_ends_with_a_process_that_ends_in_order(data_dir):
    starter = start_elsewhere(data_dir, "end")
    with starter:
        pid = int(await asyncio.to_thread(starter.stdout.readline))
        assert await asyncio.to_thread(starter.wait) == 0

    assert not is_running(pid)
    assert PostmasterFile.read(data_dir / "pgdata") is None


async def test_ctrl_c_in_the_terminal_does_not_reach_the_server(shared_embedded):
    assert os.getpgid(shared_embedded.pid) != os.getpgid(0)
    assert os.getsid(shared_embedded.pid) != os.getsid(0)


async def test_the_number_of_a_dead_server_that_a_stranger_got_is_no_obstacle(data_dir):
    async with EmbeddedPostgres(data_dir) as server:
        await query(server.superuser_dsn(), "CREATE TABLE kept (id int)")
        pid_file = server.pgdata / "postmaster.pid"
        await server.kill()
    lines = pid_file.read_text().splitlines()
    stranger = _stranger(_as_server_user(pid_file))
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")

        async with EmbeddedPostgres(data_dir) as server:
            assert await query(server.superuser_dsn(), "SELECT count(*) FROM kept") == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def _stranger(who: dict[str, object]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["sleep", "100"], **who)


def _as_server_user(path: Path) -> dict[str, object]:
    owner = path.stat()
    return {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}


async def test_processes_that_outlive_a_killed_postmaster_are_waited_for(data_dir):
    server = EmbeddedPostgres(data_dir)
    await server.start()
    pid = server.pid
    server.release()
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: not is_running(pid), message="the postmaster ends")

    async with EmbeddedPostgres(data_dir) as server:
        assert await query(server.superuser_dsn(), "SELECT 1") == 1


async def test_a_half_made_cluster_is_made_anew(data_dir):
    half = data_dir / "pgdata.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    async with EmbeddedPostgres(data_dir) as server:
        assert await query(server.superuser_dsn(), "SELECT 1") == 1


async def test_a_cluster_of_another_version_is_refused(data_dir):
    (data_dir / "pgdata").mkdir(parents=True)
    (data_dir / "pgdata" / "PG_VERSION").write_text("16\n")

    with pytest.raises(
        EmbeddedPostgresError, match="made by PostgreSQL 16; this Kantis carries 18"
    ):
        await EmbeddedPostgres(data_dir).start()


async def test_a_server_that_cannot_start_tells_why_and_lets_go_of_the_folder(data_dir):
    with pytest.raises(EmbeddedPostgresError, match=r"did not start.*no_such_setting"):
        await EmbeddedPostgres(data_dir, settings={"no_such_setting": "1"}).start()

    async with EmbeddedPostgres(data_dir) as server:
        assert await query(server.superuser_dsn(), "SELECT 1") == 1


async def test_a_data_folder_that_is_a_file_is_refused(data_dir):
    data_dir.write_text("not a folder")

    with pytest.raises(EmbeddedPostgresError, match=r"cannot be made or used.*KANTIS_DATA_DIR"):
        await EmbeddedPostgres(data_dir).start()


async def test_a_password_that_does_not_fit_the_cluster_is_told(data_dir):
    async with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "secrets.json").write_text('{"postgres": "of-another-folder"}')

    with pytest.raises(EmbeddedPostgresError, match="does not fit the cluster"):
        await EmbeddedPostgres(data_dir).start()

    assert PostmasterFile.read(data_dir / "pgdata") is None


async def test_a_password_file_that_others_may_read_is_refused(data_dir):
    data_dir.mkdir(parents=True)
    (data_dir / "secrets.json").write_text("{}")
    (data_dir / "secrets.json").chmod(0o644)

    with pytest.raises(ProvisionError, match="chmod 600"):
        await EmbeddedPostgres(data_dir).start()


async def test_recovery_beyond_the_time_out_is_told_and_goes_on(data_dir):
    async with EmbeddedPostgres(data_dir):
        pass

    with pytest.raises(EmbeddedPostgresError, match="goes on recovering"):
        await EmbeddedPostgres(data_dir, start_timeout_seconds=0).start()

    async with EmbeddedPostgres(data_dir) as server:
        assert await query(server.superuser_dsn(), "SELECT 1") == 1


def test_the_tools_of_the_same_version_are_beside_the_server():
    for tool in ("pg_dump", "pg_restore", "pg_basebackup", "pg_checksums"):
        assert (bin_dir() / tool).exists()
