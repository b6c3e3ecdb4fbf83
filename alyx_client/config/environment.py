"""Settings in environment variables."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from alyx_client.errors import ConfigurationError
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.url import is_encodable, same_origin

__all__ = ["flag_of_environment", "headers_of_environment", "names_variable", "variable"]

_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@contextmanager
def names_variable(source: str) -> Generator[None]:
    """Make a wrong value an error that names the environment variable, if it comes from one.

    Parameters
    ----------
    source
        The variable; or another source, whose errors are left as they are.

    Raises
    ------
    ConfigurationError
        The value of the variable cannot be used.
    """
    try:
        yield
    except ValueError as error:
        if not source.startswith("ALYX_"):
            raise
        raise ConfigurationError(f"The environment variable {source} cannot be used: {error}") from None


def variable(name: str, base_url: str | None = None, *, is_path: bool = False) -> str | None:
    """Read an environment variable.

    Parameters
    ----------
    name
        The variable, such as ``ALYX_USERNAME``.
    base_url
        The server that it is read for. If ``ALYX_URL`` is set, the other variables apply to that server only: a
        password must not reach another one.
    is_path
        Whether it is a path, which may have bytes that are no text.

    Returns
    -------
    str or None
        The value without surrounding blanks; None if it is empty, not set, or meant for another server.

    Raises
    ------
    ConfigurationError
        It has bytes that are no text.
    """
    url = os.environ.get("ALYX_URL", "").strip()
    # Without a scheme, ALYX_URL means https, as everywhere.
    if base_url and url and not same_origin(url if "://" in url else f"https://{url}", base_url):
        return None
    # Values that scripts read from files come with a newline.
    value = os.environ.get(name, "").strip() or None
    if value is not None and not is_path and not is_encodable(value):
        raise ConfigurationError(f"The environment variable {name} is not text in the encoding of this system.")
    return value


def flag_of_environment(name: str, base_url: str) -> bool | None:
    """Return a variable that is 1, true or yes, or 0, false or no; None if it is not set.

    Parameters
    ----------
    name, base_url
        As for `variable`.

    Raises
    ------
    ConfigurationError
        It is none of these.
    """
    text = variable(name, base_url)
    if text is None:
        return None
    if text.lower() not in _FLAGS:
        raise ConfigurationError(f"The environment variable {name} cannot be used: it is neither 1 nor 0.")
    return _FLAGS[text.lower()]


def headers_of_environment(base_url: str) -> OwnHeaders | None:
    """Return the header fields in ``ALYX_HEADERS``, a JSON object of names and values; None if it is not set.

    Parameters
    ----------
    base_url
        The server that they are read for.

    Raises
    ------
    ConfigurationError
        It is no such object, or a field cannot be sent; no value is quoted.
    """
    text = variable("ALYX_HEADERS", base_url)
    if text is None:
        return None
    problem = "it is not a JSON object"
    try:
        # A name that is there twice would be lost silently.
        pairs: Any = json.loads(text, object_pairs_hook=_once)
        if isinstance(pairs, dict):
            return OwnHeaders(cast("dict[str, str]", pairs))
    except RecursionError:
        pass
    except json.JSONDecodeError as error:
        problem = f"it is not JSON ({error.msg} at character {error.pos})"
    except (TypeError, ValueError) as error:
        problem = str(error)
    # The cause would quote the text, which is secret.
    raise ConfigurationError(
        f'ALYX_HEADERS: {problem}. It holds names and values, as in {{"X-Gateway-Key": "..."}}.'
    ) from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a name is there twice")
    return dict(pairs)
