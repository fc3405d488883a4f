"""The pages that nobody needs to be signed in for, and those about the signing in itself."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from gateway.console.page import SEE_OTHER, html
from gateway.console.signing import Asked, Door
from gateway.console.templating import render
from gateway.console.texts import choose
from gateway.console.wording import Texts
from gateway.routes.checks import header, refuse_method
from gateway.users import passwords, queries, usecases
from gateway.users.errors import LinkRefused, PasswordRefused, SignInRefused, SignInTooFast
from gateway.users.schemas import UserIn
from kantis_kit.errors import NotFound
from kantis_kit.tx import Scope, read, write

HOME = "/console"
_WELCOME = f"{HOME}/welcome/"
Answer = Callable[[Asked], Awaitable[Response]]


class Doors:
    """Signing in and out, one-time links, and where one is signed in."""

    def __init__(self, scope: Scope, door: Door) -> None:
        self._scope = scope
        self._door = door

    def find(self, path: str) -> Answer | None:
        """Return what answers a path; None when it is a page behind the door."""
        if path.startswith(_WELCOME):
            return self._welcome
        return {
            f"{HOME}/sign-in": self._sign_in,
            f"{HOME}/sign-out": self._sign_out,
            f"{HOME}/sessions": self._sessions,
        }.get(path)

    async def _sign_in(self, asked: Asked) -> Response:
        onward, t = _inside(asked.query.get("next", "")), _texts(asked)
        if asked.form is None:
            if asked.signed_in is not None:
                return RedirectResponse(onward, status_code=SEE_OTHER)
            return _shown(t, "sign_in.html", email="", problem="")
        email = asked.typed("email")
        try:
            token = await self._door.sign_in(
                email,
                asked.typed("password", passwords.MAX_LENGTH + 1),
                address=asked.address,
                agent=asked.agent,
            )
        except SignInRefused as refused:
            problem = t("sign_in.refused")
            return _shown(t, "sign_in.html", refused.status, email=email, problem=problem)
        except SignInTooFast as refused:
            wait = refused.headers["Retry-After"]
            problem = t("sign_in.too_fast", wait=wait)
            response = _shown(t, "sign_in.html", refused.status, email=email, problem=problem)
            response.headers["Retry-After"] = wait
            return response
        return self._let_in(onward, token)

    def _let_in(self, onward: str, token: str) -> Response:
        response = RedirectResponse(onward, status_code=SEE_OTHER)
        self._door.let_in(response, token)
        return response

    async def _sign_out(self, asked: Asked) -> Response:
        if asked.form is None:
            raise refuse_method({"POST"})
        if asked.signed_in is not None:
            asked.check_csrf()
            user_id = asked.signed_in.user.id
            async with write(self._scope, actor=str(user_id)) as tx:
                await usecases.end_sessions(tx, user_id, asked.signed_in.session.id)
        response = RedirectResponse(f"{HOME}/sign-in", status_code=SEE_OTHER)
        self._door.let_out(response)
        return response

    async def _sessions(self, asked: Asked) -> Response:
        """Show where the person is signed in; end one of the sessions, or change the language."""
        if asked.signed_in is None:
            return RedirectResponse(f"{HOME}/sign-in?next={HOME}/sessions", status_code=SEE_OTHER)
        user = asked.signed_in.user
        if asked.form is not None:
            asked.check_csrf()
            async with write(self._scope, actor=str(user.id)) as tx:
                if wanted := asked.typed("language"):
                    await usecases.choose_language(tx, user.id, wanted)
                else:
                    await usecases.end_sessions(tx, user.id, _id(asked.typed("session")))
            return RedirectResponse(f"{HOME}/sessions", status_code=SEE_OTHER)
        async with read(self._scope) as tx_read:
            now = self._scope.clock.now()
            rows = await queries.list_sessions(tx_read, user.id, now=now)
        return _shown(
            Texts(user.language),
            "sessions.html",
            user=user,
            sessions=rows,
            here=asked.signed_in.session.id,
            csrf=asked.csrf,
        )

    async def _welcome(self, asked: Asked) -> Response:
        """Set a password by a one-time link, and sign in with it."""
        link_token = asked.path.removeprefix(_WELCOME)
        async with read(self._scope) as tx:
            link = await queries.find_link(tx, link_token, now=self._scope.clock.now())
            if link is None:
                raise LinkRefused("Ask an administrator for another one")
            user = await queries.get_user(tx, link.user_id) if link.user_id else None
        t = Texts(user.language) if user is not None else _texts(asked)
        name, email = asked.typed("name"), user.email if user is not None else asked.typed("email")
        password = asked.typed("password", passwords.MAX_LENGTH + 1)
        errors: dict[str, str] = {}
        if asked.form is not None:
            errors = _wrong(t, password, email, name if user is None else "-")
        if asked.form is None or errors:
            status = 422 if errors else 200
            words = {"user": user, "email": email, "name": name, "errors": errors}
            return _shown(t, "welcome.html", status, **words)
        stored = await passwords.hash_password(password)
        async with write(self._scope, actor="one-time link") as tx_write:
            await usecases.use_link(tx_write, link_token, stored, email=email, name=name)
        token = await self._door.sign_in(email, password, address=asked.address, agent=asked.agent)
        return self._let_in(HOME, token)


def _wrong(t: Texts, password: str, email: str, name: str) -> dict[str, str]:
    """Return what is wrong with the fields of a first password."""
    try:
        UserIn.model_validate({"email": email, "name": name, "role": "administrator"})
        passwords.check_password(password, email=email)
    except ValidationError as error:
        return {str(one["loc"][0]): t("sign_in.field_refused") for one in error.errors()}
    except PasswordRefused:
        return {"password": t("sign_in.password_refused", least=passwords.MIN_LENGTH)}
    return {}


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such session") from None


def _texts(asked: Asked) -> Texts:
    return Texts(choose((header(asked.scope, b"accept-language") or b"").decode("latin-1")))


def _inside(address: str) -> str:
    """Return where to go after signing in: a page of the console, whatever the address says."""
    is_ours = address.startswith(HOME + "/") and "//" not in address and "\\" not in address
    return address if is_ours and address.isascii() and address.isprintable() else HOME


def _shown(t: Texts, template: str, status: int = 200, **words: object) -> Response:
    return html(render(template, t=t, **words), language=t.language, status=status)
