"""Serves contacts-svc or the gateway in a process that is forked anew each time it was killed: imports are paid once.

`lead_child.py SERVICE PORT`; settings come from the environment. A line on standard input starts it; its process id and, when
it has died, the word `dead` come back.
"""

import asyncio
import ctypes
import os
import signal
import sys

import uvicorn

from contacts_svc.main import SPEC as CONTACTS
from gateway.main import SPEC as GATEWAY
from gateway.main import build_distributed_gateway
from kantis_kit.service import Service

END_WITH_PARENT = 1


async def serve(name: str, port: int) -> None:
    spec = {"contacts": CONTACTS, "gateway": GATEWAY}[name]
    service = Service(spec, spec.settings())
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


def main(name: str, port: int) -> None:
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)
            asyncio.run(serve(name, port))
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        os.waitpid(pid, 0)
        sys.stdout.write("dead\n")
        sys.stdout.flush()


main(sys.argv[1], int(sys.argv[2]))
