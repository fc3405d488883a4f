"""How the outgoing client's requests leave: kept-alive connections with a parser in C, TLS checked, answers of bounded size.

An adapter between two libraries: callers and tests know answers and errors of httpx, whose own way over the network takes
several times as much processor time for each request.
"""

import socket
import ssl
from collections.abc import Callable, Mapping

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult

MAX_ANSWER_BYTES = 8 * 1024 * 1024
_KEEPALIVE_SECONDS = 15.0
_NOT_OURS_TO_ADD = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")


class AnswerTooLong(httpx.RemoteProtocolError):
    """The other side sent more than an answer may have."""


class Guarded(AbstractResolver):
    """Looks up names, and refuses those that lead where nothing may be sent.

    The addresses that it has seen are those that are connected to: a name cannot lead elsewhere a moment later.
    """

    def __init__(self, may_reach: Callable[[str], bool]) -> None:
        self._may_reach = may_reach
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return where a name leads. Raises `OSError` when one of its addresses may not be reached."""
        found = await self._inner.resolve(host, port, family)
        if not all(self._may_reach(one["host"]) for one in found):
            raise OSError(f"{host} leads to an address inside")
        return found

    async def close(self) -> None:
        """Let go of what looks up."""
        await self._inner.close()


class Wire:
    """Sends requests; no redirects, no cookies, no proxies, no second attempts."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        connect_seconds: float,
        may_reach: Callable[[str], bool] | None = None,
    ) -> None:
        self._may_reach = may_reach
        self._timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=min(connect_seconds, timeout_seconds),
            sock_read=timeout_seconds,
        )
        self._session: aiohttp.ClientSession | None = None
        self._tls: ssl.SSLContext | None = None

    async def send(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        """Send one request and read its answer whole.

        Raises:
            httpx.TransportError: there is no answer; its kind says whether the request may have arrived.
        """
        try:
            async with self._opened().request(
                method,
                url,
                data=content,
                headers=headers,
                allow_redirects=False,
                skip_auto_headers=_NOT_OURS_TO_ADD,
                ssl=self._trusted() if url.startswith("https:") else True,
            ) as answer:
                return httpx.Response(
                    answer.status, headers=answer.raw_headers, content=await _body(answer)
                )
        except aiohttp.ConnectionTimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except aiohttp.ClientConnectorError as error:
            raise httpx.ConnectError(str(error)) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except (aiohttp.InvalidURL, ValueError) as error:
            # An address or a header that cannot be sent: refused on our side.
            raise httpx.LocalProtocolError(str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx.RemoteProtocolError(str(error)) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # the client's slots are the limit
                    keepalive_timeout=_KEEPALIVE_SECONDS,
                    resolver=Guarded(self._may_reach) if self._may_reach else None,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=self._timeout,
                trust_env=False,
            )
        return self._session

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context(
                trust_env=False
            )  # takes a while, and http: needs none
        return self._tls

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            answer.close()
            raise AnswerTooLong(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)
