"""Results of ``alyx doctor``, and the checks of this machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import stat
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from alyx_client import __version__
from alyx_client.cli.advice import for_the_shell
from alyx_client.cli.cache import size_of
from alyx_client.cli.catalogue import SHIPPED
from alyx_client.cli.session import Session
from alyx_client.config.servers_toml import servers_file
from alyx_client.errors import AlyxError, ConfigurationError
from alyx_client.http.log import readable_size
from alyx_client.http.url import redact_text
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.file_system import foreign_access, user_folder
from alyx_client.storage.sqlite_check import damage_of

__all__ = ["Check", "Outcome", "Result", "machine_checks", "settings_checks"]

_LIBRARIES = ("httpx2", "pydantic", "truststore", "typer")
_FREE = 1 << 30
_CHOOSE = "Choose another with ALYX_CACHE_DIR, or change its permissions."


class Outcome(StrEnum):
    """Outcomes of checks."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a check.

    Parameters
    ----------
    outcome
        Whether something is wrong.
    subject
        What was checked.
    text
        What was found; no secrets.
    advice
        What to do about it.
    """

    outcome: Outcome
    subject: str
    text: str
    advice: str = ""


Check = Callable[[Session], Iterator[Result]]


def ok(subject: str, text: str) -> Result:
    """Return the result of a check that found nothing."""
    return Result(Outcome.OK, subject, text)


def warn(subject: str, text: str, advice: str) -> Result:
    """Return the result of a check that found something that may be wrong."""
    return Result(Outcome.WARN, subject, text, advice)


def failed(subject: str, text: object, advice: str) -> Result:
    """Return the result of a check that found something wrong; URLs in the text lose their credentials."""
    return Result(Outcome.FAIL, subject, redact_text(for_the_shell(" ".join(str(text).split()))), advice)


def machine_checks(session: Session) -> Iterator[Result]:
    """Check the versions and the package."""
    yield ok("python", f"{platform.python_version()} at {sys.executable}, {platform.platform(terse=True)}")
    versions = [f"{name} {_version(name)}" for name in _LIBRARIES]
    yield ok("versions", f"alyx-client {__version__}, {', '.join(versions)}")
    try:
        count = len(session.catalogue.endpoints)
        name = "the shipped package" if session.package == SHIPPED else session.package
        yield ok("package", f"{name}, {count} endpoints")
        assert session.client_class
    except Exception as error:
        yield failed("package", error, "Correct --package or ALYX_PACKAGE, or generate it: alyx-generate client")


def settings_checks(session: Session) -> Iterator[Result]:
    """Check the settings, where each of them comes from, and the folders."""
    try:
        settings = session.client._settings
    except Exception as error:
        yield failed("settings", error, f"Correct the setting, or run: alyx login (settings file: {servers_file()})")
        return
    sources = settings.sources
    yield ok("server", f"{settings.base_url} ({_from(sources.get('base_url'))})")
    yield ok("user", f"{settings.username or 'not set'} ({_from(sources.get('username'))})")
    servers = ", ".join(server.url for server in settings.data_servers)
    yield ok("data server", redact_text(f"{servers or 'not set'} ({_from(sources.get('data_servers'))})"))
    others = {name: source for name, source in sources.items() if name not in _SHOWN and source != "default"}
    limits = [f"{name} ({_from(source)})" for name, source in others.items()]
    if limits:
        yield ok("settings", f"not the default: {', '.join(limits)}")
    yield _readable_settings()
    yield from _folder("data files", settings.cache_dir, _from(sources.get("cache_dir")))
    yield from _folder("cache", settings.rest_cache_dir, "responses")
    yield from _damaged(settings.rest_cache_dir)
    yield _token_folder()


_SHOWN = ("base_url", "username", "data_servers", "cache_dir")


def _from(source: str | None) -> str:
    if source in (None, "default"):
        return "default"
    return {"argument": "command line", "ONE": "ONE's settings"}.get(str(source), str(source))


def _readable_settings() -> Result:
    file = servers_file()
    if not file.exists():
        return ok("settings file", f"{file} does not exist, which is no fault")
    access = foreign_access(file)
    if access is not None:
        return warn("settings file", f"{file}: {access}", f"Make it yours alone: chmod 600 {file}")
    return ok("settings file", str(file))


def _folder(subject: str, folder: Path, source: str) -> Iterator[Result]:
    # The folder is created when it is needed; until then, the one above it must let us.
    present = next(path for path in (folder, *folder.parents) if path.exists())
    if not present.is_dir() or not os.access(present, os.W_OK | os.X_OK):
        yield failed(
            subject,
            f"{present} is no folder that you can write to ({source})",
            _CHOOSE,
        )
        return
    size, count = size_of(folder) if subject == "cache" else (0, 0)
    content = f", {readable_size(size)} in {count} file{'' if count == 1 else 's'}" if count else ""
    free = _free_space(present)
    if free is not None and free < _FREE:
        yield warn(subject, f"{folder}: {readable_size(free)} free", "Make room on the disk.")
    else:
        yield ok(subject, f"{folder} ({source}){content}")


def _damaged(folder: Path) -> Iterator[Result]:
    for file in sorted(folder.glob("*.sqlite")):
        damage = damage_of(file)
        if damage is not None:
            advice = "Delete the file: its responses are fetched again. If this recurs, check the disk."
            yield warn("cache", f"{file} is damaged ({damage})", advice)


def _free_space(folder: Path) -> int | None:
    import shutil

    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _token_folder() -> Result:
    folder = user_folder("config") / "tokens"
    for file in sorted(folder.glob("*.json")) if folder.exists() else ():
        access = foreign_access(file) or _readers(file)
        if access is not None:
            return failed("token files", f"{file}: {access}", f"Log in again, or make it yours alone: chmod 600 {file}")
    return ok("token files", f"{folder}, readable by you alone" if folder.exists() else "none yet")


def _readers(file: Path) -> str | None:
    """Describe who else can read a file; None if nobody can, or the system does not tell."""
    mode = stat.S_IMODE(file.stat().st_mode)
    if sys.platform == "win32" or not mode & (stat.S_IRGRP | stat.S_IROTH):
        return None
    return f"other users can read it (mode {mode:04o})"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def message(error: BaseException) -> Any:
    """Return the text of an error for a result."""
    is_ours = isinstance(error, AlyxError | ConfigurationError)
    return str(error) if is_ours else f"{type(error).__name__}: {error}"
