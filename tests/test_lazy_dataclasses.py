"""Dataclasses whose methods are made late, beside those of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import field
from types import FrameType
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from alyx_client import lazy_dataclasses

T = TypeVar("T")


def stdlib(cls: type[Any]) -> Any:
    return dataclasses.dataclass(frozen=True, slots=True)(cls)


def lazy(cls: type[Any]) -> Any:
    return lazy_dataclasses.dataclass(frozen=True, slots=True)(cls)


def pair(decorate: Callable[[type[Any]], Any]) -> Any:
    class Pair(Generic[T]):
        """Two values, and what a caller does not pass."""

        kind: ClassVar[str] = "pair"
        first: T
        second: list[str] = field(default_factory=lambda: ["made"])
        secret: str | None = field(default=None, repr=False)
        note: str = field(default="", compare=False)
        unhashed: int = field(default=0, hash=False)
        fixed: int = field(default=7, init=False)
        built: list[int] = field(default_factory=list[int], init=False, repr=False)
        by_name: int = field(default=1, kw_only=True)

        def __post_init__(self) -> None:
            if self.first is None:
                raise ValueError("no first value")

    return decorate(Pair)


def single(decorate: Callable[[type[Any]], Any]) -> Any:
    class Single:
        value: object

        def __repr__(self) -> str:
            return "its own"

    return decorate(Single)


def unlike(decorate: Callable[[type[Any]], Any]) -> Any:
    class Unlike:
        value: object = 0

        def __eq__(self, other: object) -> bool:
            return False

    return decorate(Unlike)


def empty(decorate: Callable[[type[Any]], Any]) -> Any:
    class Empty:
        """Nothing."""

    return decorate(Empty)


def mutable(decorate: Callable[[type[Any]], Any]) -> Any:
    class Mutable:
        """May be changed."""

        first: int
        second: list[int] = field(default_factory=list[int])

    return decorate(Mutable)


CASES: dict[str, tuple[Callable[..., Any], Callable[[Any], object]]] = {
    "repr": (pair, lambda cls: repr(cls(1, secret="hidden"))),
    "repr within itself": (single, lambda cls: repr(cls([1]))),
    "own repr": (single, lambda cls: repr(cls(1))),
    "defaults": (pair, lambda cls: [getattr(cls(1), item.name) for item in dataclasses.fields(cls)]),
    "factories make a value each": (pair, lambda cls: cls(1).second is cls(1).second),
    "factory not used": (pair, lambda cls: cls(1, second=None).second),
    "class variable": (pair, lambda cls: (cls.kind, cls(1).kind)),
    "equal": (pair, lambda cls: cls(1, note="a") == cls(1, note="b")),
    "unequal": (pair, lambda cls: (cls(1) == cls(2), cls(1) == 1, cls(1) != cls(1))),
    # Not of a NaN, which equals itself in dataclasses before Python 3.13 and in ours.
    "one field equal": (single, lambda cls: (cls(1) == cls(1), cls(1) == cls(2))),
    "no field": (empty, lambda cls: (cls() == cls(), hash(cls()), repr(cls()))),
    "hash": (pair, lambda cls: hash(cls(1, second=(), unhashed=1)) == hash(cls(1, second=(), unhashed=2))),
    "hash of one field": (single, lambda cls: hash(cls("a")) == hash(("a",))),
    "own equality": (unlike, lambda cls: (cls() == cls(), hash(cls(3)) == hash((3,)))),
    "unhashable": (pair, lambda cls: hash(cls(1))),
    "replace": (pair, lambda cls: repr(dataclasses.replace(cls(1, by_name=5), first=2))),
    "replace of unknown": (pair, lambda cls: dataclasses.replace(cls(1), unknown=2)),
    "asdict": (pair, lambda cls: dataclasses.asdict(cls(1, ["a"]))),
    "is_dataclass": (pair, dataclasses.is_dataclass),
    "match_args": (pair, lambda cls: cls.__match_args__),
    "slots": (pair, lambda cls: (cls.__slots__, hasattr(cls(1), "__dict__"))),
    "signature": (pair, lambda cls: str(inspect.signature(cls))),
    "names": (pair, lambda cls: (cls.__init__.__qualname__, cls.__init__.__module__, cls.__name__, cls.__doc__)),
    "state": (pair, lambda cls: cls(1).__getstate__()),
    "copy": (pair, lambda cls: (copy.copy(cls(1)) == cls(1), copy.deepcopy(cls([1])).first)),
    "assignment": (pair, lambda cls: setattr(cls(1), "first", 2)),
    "deletion": (pair, lambda cls: delattr(cls(1), "first")),
    "missing argument": (pair, lambda cls: cls()),
    "unknown argument": (pair, lambda cls: cls(1, unknown=2)),
    "too many arguments": (pair, lambda cls: cls(1, 2, 3, 4, 5, 6, 7)),
    "argument by name only": (pair, lambda cls: cls(1, by_name=2).by_name),
    "checked after initialisation": (pair, lambda cls: cls(None)),
    "copy.replace": (pair, lambda cls: copied(cls(1), first=2)),
    "copy.replace, unknown": (pair, lambda cls: copied(cls(1), unknown=2)),
    "subclass": (pair, lambda cls: repr(type("Sub", (cls,), {})(1))),
    "attribute of a subclass": (pair, lambda cls: setattr(type("Sub", (cls,), {})(1), "first", 2)),
    "equality of a subclass": (pair, lambda cls: type("Sub", (cls,), {})(1) == cls(1)),
}


def copied(instance: Any, **changes: object) -> object:
    # New in Python 3.13.
    return copy.replace(instance, **changes) if sys.version_info >= (3, 13) else None


@pytest.mark.parametrize("name", CASES)
def test_as_the_standard_library(name: str) -> None:
    make, use = CASES[name]
    assert outcome(use, make(lazy)) == outcome(use, make(stdlib))


MUTABLE: dict[str, Callable[[Any], object]] = {
    "assignment": lambda cls: changed(cls(1)),
    "equal": lambda cls: (cls(1) == cls(1), cls(1) == cls(2)),
    "unhashable": lambda cls: hash(cls(1)),
    "repr": lambda cls: repr(cls(1)),
    "replace": lambda cls: repr(dataclasses.replace(cls(1), first=2)),
    "copy": lambda cls: copy.copy(cls(1)) == cls(1),
    "signature": lambda cls: str(inspect.signature(cls)),
}


def changed(instance: Any) -> object:
    instance.first = 2
    return instance.first


@pytest.mark.parametrize("name", MUTABLE)
def test_mutable_as_the_standard_library(name: str) -> None:
    use = MUTABLE[name]
    theirs = mutable(dataclasses.dataclass(slots=True))
    assert outcome(use, mutable(lazy_dataclasses.dataclass(slots=True))) == outcome(use, theirs)


def outcome(use: Callable[[Any], object], cls: Any) -> object:
    try:
        return str(use(cls)).replace("lazy", "stdlib")
    except Exception as error:
        return type(error), str(error)


def test_a_subclass_may_have_attributes_of_its_own() -> None:
    sub: Any = type("Sub", (pair(lazy),), {})(1)
    sub.other = 2
    assert sub.other == 2
    del sub.other
    assert not hasattr(sub, "other")


@lazy_dataclasses.dataclass(frozen=True, slots=True)
class Pickled:
    first: int
    second: str = "b"


def test_pickles() -> None:
    assert pickle.loads(pickle.dumps(Pickled(1))) == Pickled(1)
    # As the standard library's decorator wrote it, for earlier versions of this package.
    assert Pickled(1).__getstate__() == [1, "b"]


def test_methods_are_made_when_first_used() -> None:
    cls: Any = pair(lazy)
    assert "__eq__" in vars(cls)
    assert not inspect.isfunction(inspect.getattr_static(cls, "__eq__"))
    assert cls(1) == cls(1)
    assert inspect.isfunction(inspect.getattr_static(cls, "__eq__"))


def test_refuses_other_dataclasses() -> None:
    with pytest.raises(TypeError, match="dataclasses with slots"):
        lazy_dataclasses.dataclass(frozen=True, slots=False)


def test_generic() -> None:
    assert pair(lazy)[int](1).first == 1


def test_another_attribute_is_refused() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'other'"):
        pair(lazy)(1).other = 2


def test_first_call_compiles_few_dataclasses() -> None:
    code = (
        "from alyx_client import AlyxClient; AlyxClient('http://127.0.0.1:9', token='x').subjects\n"
        "import dataclasses, sys\n"
        "for name, module in sys.modules.items():\n"
        "    for value in vars(module).values() if name.startswith('alyx_client') else ():\n"
        "        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__dataclass_params__.init:\n"
        "            print(value.__module__)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not [module for module in run.stdout.split() if module.startswith("alyx_client")]


def test_first_use_may_be_interrupted_by_another_one() -> None:
    # Of a signal handler, or of another thread, at any line.
    moment = 0
    while interrupted_at(moment, pair(lazy)):
        moment += 11
    assert moment > 100


def interrupted_at(moment: int, cls: Any) -> bool:
    """Use a class, and interrupt that at its nth line by another use; returns whether there were so many."""
    lines = 0

    def trace(_frame: FrameType, event: str, _value: object) -> Any:
        nonlocal lines
        lines += event == "line"
        if lines > moment:
            sys.settrace(None)
            assert cls(1) == cls(1)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        first = cls(1)
    finally:
        sys.settrace(before)
    assert (first.second, first.by_name, cls(2).built) == (["made"], 1, [])
    return lines > moment
