"""Dataclasses whose fields and methods are made when they are first used.

The standard library's decorator reads the fields of each class and compiles seven methods when its module is imported,
which takes 0.7 ms; without the methods, it still takes 0.15 ms. The first call needs the modules of some fifty such
classes, the fields of half of them, and few of the methods.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter
from types import GenericAlias, MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

__all__ = ["dataclass"]

T = TypeVar("T")
Method = Callable[..., Any]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, slots: bool, frozen: bool = False, kw_only: bool = False) -> Callable[[type[T]], type[T]]:
        """Decorate a class as the standard library does, with fields that its functions know.

        Parameters
        ----------
        slots
            True: other classes take the standard library's decorator.
        frozen
            Whether the fields cannot be assigned to.
        kw_only
            Whether the constructor takes the fields by keyword only.
        """
        if not slots:
            raise TypeError("only for dataclasses with slots")

        def decorate(cls: type[T]) -> type[T]:
            own = {name for name, value in vars(cls).items() if value is not None}
            methods: dict[str, Any] = {name: _LazyMethod(make) for name, make in _MADE.items()}
            if sys.version_info >= (3, 13):
                methods["__replace__"] = _replace
            if frozen:
                methods |= _FROZEN
            elif "__eq__" not in own:
                methods["__hash__"] = None
            facts = {name: _LazyFact(partial(_read_facts, cls, kw_only)) for name in _FACTS}
            added = {name: value for name, value in methods.items() if name not in own} | facts
            return _with_slots(cls, added)

        return decorate


def _with_slots(cls: type[T], added: Mapping[str, object]) -> type[T]:
    """Return a copy of a class with slots in place of its fields, and further attributes."""
    # Annotations are text; modules of dataclasses import annotations from __future__.
    names = tuple(name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar["))
    copy = _copy(cls, names, {"__slots__": names, **added})
    copy.__qualname__ = cls.__qualname__
    return copy


def _copy(cls: type[T], left_out: Iterable[str] = (), added: Mapping[str, object] = MappingProxyType({})) -> type[T]:
    left_out = {*left_out, "__dict__", "__weakref__"}
    namespace = {name: value for name, value in vars(cls).items() if name not in left_out}
    # As the class itself was made: classes of other metaclasses, too.
    make_class = cast("Any", type(cls))
    copy: type[T] = make_class(cls.__name__, cls.__bases__, {**namespace, **added})
    return copy


def _read_facts(cls: type[Any], kw_only: bool) -> dict[str, object]:
    """Return what the standard library notes in a dataclass that is made of a class."""
    # Of a copy, since the decorator replaces the fields' defaults in the class: another thread, or a signal handler,
    # may come here at the same time, and would read half of them.
    copy = _copy(cls)
    dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(copy)
    return {name: getattr(copy, name) for name in _FACTS}


class _LazyFact:
    """What the standard library notes in a dataclass, read when it is first looked up.

    Parameters
    ----------
    read_facts
        Returns all that it notes, by name.
    """

    def __init__(self, read_facts: Callable[[], dict[str, object]]) -> None:
        self._read_facts = read_facts

    def __set_name__(self, cls: type, name: str) -> None:
        self._cls = cls
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        # Threads that come here at the same time read them once each, and they are equal.
        facts = self._read_facts()
        for name, fact in facts.items():
            setattr(self._cls, name, fact)
        return facts[self._name]


class _LazyMethod:
    """A method that is made when it is first looked up, and then replaces this object in its class."""

    def __init__(self, make: Callable[[type], Method]) -> None:
        self._make = make

    def __set_name__(self, cls: type, name: str) -> None:
        self._cls = cls
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        # Threads that come here at the same time make one each, which are equal.
        method = self._make(self._cls)
        method.__name__ = self._name
        method.__qualname__ = f"{self._cls.__qualname__}.{self._name}"
        method.__module__ = self._cls.__module__
        setattr(self._cls, self._name, method)
        return method.__get__(instance, owner)


class _Factory:
    """The default of a parameter whose field has a factory."""

    def __repr__(self) -> str:
        return "<factory>"  # as in the standard library's signatures


_FACTORY = _Factory()


def _init(cls: type) -> Method:
    fields = dataclasses.fields(cls)
    namespace: dict[str, Any] = {"factory": _FACTORY}
    parameters: dict[bool, list[str]] = {False: [], True: []}
    lines: list[str] = []
    for field in fields:
        name = value = field.name
        # The slot itself sets a value: __setattr__ may refuse to.
        namespace[f"set_{name}"] = getattr(cls, name).__set__
        default = ""
        if field.default is not dataclasses.MISSING:
            namespace[f"default_{name}"] = field.default
            default = f"default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            # dict[str, int]() takes three times as long as dict().
            factory = field.default_factory
            namespace[f"make_{name}"] = factory.__origin__ if isinstance(factory, GenericAlias) else factory
            default = "factory"
            value = f"make_{name}() if {name} is factory else {name}"
        if field.init:
            parameters[field.kw_only is True].append(f"{name}={default}" if default else name)
        else:
            value = default if default.startswith("default_") else f"make_{name}()"
        lines.append(f"set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    signature = ", ".join(["self", *parameters[False], *(["*", *parameters[True]] if parameters[True] else [])])
    exec("\n ".join([f"def __init__({signature}):", *(lines or ["pass"])]), namespace)
    init: Method = namespace["__init__"]
    init.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    return init


def _values(fields: Iterable[dataclasses.Field[Any]]) -> Callable[[object], tuple[object, ...]]:
    names = [field.name for field in fields]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


def _eq(cls: type) -> Method:
    values = _values(field for field in dataclasses.fields(cls) if field.compare)

    def eq(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return eq


def _hash(cls: type) -> Method:
    fields = dataclasses.fields(cls)
    values = _values(field for field in fields if (field.compare if field.hash is None else field.hash))

    def hash_fields(self: object) -> int:
        return hash(values(self))

    return hash_fields


def _repr(cls: type) -> Method:
    from reprlib import recursive_repr

    names = [field.name for field in dataclasses.fields(cls) if field.repr]

    @recursive_repr()
    def represent(self: object) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({fields})"

    return represent


def _replace(self: Any, /, **changes: object) -> Any:
    """Return a copy with other values of some fields, for ``copy.replace``."""
    return dataclasses.replace(self, **changes)


def _refuse(self: Any, verb: str, name: str) -> None:
    # A subclass may have attributes of its own.
    if name in self.__dataclass_fields__ or not hasattr(self, "__dict__"):
        raise dataclasses.FrozenInstanceError(f"cannot {verb} field {name!r}")


def _setattr(self: Any, name: str, value: object) -> None:
    _refuse(self, "assign to", name)
    object.__setattr__(self, name, value)


def _delattr(self: Any, name: str) -> None:
    _refuse(self, "delete", name)
    object.__delattr__(self, name)


def _getstate(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _setstate(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


_FACTS = ("__dataclass_fields__", "__dataclass_params__", "__match_args__")
_MADE: dict[str, Callable[[type], Method]] = {"__init__": _init, "__repr__": _repr, "__eq__": _eq, "__hash__": _hash}
_FROZEN: dict[str, Method] = {
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
