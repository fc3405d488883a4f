"""A process that has paid for all imports, and is forked for each start of a service: those who die come back at once.

Its arguments name the services. A line of JSON on standard input, `{"name": …, "port": …, "environment": {…},
"works": …}`, starts one, with its worker side or without; its process id comes back.
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

from kantis.registry import GATEWAY, spec_of
from kantis_kit.service import Service

END_WITH_PARENT = 1
SPECS = {name: spec_of(name) for name in sys.argv[1:]}
if GATEWAY in SPECS:
    from gateway.main import build_distributed_gateway


async def serve(name: str, port: int, *, works: bool) -> None:
    spec = SPECS[name]
    service = Service(spec, spec.settings())
    app: Any
    if name == GATEWAY:
        await service.start()
        app = build_distributed_gateway(service)
    else:
        await service.start(worker=works)
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
            asyncio.run(serve(wanted["name"], wanted["port"], works=wanted["works"]))
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


main()
