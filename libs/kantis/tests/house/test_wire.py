"""An answer leaves in one write, and nothing of it waits longer than it must."""

import asyncio

from kantis.runner import server_for
from kantis.wire import HeldHead, OneWrite

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Socket(asyncio.Transport):
    """Notes what is written to it."""

    def __init__(self):
        super().__init__()
        self.written, self.is_closed = [], False

    def write(self, data):
        self.written.append(bytes(data))

    def close(self):
        self.is_closed = True


async def test_head_and_body_leave_together_and_what_follows_at_once():
    socket = Socket()
    held = HeldHead(socket)

    held.write(HEAD)
    held.write(b"ok")
    held.write(b"more")
    await asyncio.sleep(0)

    assert [HEAD + b"ok", b"more"] == socket.written


async def test_a_head_does_not_wait_for_a_body_that_comes_later():
    socket = Socket()
    held = HeldHead(socket)

    held.write(HEAD)
    await asyncio.sleep(0)
    before = list(socket.written)
    held.write(b"ok")

    assert [HEAD] == before
    assert [HEAD, b"ok"] == socket.written


async def test_a_head_without_a_body_leaves_before_the_connection_closes():
    socket = Socket()
    held = HeldHead(socket)

    held.write(HEAD)
    held.close()
    await asyncio.sleep(0)

    assert [HEAD] == socket.written
    assert socket.is_closed


async def test_the_house_is_served_so_and_believes_no_proxy_by_itself():
    async def app(_scope, _receive, _send):
        """Answer nobody."""

    config = server_for(app, port=0).config

    assert config.http is OneWrite
    assert not config.proxy_headers
