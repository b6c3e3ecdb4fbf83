"""Typed calls: their arguments, and how each is made from the call by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import libcst as cst

from alyx_client.lazy_dataclasses import dataclass
from alyx_client.one.migrate.calls import ByNameCall
from alyx_client.one.migrate.kinds import Kind

__all__ = ["Form", "Part", "TypedCall"]

Form = Literal["same", "tuple", "model", "models", "fields", "variable"]


@dataclass(frozen=True, slots=True)
class Part:
    """An argument of the typed call.

    Parameters
    ----------
    index
        The position of the corresponding argument of the call by name; None for an argument that is added.
    form
        ``same``: the value as it is. ``tuple``: a list display as a tuple. ``model``, ``models``: a dictionary, or a
        list of them, as resources. ``fields``: a dictionary as keywords. ``variable``: a variable that holds a
        dictionary, which becomes a resource.
    keyword
        The keyword; empty if it is positional.
    names
        The keywords of the fields, by the server's names.
    text
        The argument that is added, as source code.
    """

    index: int | None
    form: Form = "same"
    keyword: str = ""
    names: Mapping[str, str] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class TypedCall:
    """A typed call.

    Parameters
    ----------
    call
        The call by name.
    parts
        The arguments.
    result
        The kind of value that the typed call returns.
    model
        The name of the resource that the call needs; empty if it needs none.
    no_cache
        Whether the cache is to be bypassed.
    source
        The dictionary that is assigned to the variable with the data; None if the data is not in a variable.
    """

    call: ByNameCall
    parts: tuple[Part, ...]
    result: Kind
    model: str = ""
    no_cache: bool = False
    source: cst.Dict | None = None

    @property
    def method(self) -> str:
        """The method, as an attribute of the client: ``sessions.list``."""
        return f"{self.call.endpoint.attribute}.{self.call.action}"
