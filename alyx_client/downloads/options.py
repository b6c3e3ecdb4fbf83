"""Options of a download, checked before anything is fetched."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import field
from pathlib import Path
from typing import TypedDict, cast

from alyx_client.http.arguments import require_folder, require_text, shown
from alyx_client.http.suggestions import suggest
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.coerce import is_list, plain_python, several

Folder = str | os.PathLike[str]

_DEFAULT_THREADS = 8
# RFC 9110, section 5: a name is a token; values are sent as ASCII, and a line break would begin another header.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
# Headers that the download itself sets: another Range or encoding would yield other bytes than it reckons with.
_RESERVED_HEADERS = frozenset({"range", "if-range", "accept-encoding", "host"})


class DownloadOptions(TypedDict, total=False):
    """Keyword arguments of a download, described in `FileApi.download_file`."""

    target_dir: Folder | Sequence[Folder] | None
    keep_tree: bool
    clobber: bool
    chunks: tuple[int, int] | None
    return_md5: bool
    verify: bool
    silent: bool | None
    headers: Mapping[str, str] | None
    username: str | None
    password: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a call that apply to all of its files.

    Parameters
    ----------
    target_dir, keep_tree, clobber, chunks, return_md5, verify, silent, headers, username, password
        As for `FileApi.download_file`.

    Raises
    ------
    TypeError, ValueError
        `headers` or `chunks` cannot be used.
    """

    target_dir: Folder | Sequence[Folder] | None = None
    keep_tree: bool = False
    clobber: bool = False
    chunks: tuple[int, int] | None = None
    return_md5: bool = False
    verify: bool = False
    silent: bool | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check_headers(self.headers)
        require_text("username", self.username)
        require_text("password", self.password)
        object.__setattr__(self, "chunks", _byte_range(self.chunks))


def read_options(options: DownloadOptions) -> Options:
    """Return the options of a call.

    Raises
    ------
    TypeError, ValueError
        There is no such option, or it cannot be used.
    """
    names = DownloadOptions.__annotations__
    unknown = [name for name in options if name not in names]
    if unknown:
        raise TypeError(f"download_file() has no argument {unknown[0]!r}. {suggest(unknown[0], names)}")
    return Options(**options)


def read_folders(
    target_dir: Folder | Sequence[Folder] | None, count: int, default: Callable[[], Path]
) -> Path | list[Path]:
    """Return the folder for all files, or a list with the folder of each.

    Parameters
    ----------
    target_dir
        The argument of the call.
    count
        Number of sources.
    default
        Returns the folder for files that have no other.

    Raises
    ------
    TypeError
        The argument is neither a folder nor a list of folders.
    ValueError
        It has more or fewer folders than there are sources.
    """
    if target_dir is None or isinstance(target_dir, str | os.PathLike):
        require_folder("target_dir", target_dir)
        return Path(target_dir).expanduser() if target_dir else default()
    if not is_list(target_dir):
        raise _not_a_folder(target_dir)
    # Expanded when its file is planned: a user who does not exist is a fault of that item alone.
    paths = [default() if folder in (None, "") else _path(folder) for folder in several(target_dir, "target_dir")]
    if len(paths) != count:
        raise ValueError(f"target_dir has {len(paths)} folders for {count} sources; pass one, or one for each.")
    return paths


def thread_count(threads: int | None) -> int:
    """Return the maximum number of threads: the one passed, that of ``ONE_HTTP_DL_THREADS``, or 8."""
    if threads is None:
        text = os.environ.get("ONE_HTTP_DL_THREADS", "").strip()
        threads = int(text) if re.fullmatch(r"[0-9]{1,4}", text) else _DEFAULT_THREADS
    return max(1, threads)


def _path(folder: object) -> Path:
    if not isinstance(folder, str | os.PathLike):
        raise _not_a_folder(folder)
    return Path(cast("Folder", folder))


def _not_a_folder(value: object) -> TypeError:
    return TypeError(f"target_dir: pass the path of a folder, or a list with one for each file, not {_type(value)}.")


def _byte_range(chunks: tuple[int, int] | None) -> tuple[int, int] | None:
    if chunks is None:
        return None
    try:
        # A text has characters, and sets and dictionaries have no order that tells the two apart.
        if not is_list(chunks) or isinstance(cast("object", chunks), Set):
            raise TypeError
        first, count = map(_whole, chunks)
    except Exception as error:  # also of the caller's own numbers
        kind = ValueError if isinstance(error, ValueError | OverflowError) else TypeError
        raise kind(f"chunks={shown(chunks)}: pass two numbers, the first byte and the number of bytes.") from None
    if not (0 <= first <= sys.maxsize and 1 <= count <= sys.maxsize):
        first, count = max(-1, min(first, sys.maxsize)), max(-1, min(count, sys.maxsize))
        raise ValueError(f"chunks=({first}, {count}): pass the first byte, from 0, and the number of bytes, from 1.")
    return first, count


def _whole(number: object) -> int:
    """Return a number of bytes, also from one of NumPy; errors for anything else, fractions among them."""
    plain = plain_python(number, "chunks")
    if isinstance(plain, bool) or not isinstance(plain, int | float | str):
        raise TypeError
    if plain != int(plain) and not isinstance(plain, str):
        raise ValueError
    return int(plain)


def _check_headers(headers: object) -> None:
    """Raise an error if headers that a user passed cannot be sent; their values, perhaps secret, are not shown."""
    if headers is None:
        return
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers: pass a dictionary of names and values, not an object of type {_type(headers)}.")
    for name, value in cast("Mapping[object, object]", headers).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"headers: {name!r} must be a text with a text as its value, not {_type(value)}.")
        if name.lower() in _RESERVED_HEADERS:
            raise ValueError(f"headers: {name} cannot be passed; request a range of bytes with chunks=.")
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"headers: {name!r} is not a valid header name.")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"headers: the value of {name} contains characters that headers cannot have.")


def _type(value: object) -> str:
    return type(value).__name__
