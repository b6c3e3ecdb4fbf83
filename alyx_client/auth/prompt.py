"""Questions put to a person at a terminal or in a notebook; where there is none, the values at hand are taken."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass

from alyx_client.auth.interactive import can_ask

_QUOTES = "\"'`"


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks, and says what was understood.

    Parameters
    ----------
    attended
        Whether somebody is there to answer.
    ask, ask_secret
        Put a question and return what was typed, the latter without showing it.
    show
        Shows a line.
    """

    attended: bool
    ask: Callable[[str], str]
    ask_secret: Callable[[str], str]
    show: Callable[[str], object]

    def text(self, question: str, present: str | None = None) -> str | None:
        """Ask for a text.

        Parameters
        ----------
        question
            What to ask.
        present
            What an empty answer means.

        Returns
        -------
        str or None
            Without blanks and quotes around it. None for no answer, and for ``-``, which takes the present value away.
        """
        if not self.attended:
            return present
        shown = f" [{present}, - for none]" if present else ""
        typed = unquote(self.ask(f"{question}{shown}: "))
        return None if typed == "-" else typed or present

    def yes(self, question: str, *, present: bool) -> bool:
        """Ask for yes or no; the present value without an answer."""
        while self.attended:
            typed = unquote(self.ask(f"{question} [{'Y/n' if present else 'y/N'}]: ")).casefold()
            if not typed:
                break
            if typed in {"y", "yes", "n", "no"}:
                return typed[0] == "y"
            self.show("Please answer yes or no.")
        return present

    def secret(self, question: str) -> str | None:
        """Ask for a password or token, taken as it is typed; None without an answer."""
        return (self.ask_secret(f"{question}: ") or None) if self.attended else None


def questions(
    ask: Callable[[str], str] | None,
    ask_secret: Callable[[str], str] | None,
    show: Callable[[str], object],
    *,
    silent: bool,
) -> Questions:
    """Find out whether somebody can be asked, and how.

    Parameters
    ----------
    ask, ask_secret
        How to ask; by default with ``input`` and ``getpass``, if there is somebody.
    show
        Shows a line.
    silent
        Ask nobody, and show nothing.
    """
    attended = not silent and (ask is not None or can_ask())
    return Questions(attended, ask or input, ask_secret or getpass.getpass, _show_nothing if silent else show)


def _show_nothing(_: str) -> None:
    pass


def unquote(text: str) -> str:
    """Take blanks and quotes off that were typed around an answer."""
    text = text.strip()
    while len(text) >= 2 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1].strip()
    return text
