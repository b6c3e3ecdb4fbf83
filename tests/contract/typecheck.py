"""Compare values with the types that their fields declare."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel


def mismatches(value: Any, declared: Any, path: str = "response") -> Iterator[str]:
    """Describe each part of a value, nested ones included, whose type is not the declared one.

    Parameters
    ----------
    value
        The parsed value.
    declared
        An annotation.
    path
        The path of the value, for the description.
    """
    origin = get_origin(declared)
    if declared is Any:
        return
    if origin is Annotated:
        yield from mismatches(value, get_args(declared)[0], path)
    elif origin in (Union, UnionType):
        if not any(not list(mismatches(value, option)) for option in get_args(declared)):
            yield _mismatch(value, declared, path)
    elif origin is Literal:
        if not any(value == option and type(value) is type(option) for option in get_args(declared)):
            yield _mismatch(value, declared, path)
    elif origin is list:
        if type(value) is not list:
            yield _mismatch(value, declared, path)
        else:
            for item in value:
                yield from mismatches(item, get_args(declared)[0], f"{path}[]")
    elif origin is dict:
        if type(value) is not dict:
            yield _mismatch(value, declared, path)
        else:
            for name, item in value.items():
                yield from mismatches(name, get_args(declared)[0], f"{path} key")
                yield from mismatches(item, get_args(declared)[1], f"{path}[{name}]")
    elif declared is None or declared is NoneType:
        if value is not None:
            yield _mismatch(value, declared, path)
    elif isinstance(declared, type) and issubclass(declared, BaseModel):
        if type(value) is not declared:
            yield _mismatch(value, declared, path)
        else:
            declared.model_rebuild()  # its fields' types are resolved late
            for name, field in declared.model_fields.items():
                yield from mismatches(getattr(value, name), field.annotation, f"{path}.{name}")
            # A key that the URL may stand for is a property.
            others = [name for name in value.model_extra or () if not hasattr(declared, name)]
            yield from (f"{path}.{name} is not declared" for name in others)
    elif not isinstance(value, declared) or _is_subclass_instance(value, declared):
        yield _mismatch(value, declared, path)


def _is_subclass_instance(value: Any, declared: type) -> bool:
    if isinstance(value, bool):
        return declared is not bool
    return declared is date and isinstance(value, datetime)


def _mismatch(value: Any, declared: Any, path: str) -> str:
    return f"{path} is {value!r:.60}, which is not {declared}"
