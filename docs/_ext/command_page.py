"""The page of the two commands, from Typer's declarations of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer.main
from alyx_generator.cli.app import app as generate_app
from alyx_generator.render.reference.markdown import block, code, head, prose, table

from alyx_client.cli.app import app as alyx_app

_INTRODUCTION = """\
`alyx` reads and writes records; [The command `alyx`](../guides/command-line.md) introduces it. `alyx-generate`
generates packages for servers; [Your own server](../guides/your-own-server.md) introduces that.
"""
_CODE_LINE = re.compile(r"^ +(\d+) +(.*)")


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the commands by the words that call them, each group before its members; hidden ones are left out."""
    for name, app in (("alyx", alyx_app), ("alyx-generate", generate_app)):
        yield from _commands(name, typer.main.get_command(app))


def command_page() -> str:
    """Return the page."""
    parts = [head("make docs"), "# Command line\n", _INTRODUCTION]
    for name, command in commands():
        level = "##" if " " not in name else "###"
        parts.append(f"{level} {code(name)}\n")
        parts += _help(command)
        parts += _parameters(command)
    return "\n".join(parts)


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for word, member in getattr(command, "commands", {}).items():
        if not member.hidden:
            yield from _commands(f"{name} {word}", member)


def _help(command: Any) -> Iterator[str]:
    """Yield the help of a command: its text, its examples and its exit codes."""
    for part in re.split(r"\n\n+", (command.help or "").replace("\b\n", "")):
        head, _, rest = part.partition("\n")
        if head.startswith("For example"):
            yield block("\n".join(f"$ {line.strip()}" for line in rest.splitlines()), "console")
        elif head.startswith("Exit codes"):
            rows = [match.groups() for line in rest.splitlines() if (match := _CODE_LINE.match(line))]
            yield table(("exit code", head.removeprefix("Exit codes").strip(" ,:") or "meaning"), rows)
        elif rest.startswith("  "):
            yield f"{prose(head)}\n"
            yield block("\n".join(line[2:] for line in rest.splitlines()), "text")
        elif part.strip():
            yield f"{prose(part)}\n"


def _parameters(command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument" and one.help]
    options = [
        one for one in command.params if one.param_type_name == "option" and not one.hidden and one.name != "help"
    ]
    yield table(
        ("argument", "meaning"),
        ((code(one.metavar or one.name.upper()), prose(one.help)) for one in arguments),
    )
    yield table(
        ("option", "meaning", "default"),
        ((_names(one), prose(one.help or ""), _default(one)) for one in options),
    )


def _names(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or option.name.upper()}"
    return ", ".join(code(f"{name}{value if name.startswith('--') else ''}") for name in option.opts)


def _default(option: Any) -> str:
    value = option.default
    if value is None or option.is_flag or callable(value) or option.required:
        return "required" if option.required else ""
    return code(str(getattr(value, "value", value)))
