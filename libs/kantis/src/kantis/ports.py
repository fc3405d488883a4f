"""The ports of a house: one in front, taken the moment it is chosen, and a row of its own for what stands behind it."""

import socket
from collections.abc import Iterable

from kantis.errors import InstallationError

HOST = "127.0.0.1"
DEFAULT_PORT = 8400
_FRONT_TRIES = 100
_ROWS = range(12_000, 20_000, 20)
"""Where the rows begin: below what any system gives to outgoing connections, away from the usual servers."""
_BACKLOG = 2048


def listen(port: int) -> socket.socket:
    """Return a listening socket of this machine.

    Raises:
        InstallationError: somebody has the port.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        message = (
            f"Port {port} cannot be listened on: {error.strerror}; set KANTIS_PORT to another one,"
            " or leave it out"
        )
        raise InstallationError(message) from None
    return listening


def listen_in_front(wanted: int | None) -> socket.socket:
    """Return a listening socket on the wanted port, or on the first free one from the default on.

    Raises:
        InstallationError: the wanted port, or every one that was tried, is taken.
    """
    if wanted:
        return listen(wanted)
    found = _first(range(DEFAULT_PORT, DEFAULT_PORT + _FRONT_TRIES))
    if found is None:
        raise InstallationError(f"No free port from {DEFAULT_PORT} on; set KANTIS_PORT")
    return found


def is_free(port: int) -> bool:
    """Say whether nobody listens on the port."""
    found = _first([port])
    if found is not None:
        found.close()
    return found is not None


class PortRow:
    """Twenty ports in a row that are one house's alone, for as long as it holds the first of them.

    A process that dies leaves its port for a while; no other house may take it meanwhile.
    """

    def __init__(self) -> None:
        """Claim a row.

        Raises:
            InstallationError: all are claimed.
        """
        claim = _first(_ROWS)
        if claim is None:
            raise InstallationError("No row of free ports is left; stop another installation")
        self._claim = claim
        self._next: int = claim.getsockname()[1] + 1
        self._end = self._next + _ROWS.step - 1

    def take(self) -> int:
        """Return the next free port of the row."""
        while self._next < self._end:
            port = self._next
            self._next += 1
            if is_free(port):
                return port
        raise InstallationError("Too many ports of this installation are taken by other programs")

    def close(self) -> None:
        """Leave the row to others."""
        self._claim.close()


def _first(candidates: Iterable[int]) -> socket.socket | None:
    for port in candidates:
        try:
            return listen(port)
        except InstallationError:
            continue
    return None
