"""Methods whose calls with wrong arguments raise errors that say what to write instead.

Nothing is checked before a call: Python itself refuses it, and its error is replaced.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import iscoroutinefunction, isfunction
from typing import Any, TypeVar

__all__ = ["checked_call", "with_checked_calls"]

ClassT = TypeVar("ClassT", bound=type)


# Every call goes through these, and few users call them.
_INTERNAL = frozenset({"run", "run_many", "send"})


def with_checked_calls(cls: ClassT) -> ClassT:
    """Decorate a class whose own public methods, and constructor, are to be replaced by their `checked_call`."""
    for name, method in list(vars(cls).items()):
        # Those that another decorator replaced have errors of their own.
        is_function = isfunction(method) and not hasattr(method, "__wrapped__")
        if is_function and (name == "__init__" or name[0] != "_") and name not in _INTERNAL:
            setattr(cls, name, checked_call(method))
    return cls


def checked_call(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that explains calls which do not fit its parameters; signature and result stay as they are.

    Parameters
    ----------
    method
        The method, synchronous or asynchronous.
    """
    if iscoroutinefunction(method):

        @functools.wraps(method)
        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            try:
                return await method(*args, **kwargs)
            except TypeError as error:
                if _began(error):
                    raise
                problem = _explained(method, args, kwargs, error)
            finally:
                del args, kwargs
            raise problem

        return asynchronous

    @functools.wraps(method)
    def synchronous(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except TypeError as error:
            if _began(error):
                raise
            problem = _explained(method, args, kwargs, error)
        finally:
            # Tools that report errors show the variables of frames, and these hold passwords.
            del args, kwargs
        raise problem

    return synchronous


def _began(error: TypeError) -> bool:
    """Return whether the method began: Python binds the arguments before there is a frame for it."""
    return error.__traceback__ is None or error.__traceback__.tb_next is not None


def _explained(method: Callable[..., Any], args: Any, kwargs: Any, error: TypeError) -> TypeError:
    from alyx_client.runtime.call_advice import explained  # most calls fit

    return explained(method, args, kwargs, error)
