"""Commands that messages tell users to run."""

from __future__ import annotations

__all__ = ["generate_command", "probe_command"]

_SHIPPED_PREFIX = "alyx_client."


def generate_command(package: str | None, server: str) -> str:
    """Return the command that generates a client for the current version of a server.

    Parameters
    ----------
    package
        The package of the client in use. If it is None or the shipped one, the command writes a package of another
        name.
    server
        The server's address.
    """
    name = "lab_alyx" if package is None or package.startswith(_SHIPPED_PREFIX) else package.rpartition(".")[2]
    return f"alyx-generate client {server} --package {name} --out src"


def probe_command(server: str) -> str:
    """Return the command that finds where a server's schema and its responses differ."""
    return f"alyx-generate probe {server}"
