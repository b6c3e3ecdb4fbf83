"""How a request comes by its token, and how a stale one is renewed once: decided here without any I/O."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, auto

from alyx_client.auth.credentials import Credentials, is_stale, login_request, token_from
from alyx_client.errors import InsecureConnectionWarning
from alyx_client.http.log import logger, warn
from alyx_client.http.message import Request, Response
from alyx_client.http.retry import LoginRefused
from alyx_client.http.url import is_loopback


class Turn(Enum):
    """A step: take, or give up, the right to renew the token; one thread or task has it at a time."""

    TAKE = auto()
    GIVE = auto()


@dataclass(frozen=True, slots=True)
class Authorised:
    """A step: send the request with this token."""

    headers: dict[str, str]

    def __repr__(self) -> str:
        return "Authorised(***)"


Step = Turn | Authorised | Request
Steps = Generator[Step, Response | None, None]


class LoginRefusedError(Exception):
    """Carries the answer to a failed login to the policy that decides on it."""

    def __init__(self, request: Request, response: Response) -> None:
        super().__init__(response.status)
        self.outcome = LoginRefused(request, response)


class Session:
    """What all requests of a transport share in one process: the token, and whose turn it is to renew it.

    Parameters
    ----------
    credentials
        Where the token comes from.
    token
        A token known already.
    """

    def __init__(self, credentials: Credentials, token: str | None = None) -> None:
        self.credentials = credentials
        self.token = token
        self.turn = threading.Lock()
        self.logins = 0
        self.refusal: Response | None = None
        self.refused: set[str] = set()
        self.owners: dict[str, str | None] = {}
        self.warned = False

    def known_token(self) -> str | None:
        """Return the token that the next request would go out with; None where it would log in first.

        Nobody is asked, and nothing is sent. While another renews the token, the present one is returned.
        """
        if self.token is None and self.turn.acquire(blocking=False):
            try:
                self.token = self.credentials.token()
            finally:
                self.turn.release()
        return self.token

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a token that the server has not refused."""
        token = self.known_token()
        return token is not None and token not in self.refused

    @property
    def user(self) -> str | None:
        """Whose token it is, as far as that is known without asking anyone."""
        token = self.token
        if token is None or token not in self.owners:
            name = self.credentials.user()
            if token is None:
                return name
            # Remembered, for each request asks, and settings and keyrings are slow to read.
            self.owners.setdefault(token, name)
        return self.owners[token]

    def warn_if_insecure(self) -> None:
        """Warn once before a secret goes to another machine without encryption."""
        url = self.credentials.base_url
        if not self.warned and url.startswith("http://") and not is_loopback(url):
            self.warned = True
            warn(f"Passwords and tokens go to {url} without encryption; use https://.", InsecureConnectionWarning)


class Authorisation:
    """Takes one request to an answer that is not about its token.

    Parameters
    ----------
    session
        What the requests of a transport share.
    token
        A token to send as it is, whatever comes of it; by default the session's.
    """

    def __init__(self, session: Session, token: str | None = None) -> None:
        self.session = session
        self.logging_in = False
        self._fixed = token
        self._typed: tuple[str, str] | None = None
        self._logged_in = False
        self._refused: set[str] = set()

    def steps(self) -> Steps:
        """Yield what to send, and when to take and give up the turn; is sent the answers.

        The token is renewed at most once by logging in; stored ones that the server refuses are passed over before.

        Raises
        ------
        MissingCredentialsError
            There is neither token nor login.
        LoginRefusedError
            The login was answered without success.
        """
        session = self.session
        token = self._fixed or session.token or (yield from self._renew())
        if token is None:
            raise session.credentials.missing()
        while token is not None:
            session.warn_if_insecure()
            answer = yield Authorised({"Authorization": f"Token {token}"})
            if self._fixed is not None:
                return
            if answer is None or not is_stale(answer):
                return self._accepted(token, answer)
            session.refused.add(token)
            if self._logged_in:
                return
            self._refused.add(token)
            token = yield from self._renew()

    def _accepted(self, token: str, answer: Response | None) -> None:
        self.session.refused.discard(token)
        # A token that was typed in is known to be right only now.
        if self._typed and token == self._typed[1] and answer and 200 <= answer.status < 300:
            self.session.credentials.remember(token, self._typed[0])

    def _renew(self) -> Generator[Step, Response | None, str | None]:
        session = self.session
        logins = session.logins
        yield Turn.TAKE
        if session.logins != logins and session.refusal is not None:
            # While this one waited, another logged in and was refused: to repeat that might lock the account.
            raise LoginRefusedError(login_request("", ""), session.refusal)
        token = session.token if session.token not in self._refused else None
        token = token or session.credentials.token(self._refused) or (yield from self._log_in())
        if token is not None:
            session.token = token
        yield Turn.GIVE
        return token

    def _log_in(self) -> Generator[Step, Response | None, str | None]:
        session = self.session
        login = session.credentials.login()
        if login is None:
            self._typed = session.credentials.typed_token()
            return self._typed[1] if self._typed else None
        session.warn_if_insecure()
        request = login_request(*login)
        self.logging_in = True
        answer = yield request
        self.logging_in = False
        assert answer is not None
        session.logins += 1
        session.refusal = answer if answer.status in {400, 401, 403} else None
        if not 200 <= answer.status < 300:
            raise LoginRefusedError(request, answer)
        token = token_from(answer)
        session.credentials.remember(token, login[0])
        logger.debug("logged in to %s as %s", session.credentials.base_url, login[0])
        self._logged_in = True
        return token
