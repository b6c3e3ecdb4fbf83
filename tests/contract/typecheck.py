"""Whether values are instances of the types that their fields declare."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel


def mismatches(value: Any, declared: Any, where: str = "answer") -> Iterator[str]:
    """Yield each place, in a value and in all that it holds, where the type is not the declared one.

    Parameters
    ----------
    value
        What was parsed.
    declared
        An annotation.
    where
        The name of the place.
    """
    origin = get_origin(declared)
    if declared is Any:
        return
    if origin is Annotated:
        yield from mismatches(value, get_args(declared)[0], where)
    elif origin in (Union, UnionType):
        if not any(not list(mismatches(value, option)) for option in get_args(declared)):
            yield _said(value, declared, where)
    elif origin is Literal:
        if not any(value == option and type(value) is type(option) for option in get_args(declared)):
            yield _said(value, declared, where)
    elif origin is list:
        if type(value) is not list:
            yield _said(value, declared, where)
        else:
            for item in value:
                yield from mismatches(item, get_args(declared)[0], f"{where}[]")
    elif origin is dict:
        if type(value) is not dict:
            yield _said(value, declared, where)
        else:
            for name, item in value.items():
                yield from mismatches(name, get_args(declared)[0], f"{where} key")
                yield from mismatches(item, get_args(declared)[1], f"{where}[{name}]")
    elif declared is None or declared is NoneType:
        if value is not None:
            yield _said(value, declared, where)
    elif isinstance(declared, type) and issubclass(declared, BaseModel):
        if type(value) is not declared:
            yield _said(value, declared, where)
        else:
            declared.model_rebuild()  # its fields' types are resolved late
            for name, field in declared.model_fields.items():
                yield from mismatches(getattr(value, name), field.annotation, f"{where}.{name}")
            yield from (f"{where}.{name} is not declared" for name in value.model_extra or ())
    elif not isinstance(value, declared) or _only_looks_so(value, declared):
        yield _said(value, declared, where)


def _only_looks_so(value: Any, declared: type) -> bool:
    if isinstance(value, bool):
        return declared is not bool
    return declared is date and isinstance(value, datetime)


def _said(value: Any, declared: Any, where: str) -> str:
    return f"{where} is {value!r:.60}, which is no {declared}"
