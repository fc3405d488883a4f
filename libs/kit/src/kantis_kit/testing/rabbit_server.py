"""A RabbitMQ server that a test owns: started from an installation or as a container, ended by its process id."""

import os
import random
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from kantis_kit.errors import KantisError

START_SECONDS = 120
COMMAND_SECONDS = 60
_PORTS = range(20_000, 32_000)  # ports above 32768 may be held by an outgoing connection at start

# Ends the whole process group when the process that started it is gone, however it went: `cat` sees the pipe close.
_GUARD = '"$@" </dev/null 3<&- & server=$!; { cat <&3 >/dev/null; kill -KILL 0; } & wait $server'
_GUARD = f"exec 3<&0; {_GUARD}"


class RabbitUnavailable(KantisError):
    """No RabbitMQ could be had; the text says what was tried and how to mend it."""


class RabbitServer(ABC):
    """A running server: its address, and the faults that a test can make it suffer."""

    way: str
    """How it was obtained, for people."""

    def __init__(self) -> None:
        self.port = free_port()
        self.user, self.password = "kantis", secrets.token_hex(12)

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"amqp://{self.user}:{self.password}@127.0.0.1:{self.port}/"

    def stop_app(self) -> None:
        """Take the broker away, in order: connections are closed, the port refuses."""
        self.ctl("stop_app")

    def start_app(self) -> None:
        """Bring the broker back after `stop_app`."""
        self.ctl("start_app")
        self.wait_until_it_answers()

    def virtual_host(self) -> str:
        """Make an empty place in the server, and return its address."""
        name = secrets.token_hex(8)
        self.ctl("add_vhost", name)
        self.ctl("set_permissions", "-p", name, self.user, ".*", ".*", ".*")
        return self.url + name

    def alarm(self, *, on: bool) -> None:
        """Raise or clear the disk alarm: publishers are blocked, consumers go on."""
        self.ctl("set_disk_free_limit", "100000GB" if on else "1MB")

    @abstractmethod
    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl and return what it printed."""

    @abstractmethod
    def start(self) -> None:
        """Start, with the data that is there; return when clients are answered."""

    @abstractmethod
    def kill(self) -> None:
        """End it as a power cut does; `start` brings it back with its data."""

    @abstractmethod
    def freeze(self) -> None:
        """Stop it in its tracks: connections stay open, nothing is answered."""

    @abstractmethod
    def thaw(self) -> None:
        """Undo `freeze`."""

    @abstractmethod
    def close(self) -> None:
        """End it and remove its data."""

    def is_alive(self) -> bool:
        """Return whether there is still a process to wait for."""
        return True

    def wait_until_it_answers(self) -> None:
        """Return when the server speaks AMQP.

        Raises:
            RabbitUnavailable: it ended, or does not answer in time.
        """
        for _ in range(START_SECONDS * 5):
            if speaks_amqp(self.port):
                return
            if not self.is_alive():
                break
            pause(0.2)
        message = f"RabbitMQ ({self.way}) does not answer on port {self.port}.\n{self.last_words()}"
        raise RabbitUnavailable(message)

    def last_words(self) -> str:
        """Return the end of the server's log."""
        return ""


