"""The commands that messages tell users to run."""

from __future__ import annotations

__all__ = ["generate_command", "probe_command"]

_SHIPPED = "alyx_client."


def generate_command(package: str | None, server: str) -> str:
    """Return the command that generates a client for a server as it is now.

    Parameters
    ----------
    package
        The package of the present client; None, and the shipped one, stand for a package that is still to be made.
    server
        The server's address.
    """
    name = "lab_alyx" if package is None or package.startswith(_SHIPPED) else package.rpartition(".")[2]
    return f"alyx-generate client {server} --package {name} --out src"


def probe_command(server: str) -> str:
    """Return the command that finds where a server's schema is wrong about its answers."""
    return f"alyx-generate probe {server}"
