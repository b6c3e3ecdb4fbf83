"""What a downloaded file is called here: names that stay in their folder and that every system can hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from alyx_client.errors import InvalidFileNameError

_RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{device}{digit}" for device in ("COM", "LPT") for digit in "123456789¹²³"]
)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*/\\]')
_LONGEST = 255
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def quote_link(path: str) -> str:
    """Quote a URL's path as it is written in links and in Alyx's records, where ``#`` may be part of a name.

    What is percent-encoded already keeps its meaning.
    """
    return quote(_ESCAPE.sub("%25", path), safe="/%:@!$&'()*+,;=~")


def local_name(url_path: str) -> str:
    """Return the name of the file that a URL's path ends in.

    Parameters
    ----------
    url_path
        The path, percent-encoded, without the query.

    Raises
    ------
    InvalidFileNameError
        It names no file, or one that not every system can hold.
    """
    return local_names(url_path.rpartition("/")[2])[-1]


def local_names(url_path: str) -> tuple[str, ...]:
    """Return the names of the folders and the file on a URL's path, each decoded once and in Unicode's form NFC.

    Parameters
    ----------
    url_path
        The path, percent-encoded, without the query.

    Raises
    ------
    InvalidFileNameError
        One of them would leave its folder, or not every system can hold it.
    """
    return tuple(check_name(_decoded(segment)) for segment in url_path.strip("/").split("/"))


def check_name(name: str) -> str:
    """Return a name in form NFC if it is one that every system can hold.

    Raises
    ------
    InvalidFileNameError
        It is empty, leads to another folder, is reserved on Windows, has characters that Windows refuses, or is too
        long.
    """
    name = unicodedata.normalize("NFC", name)
    why = _fault(name)
    if why:
        raise InvalidFileNameError(f"{name!r} cannot be the name of a downloaded file: {why}. Nothing was written.")
    return name


def _fault(name: str) -> str | None:
    if not name:
        return "the address does not end in a name"
    if name in {".", ".."}:
        return "it leads to another folder"
    found = _FORBIDDEN.search(name)
    if found:
        return f"it has the character {found[0]!r}"
    if name[-1] in ". ":
        return "Windows drops a dot or space at its end"
    if name.partition(".")[0].rstrip(" ").upper() in _RESERVED:
        return "it is a device on Windows"
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST:
        return f"it is longer than {_LONGEST} bytes"
    return None


def _decoded(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidFileNameError(
            f"{segment!r} cannot be the name of a downloaded file: it is not UTF-8. Nothing was written."
        ) from None


def name_of_bytes(name: str, first: int, count: int) -> str:
    """Return the name for some bytes of a file, so that they are not taken for the whole of it.

    Parameters
    ----------
    name
        The file's name.
    first, count
        The first byte, from 0, and how many.

    Returns
    -------
    str
        For bytes 100 to 149 of ``a.b.npy``: ``a.b.bytes-100-149.npy``.
    """
    path = Path(name)
    return check_name(f"{path.stem}.bytes-{first}-{first + count - 1}{path.suffix}")


def same_on_some_systems(path: Path) -> str:
    """Return what two paths have in common if a system that ignores case takes them for the same file."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def collisions(files: Iterable[tuple[str, Path]]) -> dict[tuple[str, Path], InvalidFileNameError]:
    """Return an error for each file that would have the same path as another one.

    All of them are refused, so that no file has a name that may be another one's.

    Parameters
    ----------
    files
        The URL and the local path of each.
    """
    same_path: dict[str, list[tuple[str, Path]]] = {}
    for file in dict.fromkeys(files):
        same_path.setdefault(same_on_some_systems(file[1]), []).append(file)
    errors: dict[tuple[str, Path], InvalidFileNameError] = {}
    for group in same_path.values():
        for url, path in group:
            other = next((other for other, _ in group if other != url), None)
            if other is not None:
                errors[url, path] = InvalidFileNameError(
                    f"{url.partition('?')[0]} and {other.partition('?')[0]} would both become {path}; neither was "
                    "fetched. Pass keep_tree=True to keep the server's folders, or a target_dir for each."
                )
    return errors
