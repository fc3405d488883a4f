"""A real RabbitMQ for tests, in one of four ways; when none works, the tests fail and say how to mend it.

1. `KANTIS_TEST_RABBITMQ_URL`: a server that somebody runs (a user with all rights in an empty virtual host).
2. An installed `rabbitmq-server`, started on ports and in a folder of its own, as any user.
3. As root on Debian or Ubuntu: the package is installed first.
4. Docker: `rabbitmq:4`, or the image that `KANTIS_TEST_RABBITMQ_IMAGE` names.

`python -m kantis_kit.testing.rabbit` tries them and says which one works. Several copies run beside each other. Import
the fixtures `rabbit_server` and `rabbit_to_break` into a conftest.
"""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kantis_kit.testing.rabbit_server import (
    DockerRabbit,
    GivenRabbit,
    InstalledRabbit,
    RabbitServer,
    RabbitUnavailable,
    run,
)

URL_VARIABLE = "KANTIS_TEST_RABBITMQ_URL"
IMAGE_VARIABLE = "KANTIS_TEST_RABBITMQ_IMAGE"

# The scripts that do not change the user; the ones in /usr/sbin insist on root or rabbitmq.
_PLACES = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin", "/opt/rabbitmq/sbin")
_POLICY = Path("/usr/sbin/policy-rc.d")

_HOW_TO_MEND = f"""
No RabbitMQ could be had for the tests. Do one of these:
  * set {URL_VARIABLE} to the address of a running server, as amqp://user:password@host:5672/
  * install it: apt-get install rabbitmq-server (its own service need not run)
  * run the tests as root on Debian or Ubuntu: the package is then installed by itself
  * start a Docker engine that this user may talk to (`docker info` must answer)
What was tried:
"""


def given() -> RabbitServer:
    """Take the server that the environment names."""
    url = os.environ.get(URL_VARIABLE, "")
    if not url:
        message = f"{URL_VARIABLE} is not set"
        raise RabbitUnavailable(message)
    return GivenRabbit(url)


def installed() -> RabbitServer:
    """Start an installed server."""
    bin_dir = _installation()
    if bin_dir is None:
        message = f"no rabbitmq-server in {', '.join(_PLACES)} or on the PATH"
        raise RabbitUnavailable(message)
    return _started(InstalledRabbit(bin_dir))


def packaged() -> RabbitServer:
    """Install Debian's package, without letting its own service start, and start a server of ours."""
    if os.geteuid() != 0:
        message = "not root: packages cannot be installed"
        raise RabbitUnavailable(message)
    if shutil.which("apt-get") is None:
        message = "no apt-get: not a Debian or Ubuntu"
        raise RabbitUnavailable(message)
    with _one_at_a_time():
        if _installation() is None:  # another copy may have installed it while we waited
            with _services_stay_off():
                environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
                run(["apt-get", "update", "-qq"], environment, seconds=300)
                options = [
                    "--yes",
                    "-qq",
                    "--no-install-recommends",
                    "-o",
                    "DPkg::Lock::Timeout=300",
                ]
                run(["apt-get", "install", *options, "rabbitmq-server"], environment, seconds=600)
    return installed()


def contained() -> RabbitServer:
    """Start a container."""
    if shutil.which("docker") is None:
        message = "no docker command"
        raise RabbitUnavailable(message)
    run(["docker", "info"])
    return _started(DockerRabbit(os.environ.get(IMAGE_VARIABLE, "rabbitmq:4")))


WAYS: tuple[Callable[[], RabbitServer], ...] = (given, installed, packaged, contained)
OWN_WAYS = WAYS[1:]


def obtain(ways: tuple[Callable[[], RabbitServer], ...] = WAYS) -> RabbitServer:
    """Return a server that answers, by the first way that works; the caller closes it.

    Raises:
        RabbitUnavailable: no way works.
    """
    reasons = []
    for way in ways:
        try:
            return way()
        except RabbitUnavailable as error:
            reasons.append(f"  - {way.__name__}: {error}")
            if way is given and os.environ.get(URL_VARIABLE):
                break  # who names a server wants that one
    raise RabbitUnavailable(_HOW_TO_MEND + "\n".join(reasons))


@pytest.fixture(scope="session")
def rabbit_server() -> Iterator[RabbitServer]:
    """A RabbitMQ for the whole session; take names of your own in it."""
    server = obtain()
    yield server
    server.close()


@pytest.fixture(scope="session")
def rabbit_to_break(rabbit_server: RabbitServer) -> Iterator[RabbitServer]:
    """A RabbitMQ that may be stopped, killed and alarmed; leave it running and without alarms."""
    if not isinstance(rabbit_server, GivenRabbit):
        yield rabbit_server
        return
    server = obtain(OWN_WAYS)
    yield server
    server.close()


def _started(server: RabbitServer) -> RabbitServer:
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def _installation() -> Path | None:
    for place in (*_PLACES, *os.environ.get("PATH", "").split(os.pathsep)):
        folder = Path(place)
        is_wrapper = place in {"/usr/sbin", "/sbin"}
        if (
            place
            and not is_wrapper
            and (folder / "rabbitmq-server").exists()
            and (folder / "rabbitmqctl").exists()
        ):
            return folder
    return None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (Path(tempfile.gettempdir()) / "kantis-rabbit-install.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Tell Debian's installer to start nothing, unless this machine has a policy already."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def main() -> int:
    """Say which way gives a RabbitMQ on this machine."""
    try:
        server = obtain()
    except RabbitUnavailable as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 1
    try:
        print(f"RabbitMQ for the tests: {server.way}, port {server.port}: it answers.")  # noqa: T201 - a command
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