class InstalledRabbit(RabbitServer):
    """A server from an installation on this machine, with an epmd, a name, a folder and ports of its own."""

    way = "an installed rabbitmq-server"

    def __init__(self, bin_dir: Path) -> None:
        super().__init__()
        self._bin = bin_dir
        self.folder = Path(tempfile.mkdtemp(prefix="kantis-rabbit-"))
        self._epmd_port = self._dist_port = 0
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"default_user = {self.user}\ndefault_pass = {self.password}\n"
            "disk_free_limit.absolute = 1MB\nvm_memory_high_watermark.relative = 0.6\n"
        )
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "env.conf").write_text("")
        self._processes: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []

    def start(self) -> None:
        """Start epmd and the server."""
        epmd = shutil.which("epmd", path=self._environment["PATH"])
        if epmd is None:
            message = "epmd is missing beside rabbitmq-server: install Erlang's base package"
            raise RabbitUnavailable(message)
        self._epmd_port, self._dist_port = free_port(), free_port()
        self._spawn("epmd", epmd, "-port", str(self._epmd_port), "-address", "127.0.0.1")
        wait_for_port(self._epmd_port)
        self._spawn("server", str(self._bin / "rabbitmq-server"))
        self.wait_until_it_answers()

    def is_alive(self) -> bool:
        """Return whether the server's process lives."""
        return bool(self._processes) and all(
            process.poll() is None for process, _ in self._processes
        )

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl against this node."""
        return run([str(self._bin / "rabbitmqctl"), "--quiet", *arguments], self._environment)

    def kill(self) -> None:
        """End the server and its epmd at once."""
        for process, pipe in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the group that we made for it
            process.wait(COMMAND_SECONDS)
            pipe.close()
        self._processes.clear()

    def freeze(self) -> None:
        """Stop the server's processes."""
        self._signal(signal.SIGSTOP)
        pause(0.2)  # each thread stops in its own time, and may still confirm something before

    def thaw(self) -> None:
        """Let the server's processes go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process, _ in self._processes:
            os.killpg(process.pid, number)  # the group that we made for it

    def close(self) -> None:
        """End the server and remove its folder."""
        self.kill()
        for _ in range(50):  # what was killed may still be writing its last file
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                break
            pause(0.1)

    def last_words(self) -> str:
        """Return the end of what the server printed."""
        log = self.folder / "server.out"
        return log.read_text(errors="replace")[-3_000:] if log.exists() else ""

    def _spawn(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command
                ["/bin/sh", "-c", _GUARD, name, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self.folder,
                start_new_session=True,
            )
        assert process.stdin is not None  # noqa: S101 - PIPE was asked for
        self._processes.append((process, process.stdin))

    @property
    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "PATH": f"{self._bin}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": folder,  # where Erlang keeps the cookie of this node
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"kantis{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/env.conf",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": f"{folder}/rabbitmq.pid",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/config",
            # Two cores are shared with the tests: do not spin while idle.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
            "RABBITMQ_CTL_ERL_ARGS": "+sbwt none",
        }


class DockerRabbit(RabbitServer):
    """A server in a container."""

    way = "docker"

    def __init__(self, image: str = "rabbitmq:4") -> None:
        super().__init__()
        options = [
            "--hostname=kantis-rabbit",  # the node's name, and so its data folder, comes from it
            f"--publish=127.0.0.1:{self.port}:5672",
            f"--env=RABBITMQ_DEFAULT_USER={self.user}",
            f"--env=RABBITMQ_DEFAULT_PASS={self.password}",
        ]
        printed = run(["docker", "create", *options, image], seconds=600)
        self._container = printed.split()[-1]  # after what a pull may have printed

    def start(self) -> None:
        """Start the container."""
        run(["docker", "start", self._container])
        self.wait_until_it_answers()

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl in the container."""
        return run(["docker", "exec", self._container, "rabbitmqctl", "--quiet", *arguments])

    def kill(self) -> None:
        """Kill the container; its volume stays."""
        run(["docker", "kill", self._container])

    def freeze(self) -> None:
        """Pause the container."""
        run(["docker", "pause", self._container])

    def thaw(self) -> None:
        """Let the container go on."""
        run(["docker", "unpause", self._container])

    def close(self) -> None:
        """Remove the container and its volume."""
        run(["docker", "rm", "--force", "--volumes", self._container])

    def last_words(self) -> str:
        """Return the end of the container's log."""
        return run(["docker", "logs", "--tail", "40", self._container])


class GivenRabbit(RabbitServer):
    """A server that somebody else runs: it can be used, not hurt."""

    way = "KANTIS_TEST_RABBITMQ_URL"

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    @property
    def url(self) -> str:
        """The address that was given."""
        return self._url

    def ctl(self, *arguments: str) -> str:
        """Refuse: it is not ours."""
        message = (
            f"rabbitmqctl {arguments[0]}: this server is not ours; take the fixture rabbit_to_break"
        )
        raise RabbitUnavailable(message)

    def start(self) -> None:
        """Do nothing: it runs."""

    def kill(self) -> None:
        """Refuse: it is not ours."""
        self.ctl("kill")

    def freeze(self) -> None:
        """Refuse: it is not ours."""
        self.ctl("freeze")

    def thaw(self) -> None:
        """Refuse: it is not ours."""
        self.ctl("thaw")

    def close(self) -> None:
        """Do nothing: it is not ours to end."""


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    seconds: float = COMMAND_SECONDS,
) -> str:
    """Run a command and return what it printed.

    Raises:
        RabbitUnavailable: it failed; the text holds what it said.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"{' '.join(command[:3])} …: {error}"
        raise RabbitUnavailable(message) from error
    output = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        message = f"{' '.join(command[:3])} … ended with {done.returncode}:\n{output[-2_000:]}"
        raise RabbitUnavailable(message)
    return output


def speaks_amqp(port: int) -> bool:
    """Return whether a RabbitMQ on this port answers the AMQP greeting."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"  # a method frame: Connection.Start
    except OSError:
        return False


def wait_for_port(port: int) -> None:
    """Return when something listens on the port."""
    for _ in range(START_SECONDS * 20):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        pause(0.05)
    message = f"nothing listens on port {port}"
    raise RabbitUnavailable(message)


def pause(seconds: float) -> None:
    """Wait between two looks at a process that starts."""
    select.select((), (), (), seconds)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    for port in random.SystemRandom().sample(_PORTS, 200):
        with _bound(port) as is_free:
            if is_free:
                return port
    message = f"no free port between {_PORTS.start} and {_PORTS.stop}"
    raise RabbitUnavailable(message)


@contextmanager
def _bound(port: int) -> Iterator[bool]:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            yield False
        else:
            yield True
