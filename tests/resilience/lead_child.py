"""A process that has paid for all imports, and is forked for each start of a service: those who die come back at once.

A line of JSON on standard input, `{"name": …, "port": …, "environment": {…}}`, starts a service; its process id comes back.
"""

import asyncio
import ctypes
import gc
import json
import os
import signal
import sys
from typing import Any

import uvicorn

from contacts_svc.main import SPEC as CONTACTS
from gateway.main import SPEC as GATEWAY
from gateway.main import build_distributed_gateway
from kantis_kit.service import Service
from orders_svc.main import SPEC as ORDERS

END_WITH_PARENT = 1
SPECS = {"contacts": CONTACTS, "gateway": GATEWAY, "orders": ORDERS}


async def serve(name: str, port: int) -> None:
    spec = SPECS[name]
    service = Service(spec, spec.settings())
    app: Any
    if name == "gateway":
        await service.start()
        app = build_distributed_gateway(service)
    else:
        await service.start(worker=False)
        app = service.asgi
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, lifespan="off", log_config=None, ws="none"
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to collect the dead
    gc.freeze()
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)
            os.environ.update(wanted["environment"])
            asyncio.run(serve(wanted["name"], wanted["port"]))
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


main()
