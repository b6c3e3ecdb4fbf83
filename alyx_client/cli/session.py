"""What the commands of one run share: the global options, the package and its client."""

from __future__ import annotations

import sys
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from alyx_client.cli.catalogue import SHIPPED, Catalogue
from alyx_client.cli.usage_error import UsageError
from alyx_client.errors import ConfigurationError, MissingCredentialsError
from alyx_client.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    import typer

    from alyx_client.client import BaseClient

__all__ = ["GlobalOptions", "Session", "session_of"]

_NO_SERVER = "no server is set up; run: alyx login https://alyx.example.org (or pass --url, or set ALYX_URL)"


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options before the command's name.

    Parameters
    ----------
    url
        The server; by default as for the client.
    package
        The package generated for it; by default ``ALYX_PACKAGE``, then the settings file's, then the shipped one.
    offline
        Whether only the cache answers.
    silent
        Whether to show no progress and never to prompt.
    timeout
        The time limit of each call, in seconds.
    """

    url: str | None = None
    package: str | None = None
    offline: bool = False
    silent: bool = False
    timeout: float | None = None


class Session:
    """The options of a run, and what is made from them when it is needed.

    Parameters
    ----------
    options
        The global options.
    """

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options

    @cached_property
    def package(self) -> str:
        """The name of the package."""
        if self.options.package:
            return self.options.package
        from alyx_client.config import find_package

        return find_package(self.options.url) or SHIPPED

    @cached_property
    def catalogue(self) -> Catalogue:
        """The endpoints of the package."""
        return Catalogue(self.package)

    @property
    def client_class(self) -> type[BaseClient]:
        """The class of the package's client."""
        name = self.catalogue.client_name  # raises what is wrong with the package, before it is imported
        for module in ("alyx_client.runtime", "alyx_client.client"):
            import_module(module)
        return cast("type[BaseClient]", getattr(import_module(self.package), name))

    @cached_property
    def client(self) -> Any:
        """The client.

        Raises
        ------
        UsageError
            No server is known.
        """
        return self.make_client()

    def make_client(self, *, prompts: bool | None = None, **arguments: Any) -> Any:
        """Return a client with further arguments; errors as for `client`.

        Parameters
        ----------
        prompts
            Whether it may prompt for a login; by default if stdout is a terminal.
        **arguments
            Arguments of the client.
        """
        # A prompt would become part of what the next program of a pipe reads.
        silent = self.options.silent or not (sys.stdout.isatty() if prompts is None else prompts)
        assert self.url  # raises if no server is known; where it comes from is for the client to find
        try:
            client = self.client_class(
                self.options.url, silent=silent, offline=self.options.offline, timeout=self.options.timeout, **arguments
            )
        except ConfigurationError:
            raise
        except ValueError as error:
            raise UsageError(str(error)) from error
        # Silence keeps prompts from pipes; progress is on stderr.
        client.silent = self.options.silent or not sys.stderr.isatty()
        return client

    @cached_property
    def url(self) -> str:
        """The server's address; errors as for `client`."""
        from alyx_client.config.settings import find_base_url

        try:
            return find_base_url(self.options.url)
        except MissingCredentialsError as error:
            raise UsageError(_NO_SERVER) from error


def session_of(context: typer.Context) -> Session:
    """Return the session of a command's context; in completion, one made from the global options so far."""
    root = context.find_root()
    if not isinstance(root.obj, Session):
        root.obj = Session(GlobalOptions(root.params.get("url"), root.params.get("package")))
    return root.obj
