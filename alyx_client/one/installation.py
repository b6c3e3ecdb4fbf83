"""Replacement of ONE's client: in ``one.webclient``, and wherever its names have been imported."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from alyx_client.errors import AlyxWarning, ConfigurationError
from alyx_client.http.log import warn
from alyx_client.one.import_hook import ImportHook
from alyx_client.one.libraries import one_version, requests

__all__ = ["install", "is_installed", "uninstall", "watch"]

_MODULE = "one.webclient"
_TESTED = "3.6"
_NAMES = ("AlyxClient", "http_download_file", "http_download_file_list", "no_cache")
_OWN_PACKAGE = __name__.partition(".")[0]

_lock = threading.RLock()
# What has replaced ONE's own objects, and these, by name; empty if nothing is installed.
_installed: dict[str, tuple[Any, Any]] = {}


def install(*, strict_filters: bool = True) -> None:
    """Make this client that of ONE: of all ``ONE`` objects that are made from now on, in this process.

    It may be called before or after ONE is imported, and again.

    Parameters
    ----------
    strict_filters
        Refuse filters that the server does not have; ONE sends them with a warning, and Alyx then ignores them and
        returns everything. False sends them.

    Raises
    ------
    ConfigurationError
        ONE is not installed, or another version than this can replace. Nothing was changed.

    Warns
    -----
    AlyxWarning
        The version of ONE is another than those that this was tested with.
    """
    # Imported without the lock: another thread may hold that of the import, and come here from the hook.
    requests()
    version = one_version()
    try:
        module = import_module(_MODULE)
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"ONE cannot be imported: {error}. Install ONE-api again.") from error
    with _lock:
        from alyx_client.one.client import OneAlyxClient
        from alyx_client.one.results import register_lists

        if _installed and module.AlyxClient is _installed["AlyxClient"][0]:
            OneAlyxClient.refuse_unknown_filters = strict_filters
            return
        originals = {name: getattr(module, name, None) for name in _NAMES}
        missing = [name for name, original in originals.items() if original is None]
        if missing:
            raise ConfigurationError(
                f"ONE {version} has no {_MODULE}.{missing[0]}, so that its client was not replaced; ONE {_TESTED} has."
            )
        if not version.startswith(f"{_TESTED}."):
            warn(
                f"alyx_client.one was tested with ONE {_TESTED}, and this is ONE {version}. If something does not "
                "work, alyx_client.one.uninstall() brings ONE's own client back.",
                AlyxWarning,
            )
        OneAlyxClient.refuse_unknown_filters = strict_filters
        # Not replaced: clients from before make lists of their own.
        register_lists(getattr(module, "_PaginatedResponse", None))
        replacements = _replacements(originals)
        _exchange({id(originals[name]): replacements[name] for name in _NAMES})
        _installed.update({name: (replacements[name], originals[name]) for name in _NAMES})
        _forget_objects()


def uninstall() -> None:
    """Bring ONE's own client back, for all ``ONE`` objects that are made from now on; without one, do nothing."""
    with _lock:
        _hook.remove()
        _exchange({id(own): original for own, original in _installed.values()})
        _installed.clear()
        _forget_objects()


def is_installed() -> bool:
    """Return whether ONE uses this client."""
    return bool(_installed)


def watch() -> None:
    """Replace ONE's client as soon as it is imported, or now if it has been."""
    _hook.set()
    if _MODULE in sys.modules:
        _install_or_warn()


def _install_or_warn() -> None:
    # Importing ONE must work even if its client cannot be replaced.
    try:
        install()
    except ConfigurationError as error:
        warn(str(error), AlyxWarning)


def _forget_objects() -> None:
    # one.api.ONE remembers the object that it made last, and its client with it.
    factory = getattr(sys.modules.get("one.api"), "ONE", None)
    clear = getattr(factory, "cache_clear", None)
    if clear is not None:
        clear()


def _replacements(originals: Mapping[str, Any]) -> dict[str, Any]:
    from alyx_client.one import functions
    from alyx_client.one.client import OneAlyxClient

    return {
        "AlyxClient": OneAlyxClient,
        "http_download_file": functions.http_download_file,
        "http_download_file_list": functions.http_download_file_list,
        "no_cache": functions.no_cache_or(originals["no_cache"]),
    }


def _exchange(values: Mapping[int, Any]) -> None:
    """Exchange objects for others in all modules, by their identity: all of them, or none."""
    done: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for module_name, module in list(sys.modules.items()):
            if module_name.partition(".")[0] == _OWN_PACKAGE:
                continue
            # Programs may put anything in place of a module.
            namespace: dict[str, Any] = getattr(module, "__dict__", {})
            for name, value in list(namespace.items()):
                if id(value) in values:
                    namespace[name] = values[id(value)]
                    done.append((namespace, name, value))
    except BaseException:
        for namespace, name, value in reversed(done):
            namespace[name] = value
        raise


_hook = ImportHook(_MODULE, _install_or_warn)
