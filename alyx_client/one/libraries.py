"""ONE and the libraries that it brings, as far as they are used here: typed, and imported when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, Self, cast

from alyx_client.errors import ConfigurationError

__all__ = [
    "OneParameters",
    "RequestsModule",
    "RequestsResponse",
    "one_parameters",
    "one_version",
    "request_function",
    "requests",
    "thaw",
]

_INSTALL = 'ONE is not installed. Install it where this program runs: pip install "ONE-api>=3.6"'


class OneParameters(Protocol):
    """ONE's settings of one server: a named tuple."""

    ALYX_URL: str
    ALYX_LOGIN: str | None
    CACHE_DIR: Any
    HTTP_DATA_SERVER: str | None
    HTTP_DATA_SERVER_LOGIN: str | None
    HTTP_DATA_SERVER_PWD: str | None

    def set(self, field: str, value: object) -> Self:
        """Return a copy with one value changed."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """Return the values by name."""
        ...


class ParametersModule(Protocol):
    """The module ``one.params``."""

    def get(self, client: str | None = None, silent: bool = False, username: str | None = None) -> OneParameters:
        """Read the settings of a server; the first time, they are made."""
        ...

    def save(self, par: OneParameters, client: str) -> None:
        """Write the settings of a server."""
        ...


class RequestsResponse(Protocol):
    """A response of requests."""

    status_code: int
    url: str
    reason: str
    encoding: str | None
    headers: Any
    request: Any
    _content: bytes


class RequestsModule(Protocol):
    """The module ``requests``."""

    Response: type[RequestsResponse]
    HTTPError: type[Exception]
    ConnectionError: type[Exception]
    Timeout: type[Exception]
    ConnectTimeout: type[Exception]
    exceptions: Any

    def Request(self, method: str, url: str) -> Any:  # noqa: N802 - a class of requests
        """Make a request."""
        ...


def requests() -> RequestsModule:
    """Return the module ``requests``, which ONE is built on.

    Raises
    ------
    ConfigurationError
        It is not installed.
    """
    return cast(RequestsModule, _import("requests"))


def request_function(name: str) -> Any:
    """Return a function of requests by its name, such as ``requests.get``."""
    return getattr(_import("requests"), name)


def one_parameters() -> ParametersModule:
    """Return the module ``one.params``.

    Raises
    ------
    ConfigurationError
        ONE is not installed.
    """
    return cast(ParametersModule, _import("one.params"))


def one_version() -> str:
    """Return ONE's version.

    Raises
    ------
    ConfigurationError
        ONE is not installed.
    """
    return str(getattr(_import("one"), "__version__", ""))


def thaw(values: Mapping[str, Any]) -> OneParameters:
    """Make ONE's settings from their values by name."""
    return cast(OneParameters, _import("iblutil.io.params").from_dict(dict(values)))


def _import(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        # A module that ONE itself lacks is named by the cause.
        raise ConfigurationError(_INSTALL) from error
