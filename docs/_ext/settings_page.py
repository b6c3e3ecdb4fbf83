"""The page of all settings, from the documentation of the client's arguments and the settings file's names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields

from alyx_generator.render.reference.docstrings import read_docstring
from alyx_generator.render.reference.markdown import code, head, prose, table

from alyx_client import AlyxClient
from alyx_client.config.limits import Limits
from alyx_client.config.servers_toml import SETTINGS

_INTRODUCTION = """\
A setting is taken from the first place that has it: the client's argument, the environment variable, the settings file
(`servers.toml` in the user's configuration folder, with a table `[servers.NAME]` for each server), and ONE's files,
which are only read. If `ALYX_URL` is set, the other variables apply to that server only.
[Logging in, and settings](../guides/logging-in.md) shows how they are used.
"""
_VARIABLE = re.compile(r"ALYX_[A-Z_]+")
_ELSEWHERE = (
    ("", "ALYX_DATA_USERNAME, ALYX_DATA_PASSWORD", "data_username, data_password", "The login at the data server."),
    ("", "", "more_data_servers", "Further data servers with their logins: a list of tables."),
    ("", "", "keyring", "Whether to store secrets in the system's keyring; needs the extra `keyring`."),
    ("", "ALYX_PACKAGE", "package", "The package generated for the server, which the command `alyx` uses."),
    ("", "ALYX_LOG", "", "`debug` logs every request, without secrets; `info` and `warning` log less."),
    ("", "ALYX_FULL_TRACEBACKS", "", "`1` shows the frames of this package in tracebacks, in notebooks too."),
)
"""Settings that are no arguments of the client."""


def settings_page() -> str:
    """Return the page."""
    titles = ("argument", "meaning", "environment variable", "in the settings file", "default")
    own = table(titles, _arguments())
    other = table(
        ("environment variable", "in the settings file", "meaning"),
        ((_codes(variables), _codes(names), prose(meaning)) for _, variables, names, meaning in _ELSEWHERE),
    )
    return "\n".join(
        [head("make docs"), "# Settings\n", _INTRODUCTION, "## Arguments of the client\n", own, "## Others\n", other]
    )


def _arguments() -> Iterator[tuple[str, str, str, str, str]]:
    signature = inspect.signature(AlyxClient.__init__).parameters
    limits = {field.name: getattr(Limits(), field.name) for field in fields(Limits)}
    for names, meaning in read_docstring(inspect.getdoc(AlyxClient) or "").parameters:
        for name in names.split(", "):
            default = limits.get(name, signature[name].default)
            variables = [one for one in _VARIABLE.findall(meaning) if one == variable_name(name)]
            yield (
                code(f"{name}="),
                prose(meaning),
                _codes(", ".join(variables)),
                code(name) if name in SETTINGS else "",
                "" if default is None else code(f"{default:g}" if isinstance(default, float) else repr(default)),
            )


def variable_name(argument: str) -> str:
    """Return the environment variable of an argument."""
    return "ALYX_URL" if argument == "base_url" else f"ALYX_{argument.upper()}"


def _codes(names: str) -> str:
    return ", ".join(code(name) for name in names.split(", ") if name)
