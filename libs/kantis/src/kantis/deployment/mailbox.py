"""The mailbox as a server of its own, for deployments that send no real mail yet."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from kantis.mailbox.catcher import Mailbox
from kantis.mailbox.pages import mailbox_app
from kantis.runner import server_for, wait_for_signal


async def serve_mailbox(folder: Path, *, host: str, smtp_port: int, port: int) -> None:
    """Catch mails by SMTP and show them by HTTP until the process is asked to end."""
    mailbox = Mailbox(folder)
    await mailbox.start(host=host, port=smtp_port)
    server = server_for(_with_probes(mailbox_app(mailbox)), host=host, port=port)
    loop = asyncio.get_running_loop()
    serving = loop.create_task(server.serve(), name="http")
    asked = loop.create_task(wait_for_signal(), name="signals")
    await asyncio.wait((serving, asked), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    asked.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await mailbox.stop()


def _with_probes(app: FastAPI) -> FastAPI:
    async def ready() -> dict[str, Any]:
        return {"status": "ready"}

    app.get("/livez")(ready)
    app.get("/readyz")(ready)
    return app
