"""Limits of a client, which argument, environment and settings file can set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

from alyx_client.config.environment import names_variable, variable
from alyx_client.errors import ConfigurationError
from alyx_client.http.arguments import require_positive, require_whole_number
from alyx_client.http.body import DEFAULT_MAX_BYTES
from alyx_client.http.deadline import DEFAULT_TIMEOUT, LOGIN_TIMEOUT
from alyx_client.http.download_rate import DEFAULT_MIN_RATE
from alyx_client.http.lifetime import DEFAULT_MAX_REQUESTS
from alyx_client.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from alyx_client.http.rate import Rate

__all__ = ["LIMITS", "Limits", "check_limit", "find_limits", "find_rate_limit"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a client.

    Parameters
    ----------
    timeout
        How long one call may take, in seconds, its retries, waits and logins included; infinity for no limit.
    login_timeout
        How long a login may take, in seconds; time at a prompt does not count.
    max_response_bytes
        The largest response that is read into memory, in bytes after decoding; infinity for no limit.
    min_download_rate
        The least rate of a download, in bytes per second; slower ones begin anew, and finally fail. 0 for no limit.
    max_requests
        How many requests of an asynchronous client are under way at a time; the others wait for their turn.
    parallel_pages
        How many pages of a list are fetched at a time, after the first one has shown how many there are.
    """

    timeout: float = DEFAULT_TIMEOUT
    login_timeout: float = LOGIN_TIMEOUT
    max_response_bytes: float = DEFAULT_MAX_BYTES
    min_download_rate: float = DEFAULT_MIN_RATE
    max_requests: float = DEFAULT_MAX_REQUESTS
    parallel_pages: float = 4


LIMITS = tuple(field.name for field in fields(Limits))
"""The names of the limits, in arguments and the settings file; variables of the environment are ``ALYX_…``."""

_CHECKS: Mapping[str, Callable[[str, object], float]] = {
    "timeout": partial(require_positive, unit="seconds"),
    "login_timeout": partial(require_positive, unit="seconds"),
    "max_response_bytes": partial(require_positive, unit="bytes"),
    "min_download_rate": partial(require_positive, unit="bytes per second", or_zero=True),
    "max_requests": require_whole_number,
    "parallel_pages": require_whole_number,
}


def find_limits(
    arguments: Mapping[str, float | None], base_url: str, stored: Mapping[str, float]
) -> tuple[Limits, dict[str, str]]:
    """Find the limits of a client.

    Parameters
    ----------
    arguments
        The limits that were passed; None for one that was not.
    base_url
        The server.
    stored
        Those of the settings file.

    Returns
    -------
    tuple
        The limits, and the source of each.

    Raises
    ------
    TypeError, ValueError
        An argument is not such a number.
    ConfigurationError
        A variable of the environment is not.
    """
    values: dict[str, float] = {}
    sources: dict[str, str] = {}
    for name in LIMITS:
        argument, environment = arguments.get(name), f"ALYX_{name.upper()}"
        text = variable(environment, base_url)
        if argument is not None:
            values[name], sources[name] = check_limit(name, argument), "argument"
        elif text is not None:
            values[name], sources[name] = _from_environment(name, environment, text), environment
        elif name in stored:
            values[name], sources[name] = stored[name], "settings file"
    return Limits(**values), sources


def find_rate_limit(argument: str | None, base_url: str, stored: Rate | None) -> tuple[Rate | None, dict[str, str]]:
    """Find the rate that a client keeps to.

    Parameters
    ----------
    argument
        The rate that was passed.
    base_url
        The server.
    stored
        That of the settings file.

    Returns
    -------
    tuple
        The rate, and its source by the name of the setting.

    Raises
    ------
    TypeError, ValueError
        The argument is not a rate.
    ConfigurationError
        The variable of the environment is not.
    """
    text = variable("ALYX_RATE_LIMIT", base_url)
    if argument is None and text is None:
        return stored, {} if stored is None else {"rate_limit": "settings file"}
    from alyx_client.http.rate import parse_rate

    if argument is not None:
        return parse_rate("rate_limit", argument), {"rate_limit": "argument"}
    with names_variable("ALYX_RATE_LIMIT"):
        return parse_rate("rate_limit", text), {"rate_limit": "ALYX_RATE_LIMIT"}


def check_limit(name: str, value: object) -> float:
    """Check a limit, and return it as Python's own number.

    Raises
    ------
    TypeError, ValueError
        It is not such a number.
    """
    return _CHECKS[name](name, value)


def _from_environment(name: str, environment: str, text: str) -> float:
    try:
        return check_limit(name, float(text))
    except ValueError as error:
        raise ConfigurationError(f"The environment variable {environment} is not a limit: {error}") from None
