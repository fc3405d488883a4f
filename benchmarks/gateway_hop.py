"""What the gateway's hop costs: requests a second through it against the service called directly, in the same run.

The service reads one row and writes none. Both ways to reach it are measured: in the gateway's process, and in a
process of its own over kept-alive connections. Rounds alternate; the goal is at least 50 % of the direct rate.

    python benchmarks/gateway_hop.py [SECONDS_PER_ROUND] [ROUNDS] [CONNECTIONS]
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import uvicorn
import uvloop
from pydantic import SecretStr
from sqlalchemy import text

import kantis_kit.testing
from gateway.keys.usecases import create_key
from gateway.main import SPEC, build_gateway
from gateway.upstreams.clients import HttpUpstream
from kantis_kit.auth.policy import needs
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.clock import SystemClock
from kantis_kit.errors import NotFound
from kantis_kit.ids import new_id
from kantis_kit.service import Service, ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.signing import Keys
from kantis_kit.testing.postgres import PostgresServer, server_for_session
from kantis_kit.testing.rig import open_rig
from kantis_kit.tx import write
from kantis_kit.web import Out, Read, Router

router = Router(prefix="/v1/orders")
BROKER = SecretStr("postgresql://nobody@127.0.0.1/none")


class Row(Out):
    """What the service answers."""

    id: UUID
    name: str


@router.get("/{row_id}", policy=needs("orders:read"))
async def get_row(row_id: UUID, tx: Read) -> Row:
    """Read one row."""
    row = (
        await tx.execute(text("SELECT id, name FROM thing WHERE id = :id"), {"id": row_id})
    ).first()
    if row is None:
        raise NotFound
    return Row.model_validate(row)


ORDERS = ServiceSpec(
    name="orders",
    title="Orders",
    settings=ServiceSettings,
    migrations=Path(kantis_kit.testing.__file__).parent / "probe_migrations",
    routers=[router],
)


def make(spec: ServiceSpec, dsn: str, keys_dir: str) -> Service:
    """Build a service's web side."""
    limits: dict[str, Any] = {"key_limit": "1000000/second"} if spec is SPEC else {}
    settings = spec.settings(
        postgres_dsn=SecretStr(dsn), broker_url=BROKER, keys_dir=Path(keys_dir), **limits
    )
    return Service(spec, settings)


async def serve(given: dict[str, str]) -> None:
    """Be a server process: print the ports, serve until standard input ends."""
    orders = make(ORDERS, given["orders"], given["keys"])
    apps = {"direct": orders.asgi}
    if given["role"] == "front":
        inside = make(SPEC, given["gateway"], given["keys"])
        apps["in-process"] = build_gateway(inside, {"orders": orders.asgi})
        outside = make(SPEC, given["gateway"], given["keys"])
        upstream = HttpUpstream("orders", f"http://127.0.0.1:{given['behind']}")
        apps["http"] = build_gateway(outside, {"orders": upstream})
    ports = {}
    async with asyncio.TaskGroup() as tasks:
        for name, app in apps.items():
            config = uvicorn.Config(
                app,
                host="127.0.0.1",
                port=0,
                http="httptools",
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
            )
            server = uvicorn.Server(config)
            tasks.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
            ports[name] = server.servers[0].sockets[0].getsockname()[1]
        print(json.dumps(ports), flush=True)


def spawn(**given: str) -> tuple[subprocess.Popen[str], dict[str, int]]:
    """Start a server process and read its ports."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", json.dumps(given)], stdout=subprocess.PIPE, text=True
    )
    return process, json.loads(process.stdout.readline() if process.stdout else "{}")


async def load(port: int, request: Callable[[], bytes], seconds: float, connections: int) -> float:
    """Return answered requests a second over so many connections, each with one request under way."""
    end = perf_counter() + seconds
    done = 0

    async def one() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        content = request()
        while perf_counter() < end:
            writer.write(content)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            lowered = head.lower()
            if b"content-length:" in lowered:
                length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
                await reader.readexactly(length)
            else:
                await reader.readuntil(b"0\r\n\r\n")
            done += 1
        writer.close()

    started = perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return done / (perf_counter() - started)


async def measure(server: PostgresServer, seconds: float, rounds: int, connections: int) -> None:
    """Measure both ways, interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_rig(server, Path(folder), SPEC, ORDERS, start=False) as rig:
            row_id = new_id()
            async with write(rig.services["orders"].scope) as tx:
                await tx.execute(
                    text("INSERT INTO thing (id, name) VALUES (:id, 'lamp')"), {"id": row_id}
                )
            async with write(rig.services["gateway"].scope) as tx:
                _, key = await create_key(tx, "administrator", "benchmark")
            keys = Keys.load(rig.keys_dir, "gateway")

            def asking(credential: Callable[[], str]) -> Callable[[], bytes]:
                def request() -> bytes:
                    head = (
                        f"GET /v1/orders/{row_id} HTTP/1.1\r\nHost: kantis.test\r\n"
                        f"Authorization: Bearer {credential()}\r\nAccept: application/json\r\n\r\n"
                    )
                    return head.encode()

                return request

            def token() -> str:
                caller = Principal("benchmark", "benchmark", frozenset({"*"}))
                return issue_token(keys, caller, audience="orders", now=SystemClock().now())

            dsns = {"keys": str(rig.keys_dir), **rig.dsns}
            behind, behind_ports = spawn(role="behind", **dsns)
            front, front_ports = spawn(role="front", behind=str(behind_ports["direct"]), **dsns)
            targets = {
                "direct": (front_ports["direct"], asking(token)),
                "gateway, in-process": (front_ports["in-process"], asking(key.strip)),
                "direct, own process": (behind_ports["direct"], asking(token)),
                "gateway, http": (front_ports["http"], asking(key.strip)),
            }
            rates: dict[str, list[float]] = {name: [] for name in targets}
            try:
                for port, request in targets.values():
                    await load(port, request, 0.5, connections)  # warm
                for _ in range(rounds):
                    for name, (port, request) in targets.items():
                        rates[name].append(await load(port, request, seconds, connections))
            finally:
                for process in (front, behind):
                    process.terminate()
                    process.wait()
    middle = {name: statistics.median(values) for name, values in rates.items()}
    print(f"{connections} connections, {rounds} rounds of {seconds:g} s, medians")
    for name, rate in middle.items():
        print(f"  {name:22} {rate:8.0f} /s")
    for name, peer in (
        ("gateway, in-process", "direct"),
        ("gateway, http", "direct, own process"),
    ):
        ratio = middle[name] / middle[peer]
        print(f"  {name}: {ratio:.0%} of {peer} (goal 50 %)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        uvloop.run(serve(json.loads(sys.argv[2])))
    else:
        with server_for_session() as postgres:
            uvloop.run(
                measure(
                    postgres,
                    float(sys.argv[1]) if len(sys.argv) > 1 else 3.0,
                    int(sys.argv[2]) if len(sys.argv) > 2 else 5,
                    int(sys.argv[3]) if len(sys.argv) > 3 else 16,
                )
            )
