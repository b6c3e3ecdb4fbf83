"""Signatures that notebooks show and complete, built when they are looked at: importing takes no time for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar, get_args, get_origin

from alyx_client.runtime.inputs import UNSET

__all__ = [
    "LazySignature",
    "changes_signature",
    "completes",
    "copied",
    "is_list_annotation",
    "show_annotations",
    "show_fields",
]

MethodT = TypeVar("MethodT", bound=Callable[..., object])


class LazySignature(inspect.Signature):
    """A signature whose parameters are listed on first use.

    Parameters
    ----------
    make
        Returns the complete signature.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], inspect.Signature]) -> None:
        self._make = make
        self._made: inspect.Signature | None = None

    @property
    def signature(self) -> inspect.Signature:
        """The complete signature."""
        if self._made is None:
            self._made = self._make()
        return self._made

    @property
    def parameters(self) -> MappingProxyType[str, inspect.Parameter]:
        """The parameters by name."""
        return self.signature.parameters

    @property
    def return_annotation(self) -> Any:
        """The annotation of the result."""
        return self.signature.return_annotation

    def replace(self, **changes: Any) -> inspect.Signature:  # type: ignore[override]
        """Return a complete signature with changes, as that of a bound method, which lacks ``self``."""
        return self.signature.replace(**changes)

    def __reduce__(self) -> Any:
        return self.signature.__reduce__()


def completes(changes: type) -> Callable[[MethodT], MethodT]:
    """Give a method that takes ``**changes`` a signature with the keywords of a ``TypedDict`` in their place.

    Parameters
    ----------
    changes
        The ``TypedDict``.
    """

    def decorate(method: MethodT) -> MethodT:
        method.__signature__ = LazySignature(  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
            lambda: changes_signature(method, inspect.get_annotations(changes))
        )
        return method

    return decorate


def show_annotations(methods: Iterable[Callable[..., object]]) -> None:
    """Have signatures show annotations as they stand in the source; Python quotes those that it has not evaluated.

    Parameters
    ----------
    methods
        The methods; those with a signature of their own keep it.
    """
    for method in methods:
        if not hasattr(method, "__signature__"):
            method.__signature__ = LazySignature(partial(_plain_signature, method))  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


def _plain_signature(method: Callable[..., object]) -> inspect.Signature:
    own = inspect.Signature.from_callable(copied(inspect.unwrap(method)))
    parameters = [one.replace(annotation=_text(one.annotation)) for one in own.parameters.values()]
    return own.replace(parameters=parameters, return_annotation=_text(own.return_annotation))


def changes_signature(method: Callable[..., object], keywords: Mapping[str, object]) -> inspect.Signature:
    """Return the signature of a function with keywords in place of its ``**`` parameter.

    Parameters
    ----------
    method
        The function.
    keywords
        The annotation of each keyword.
    """
    own = inspect.Signature.from_callable(copied(method))
    kinds = inspect.Parameter
    before = [one for one in own.parameters.values() if one.kind not in (kinds.KEYWORD_ONLY, kinds.VAR_KEYWORD)]
    # A key in the path, passed by position alone, may have the name of a field, which no signature allows.
    before = [one.replace(name=f"{one.name}_key") if one.name in keywords else one for one in before]
    after = [one for one in own.parameters.values() if one.kind is kinds.KEYWORD_ONLY]
    parameters = [*before, *_keyword_parameters(keywords), *after]
    return own.replace(
        parameters=[one.replace(annotation=_text(one.annotation)) for one in parameters],
        return_annotation=_text(own.return_annotation),
    )


def show_fields(model: type, init: Callable[..., None]) -> None:
    """Give a model, and its constructor, a signature with its fields.

    Parameters
    ----------
    model
        The model, whose fields pydantic need not know yet.
    init
        The constructor, which takes any keywords.
    """

    def signature() -> inspect.Signature:
        fields: Mapping[str, Any] = getattr(model, "model_fields")  # noqa: B009 - a model of pydantic
        sources = inspect.get_annotations(model)
        annotations = {name: sources.get(name, field.annotation) for name, field in fields.items()}
        required = [name for name, field in fields.items() if field.is_required()]
        return inspect.Signature(_keyword_parameters(annotations, required))

    def init_signature() -> inspect.Signature:
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        return inspect.Signature([own, *signature().parameters.values()], return_annotation=None)

    # Notebooks look at the constructor, too, which all models share otherwise.
    constructor = copied(init)
    constructor.__signature__ = LazySignature(init_signature)
    type.__setattr__(model, "__init__", constructor)
    type.__setattr__(model, "__signature__", LazySignature(signature))


def _keyword_parameters(keywords: Mapping[str, object], required: Iterable[str] = ()) -> Sequence[inspect.Parameter]:
    """Return keyword-only parameters.

    Parameters
    ----------
    keywords
        The annotation of each.
    required
        Those without a default; the others are left out of what is sent by default.
    """
    required = frozenset(required)
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if name in required else UNSET,
            annotation=_text(annotation),
        )
        for name, annotation in sorted(keywords.items(), key=lambda item: (item[0] not in required, item[0]))
    ]


def is_list_annotation(annotation: Any) -> bool:
    """Return whether a type is a list, or a union with one."""
    return get_origin(annotation) is list or any(map(is_list_annotation, get_args(annotation)))


class _Source(str):
    """An annotation as it stands in the source."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _text(annotation: object) -> object:
    """Return an annotation as it stands in the source: unwrapped from a ``TypedDict``, and not quoted."""
    source = getattr(annotation, "__forward_arg__", annotation)
    return _Source(source) if isinstance(source, str) else annotation


def copied(function: Callable[..., object]) -> Any:
    """Return a copy of a function, without its signature."""
    plain: Any = function
    copy = type(plain)(plain.__code__, plain.__globals__, plain.__name__, plain.__defaults__, plain.__closure__)
    copy.__kwdefaults__, copy.__annotations__ = plain.__kwdefaults__, plain.__annotations__
    copy.__qualname__, copy.__doc__, copy.__module__ = plain.__qualname__, plain.__doc__, plain.__module__
    return copy
