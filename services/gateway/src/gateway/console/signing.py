"""Signing in and out: the cookie, the check of where a post comes from, and the slowing down of those who guess."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import FormData
from starlette.responses import Response

from gateway.limits.burst import Burst
from gateway.routes.checks import header
from gateway.settings import GatewaySettings
from gateway.users import passwords, queries, usecases
from gateway.users.errors import SignInRefused, SignInTooFast
from gateway.users.model import csrf_of
from gateway.users.queries import SignedIn
from kantis_kit.errors import AppError
from kantis_kit.tx import Scope, read, write
from kantis_kit.web.middleware import Scope as AsgiScope

FREE_TRIES = 3
LONGEST_WAIT_SECONDS = 300
MAX_ACCOUNTS = 10_000


class WrongOrigin(AppError):
    """A form was sent from another site."""

    slug, status, title = "wrong-origin", 403, "This form was sent from another site"


@dataclass
class Asked:
    """A request to the console, and whose it is."""

    scope: AsgiScope
    address: str
    token: str
    """Of the session; empty when nobody is signed in."""
    signed_in: SignedIn | None
    form: FormData | None = None
    """What was posted."""

    @property
    def path(self) -> str:
        """Return the path, without a slash at its end."""
        return str(self.scope["path"]).rstrip("/")

    @property
    def query(self) -> dict[str, str]:
        """Return the query."""
        return dict(parse_qsl(self.scope.get("query_string", b"").decode("latin-1")))

    @property
    def agent(self) -> str:
        """Return what the browser calls itself."""
        return (header(self.scope, b"user-agent") or b"").decode("latin-1")

    @property
    def csrf(self) -> str:
        """Return what the forms of this session carry."""
        return csrf_of(self.token)

    def typed(self, name: str, most: int = 254) -> str:
        """Return what stands in a posted field."""
        return str(self.form.get(name, ""))[:most] if self.form is not None else ""

    def check_csrf(self) -> None:
        """Refuse a post of another session's page.

        Raises:
            WrongOrigin: it does not carry this session's token.
        """
        given = self.typed("_csrf").encode("ascii", "replace")
        if self.form is not None and not compare_digest(given, self.csrf.encode()):
            raise WrongOrigin("The page is older than your session; load it again")


class SlowDown:
    """Makes who guesses wait longer each time, known account or not; nobody is locked out for good."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, datetime]] = {}

    def check(self, account: str, now: datetime) -> None:
        """Refuse a try that comes too soon.

        Raises:
            SignInTooFast: says how long to wait.
        """
        failures, last = self._failures.get(account, (0, now))
        if failures < FREE_TRIES:
            return
        wait = min(LONGEST_WAIT_SECONDS, 2 ** (failures - FREE_TRIES + 1))
        left = wait - (now - last).total_seconds()
        if left > 0:
            raise SignInTooFast(
                f"Wait {int(left) + 1} s", headers={"Retry-After": str(int(left) + 1)}
            )

    def failed(self, account: str, now: datetime) -> None:
        """Remember a wrong password; of too many accounts the one that was tried first is forgotten."""
        failures, _ = self._failures.pop(account, (0, now))
        self._failures[account] = (failures + 1, now)
        if len(self._failures) > MAX_ACCOUNTS:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, account: str) -> None:
        """Forget what was wrong before."""
        self._failures.pop(account, None)


class Door:
    """Lets people in by password, knows them by their cookie, and lets them out."""

    def __init__(self, scope: Scope, settings: GatewaySettings) -> None:
        self._scope = scope
        self._public = urlsplit(settings.public_url)
        self._lasts = timedelta(hours=settings.session_hours)
        self._idle = timedelta(minutes=settings.session_idle_minutes)
        self._tries = Burst(settings.sign_in_limit, scope.clock)
        self._slow = SlowDown()
        self.is_secure = self._public.scheme == "https"
        self.cookie = "__Host-kantis" if self.is_secure else "kantis"

    async def sign_in(self, email: str, password: str, *, address: str, agent: str) -> str:
        """Return the token of a new session.

        Raises:
            SignInRefused: in the same words and the same time, whatever is wrong.
            SignInTooFast: too many tries.
        """
        account, now = email.strip().lower(), self._scope.clock.now()
        verdict = self._tries.hit(address)
        if not verdict.allowed:
            raise SignInTooFast(
                f"Wait {verdict.reset_seconds} s", headers=verdict.headers(refused=True)
            )
        self._slow.check(account, now)
        self._slow.failed(
            account, now
        )  # before the hash is computed, or a thousand at once would all be
        async with read(self._scope) as tx:
            user = await queries.find_by_email(tx, account)
        is_right = await passwords.fits(
            password[: passwords.MAX_LENGTH + 1],
            user.password if user is not None and user.disabled_at is None else "",
        )
        if user is None or not is_right:
            raise SignInRefused
        self._slow.succeeded(account)
        async with write(self._scope, actor=str(user.id)) as tx:
            return await usecases.begin_session(tx, user, agent=agent, lasts=self._lasts)

    async def who(self, scope: AsgiScope) -> tuple[str, SignedIn | None]:
        """Return the token of the request's cookie, and whose it is."""
        token = self._token(scope)
        if not token:
            return "", None
        now = self._scope.clock.now()
        async with read(self._scope) as tx:
            found = await queries.find_session(tx, token, now=now, idle_since=now - self._idle)
        if found is not None and found.session.seen_at <= now - usecases.SEEN_NOTED_EVERY:
            async with write(self._scope) as tx_write:
                await usecases.note_seen(tx_write, found.session.id)
        return token, found

    def _token(self, scope: AsgiScope) -> str:
        given = (header(scope, b"cookie") or b"").decode("latin-1")
        for part in given.split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.cookie:
                return value
        return ""

    def let_in(self, response: Response, token: str) -> None:
        """Give the browser its cookie."""
        response.set_cookie(
            self.cookie,
            token,
            max_age=int(self._lasts.total_seconds()),
            path="/" if self.is_secure else "/console",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def let_out(self, response: Response) -> None:
        """Take the cookie back."""
        response.delete_cookie(
            self.cookie,
            path="/" if self.is_secure else "/console",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def check_origin(self, scope: AsgiScope) -> None:
        """Refuse what another site has its visitors send.

        Raises:
            WrongOrigin: it comes from elsewhere, or does not say from where.
        """
        origin = (header(scope, b"origin") or b"").decode("latin-1")
        site = header(scope, b"sec-fetch-site")
        host = (header(scope, b"host") or b"").decode("latin-1")
        ours = {f"{self._public.scheme}://{self._public.netloc}"}
        if not self.is_secure:  # at home: 127.0.0.1 and localhost are one machine
            ours.add(f"http://{host}")
        if origin not in ours or site not in (None, b"same-origin"):
            raise WrongOrigin("Open the page here and send it again")
