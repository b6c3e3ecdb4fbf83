"""Prompts at a terminal or in a notebook, and detection of an interactive session."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import field

from alyx_client.auth.token import clean_token, hide
from alyx_client.errors import printable
from alyx_client.lazy_dataclasses import dataclass

_QUOTES = "\"'`"


def is_interactive() -> bool:
    """Detect a terminal, or a notebook whose user can reply to prompts."""
    try:
        # There is no stdin at all under pythonw.exe and in some services.
        terminal = sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # stdin has been closed
        terminal = False
    return terminal or _is_interactive_notebook()


def _is_interactive_notebook() -> bool:
    # Looked up rather than imported: IPython is optional, and slow to import where it is not in use.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    # Frontends that execute notebooks unattended, such as nbconvert, forbid input; a prompt would raise there.
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))


@dataclass(frozen=True, slots=True)
class Prompter:
    """Prompts for values and shows messages; without a user, every prompt returns its default.

    Parameters
    ----------
    interactive
        Whether a user can reply to prompts.
    ask, ask_secret
        Prompt for a line and return it; the latter does not echo what is typed.
    show
        Shows a line.
    """

    interactive: bool
    ask: Callable[[str], str]
    ask_secret: Callable[[str], str]
    show: Callable[[str], object]

    @classmethod
    def for_session(cls, *, silent: bool = False) -> Prompter:
        """Make the prompter of this session: it uses `input`, `getpass` and `print`.

        Parameters
        ----------
        silent
            Never prompt, and show nothing.
        """
        import getpass

        return cls(not silent and is_interactive(), input, getpass.getpass, _discard if silent else _show)

    def text(self, question: str, default: str | None = None) -> str | None:
        """Prompt for a text.

        Parameters
        ----------
        question
            The prompt, without a colon.
        default
            The value of an empty reply.

        Returns
        -------
        str or None
            The reply without surrounding blanks and quotes. None for ``-``, which clears the default, and for an empty
            reply without a default.
        """
        if not self.interactive:
            return default
        hint = f" [{default}, - for none]" if default else ""
        reply = strip_quotes(self.ask(f"{question}{hint}: "))
        return None if reply == "-" else reply or default

    def confirm(self, question: str, *, default: bool) -> bool:
        """Prompt for yes or no; an empty reply means the default.

        Parameters
        ----------
        question
            The prompt, with its question mark.
        default
            The value of an empty reply.
        """
        while self.interactive:
            reply = strip_quotes(self.ask(f"{question} [{'Y/n' if default else 'y/N'}]: ")).casefold()
            if not reply:
                break
            if reply in {"y", "yes", "n", "no"}:
                return reply[0] == "y"
            self.show("Please reply yes or no.")
        return default

    def secret(self, question: str) -> str | None:
        """Prompt for a password or token, returned exactly as typed; None for an empty reply.

        Parameters
        ----------
        question
            The prompt, without a colon.
        """
        return (hide(self.ask_secret(f"{question}: ")) or None) if self.interactive else None


@dataclass(frozen=True, slots=True)
class TypedLogin:
    """A login entered at a prompt: a user name with a password, or with a token instead.

    Parameters
    ----------
    username
        The user name.
    password, token
        One of the two; neither if both prompts were left empty.
    """

    username: str
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


def prompt_login(base_url: str, username: str | None, *, again: bool = False) -> TypedLogin | None:
    """Prompt for the login of a server.

    Parameters
    ----------
    base_url
        The server, named in each prompt.
    username
        The user name, if it is known; it is not prompted for then.
    again
        Whether the server has just refused what was typed, which is said first.

    Returns
    -------
    TypedLogin or None
        None if no user name was entered, or if the input ended.

    Raises
    ------
    MissingCredentialsError
        The text entered as a token is not one.
    """
    import getpass  # most logins are not prompted for

    if again:
        print(f"{base_url} did not accept this login. Please try again.")
    try:
        username = username or input(f"Alyx user name for {base_url}: ").strip()
        if not username:
            return None
        password = hide(getpass.getpass(f"Alyx password for {username} at {base_url} (leave empty to enter a token): "))
        if password:
            return TypedLogin(username, password)
        token = hide(getpass.getpass(f"Alyx token for {username} at {base_url} (see {base_url}/me): "))
    except EOFError:
        return None
    return TypedLogin(username, token=clean_token(token, "what was typed") if token.strip() else None)


def strip_quotes(text: str) -> str:
    """Strip the blanks and quotes that users paste around addresses and paths."""
    text = text.strip()
    while len(text) >= 2 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1].strip()
    return text


def _show(text: str) -> None:
    print(printable(text))


def _discard(_: str) -> None:
    pass
