"""The public names with their parameters, as lines of text; ``python -m tests.public_api`` writes them to the list."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

# Each version of pydantic sets others of these.
PYDANTIC = {"model_computed_fields", "model_config", "model_fields", "model_post_init"}
LIST = Path(__file__).with_suffix(".txt")
# What SUPPORT.md calls public, beside the objects that are reached from a client.
MODULES = (
    "alyx_client",
    "alyx_client.client",
    "alyx_client.config",
    "alyx_client.errors",
    "alyx_client.frames",
    "alyx_client.models",
    "alyx_client.one",
    "alyx_client.runtime",
    "alyx_client.testing",
    "alyx_client.webclient",
)
REACHED = (
    "alyx_client.downloads.options:DownloadOptions",
    "alyx_client.outbox.aio:AsyncOutbox",
    "alyx_client.outbox.sync:Outbox",
    "alyx_client.runtime.bulk_options:BulkArguments",
    "alyx_client.schema.report:Report",
)


def public_api() -> list[str]:
    """Return the lines of the list."""
    seen: dict[type, str] = {}  # and where they are listed
    lines = [line for module in MODULES for line in _module(module, seen)]
    for place in REACHED:
        module, _, name = place.partition(":")
        lines += _class(place.replace(":", "."), getattr(import_module(module), name), made=False)
    lines += _endpoints()
    lines += _commands("alyx", "alyx_client.cli.app")
    lines += _commands("alyx-generate", "alyx_generator.cli.app")
    return sorted(set(lines))


def _module(name: str, seen: dict[type, str]) -> Iterator[str]:
    module = import_module(name)
    defined = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == name and key[0] != "_"]
    for public in getattr(module, "__all__", defined):
        yield from _object(f"{name}.{public}", getattr(module, public), seen)


def _object(place: str, value: Any, seen: dict[type, str]) -> Iterator[str]:
    if isinstance(value, type) and seen.setdefault(value, place) != place:
        yield f"{place} is {seen[value]}"
    elif isinstance(value, type):
        yield from _class(place, value)
    elif isinstance(value, FunctionType):
        yield place + _parameters(value)
    else:
        yield place


def _class(place: str, cls: type, made: bool = True) -> Iterator[str]:
    bases = [base.__name__ for base in cls.__bases__ if base is not object and base.__name__[0] != "_"]
    yield f"{place}: class({', '.join(bases)})"
    own = [base for base in reversed(cls.__mro__) if _is_ours(base)]
    fields = {name for base in own for name in inspect.get_annotations(base) if name[0] != "_"}
    members = {
        name: value for base in own for name, value in vars(base).items() if name[0] != "_" and name not in PYDANTIC
    }
    if made and "__init__" in {name for base in own for name in vars(base)}:
        yield f"{place}.__init__{_parameters(cls.__init__)}"
    # The fields of a model stand in one line: they follow the server's schema.
    if fields and ".models." in place:
        yield f"{place}: fields {', '.join(sorted(fields))}"
    yield from (f"{place}.{name}" for name in fields if ".models." not in place)
    # Inherited names are listed once, unless they are reached from this class alone.
    for name, value in members.items():
        if name in fields or (".models." in place and name not in vars(cls)):
            continue
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        yield f"{place}.{name}" + (_parameters(function) if isinstance(function, FunctionType) else "")


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "alyx_client"


def _parameters(function: Any) -> str:
    try:
        signature = inspect.signature(function)
    except ValueError:  # some errors take what Python's own take
        return "(...)"
    texts = []
    for parameter in signature.parameters.values():
        if parameter.name[0] == "_" or parameter.name in ("self", "cls"):
            continue
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        optional = "=" if parameter.default is not parameter.empty else ""
        keyword = "keyword " if parameter.kind is parameter.KEYWORD_ONLY else ""
        unpacked = re.fullmatch(r"(?:\w+\.)?Unpack\[(\w+)\]", str(parameter.annotation))
        names = _keys(function, unpacked[1]) if unpacked else []
        texts += names or [f"{keyword}{stars}{parameter.name}{optional}"]
    return f"({', '.join(texts)})"


def _keys(function: Any, name: str) -> list[str]:
    """Return the names of keywords that are declared as a typed dictionary."""
    typed = getattr(sys.modules[inspect.unwrap(function).__module__], name, None)
    return [f"keyword {key}=" for key in sorted(getattr(typed, "__optional_keys__", ()))]


def _endpoints() -> Iterator[str]:
    client = import_module("alyx_client.endpoints.client")
    for name in ("AlyxClient", "AsyncAlyxClient"):
        cls = getattr(client, name)
        # The annotations of the cached properties name classes that are imported for type checkers alone.
        for attribute, value in vars(cls).items():
            function = getattr(value, "func", None)
            if function is None or attribute[0] == "_":
                continue
            module, endpoint = _endpoint_class(function.__code__, inspect.get_annotations(function)["return"])
            yield from (
                line.replace(f"<{endpoint}>", f"{name}.{attribute}")
                for line in _class(f"<{endpoint}>", getattr(import_module(module), endpoint), made=False)
            )


def _endpoint_class(code: Any, name: str) -> tuple[str, str]:
    (module,) = {part for part in code.co_names if part in _endpoint_modules()} or {""}
    return f"alyx_client.endpoints.{module}", name


def _endpoint_modules() -> set[str]:
    folder = Path(import_module("alyx_client.endpoints").__path__[0])
    return {path.stem for path in folder.glob("*.py")}


def _commands(program: str, module: str) -> Iterator[str]:
    import typer.main

    def lines(command: Any, path: str) -> Iterator[str]:
        options = sorted(option for parameter in command.params for option in parameter.opts)
        yield f"$ {path} {' '.join(options)}".rstrip()
        for name, child in getattr(command, "commands", {}).items():
            yield from lines(child, f"{path} {name}")

    yield from lines(typer.main.get_command(import_module(module).app), program)


if __name__ == "__main__":
    LIST.write_text("\n".join(public_api()) + "\n", encoding="utf-8", newline="\n")
