"""The mailbox's pages and its small API: what would have been sent, to whom, and how it looks.

Mails are shown in a sandboxed frame from an answer that forbids scripts: their HTML is nobody's but the template
author's, and is not trusted.
"""

import re
from email.message import EmailMessage, MIMEPart
from html import escape
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from kantis.mailbox.catcher import Mailbox
from kantis_kit.errors import NotFound
from kantis_kit.web.problems import add_problem_handlers

PAGE = 50
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; frame-src 'self'; form-action 'self'"
)
_MAIL_POLICY = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
_BASE = '<base target="_blank">'


def _text_of(message: EmailMessage, kind: str) -> str:
    part: MIMEPart | None = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    content = part.get_content()
    return content if isinstance(content, str) else ""


def _for_the_frame(html: str) -> str:
    """Let links open in a tab of their own, as they do in a mail program: our pages refuse to be framed."""
    return (
        _HEAD.sub(lambda head: head[0] + _BASE, html, count=1)
        if _HEAD.search(html)
        else _BASE + html
    )


def mailbox_app(mailbox: Mailbox) -> FastAPI:
    """Build the application that the gateway shows under `/mailbox`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_problem_handlers(app)
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    store = mailbox.store

    def render(name: str, **values: Any) -> HTMLResponse:
        return HTMLResponse(
            pages.get_template(name).render(values),
            headers={"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-store"},
        )

    @app.get("/mailbox")
    async def show_mails(
        to: str = "", before: Annotated[int | None, Query(ge=1)] = None
    ) -> HTMLResponse:
        """Show caught mails, the newest first."""
        mails = await store.find(recipient=to, before=before, limit=PAGE)
        more = mails[-1].id if len(mails) == PAGE else None
        return render("list.html", mails=mails, to=to, more=more, count=await store.count())

    @app.get("/mailbox/{mail_id}")
    async def show_mail(mail_id: int) -> HTMLResponse:
        """Show one mail: its headers, its text, its HTML in a frame."""
        found = await store.get(mail_id)
        if found is None:
            raise NotFound("There is no such mail; old ones are dropped")
        mail, message = found
        headers = [(name, str(value)) for name, value in message.items()]
        return render("mail.html", mail=mail, headers=headers, text=_text_of(message, "plain"))

    @app.get("/mailbox/{mail_id}/html")
    async def show_html(mail_id: int) -> HTMLResponse:
        """Return the HTML of a mail for the frame."""
        found = await store.get(mail_id)
        if found is None:
            raise NotFound("There is no such mail; old ones are dropped")
        html = _text_of(found[1], "html") or f"<pre>{escape(_text_of(found[1], 'plain'))}</pre>"
        return HTMLResponse(_for_the_frame(html), headers={"Content-Security-Policy": _MAIL_POLICY})

    @app.get("/mailbox/api/mails")
    async def list_mails(
        request: Request,
        to: str = "",
        before: Annotated[int | None, Query(ge=1)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        """Return caught mails as JSON."""
        mails = await store.find(recipient=to, before=before, limit=limit)
        base = request.scope.get("root_path", "")
        items = [
            {
                "id": mail.id,
                "received_at": mail.received_at,
                "from": mail.sender,
                "to": mail.recipient,
                "subject": mail.subject,
                "message_id": mail.message_id,
                "page": f"{base}/mailbox/{mail.id}",
            }
            for mail in mails
        ]
        return {"items": items, "count": await store.count()}

    @app.get("/mailbox/api/mails/{mail_id}")
    async def get_mail(mail_id: int) -> dict[str, Any]:
        """Return one mail's headers, text and HTML."""
        found = await store.get(mail_id)
        if found is None:
            raise NotFound("There is no such mail; old ones are dropped")
        mail, message = found
        return {
            "id": mail.id,
            "to": mail.recipient,
            "subject": mail.subject,
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": _text_of(message, "plain"),
            "html": _text_of(message, "html"),
        }

    return app
