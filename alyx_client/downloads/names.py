"""Local names of downloaded files: names that stay in their folder and that every operating system accepts."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote_to_bytes

from alyx_client.errors import InvalidFileNameError
from alyx_client.storage.file_system import user_label

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: devices in every folder, whatever the suffix. The
# superscript digits count as digits there.
_RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{device}{digit}" for device in ("COM", "LPT") for digit in "123456789¹²³"]
)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*/\\]')
_MAX_BYTES = 255
# Leaves room for the suffixes of a partial download: ".<12 characters>.part.json~".
_MAX_PART_STEM = 220
_MAX_LABEL = 12


def local_name(url_path: str) -> str:
    """Return the name of the file that a URL path ends in.

    Parameters
    ----------
    url_path
        The percent-encoded path, without the query.

    Raises
    ------
    InvalidFileNameError
        The path ends in no file name, or in one that not every operating system accepts.
    """
    return local_names(url_path.rpartition("/")[2])[-1]


def local_names(url_path: str) -> tuple[str, ...]:
    """Return the names of the folders and the file of a URL path, decoded once and in Unicode form NFC.

    Parameters
    ----------
    url_path
        The percent-encoded path, without the query.

    Raises
    ------
    InvalidFileNameError
        One of them would leave its folder, or is a name that not every operating system accepts.
    """
    return tuple(check_name(_decode(segment)) for segment in url_path.strip("/").split("/"))


def check_name(name: str) -> str:
    """Return a name in Unicode form NFC if every operating system accepts it.

    The same rules hold everywhere, so that a folder of data can be moved from one system to another.

    Raises
    ------
    InvalidFileNameError
        The name is empty, leads to another folder, is reserved on Windows, has characters that Windows refuses, or is
        too long.
    """
    # macOS treats both Unicode forms of "é" as one name, Linux as two.
    name = unicodedata.normalize("NFC", name)
    reason = _reason_to_refuse(name)
    if reason:
        raise InvalidFileNameError(f"{name!r} cannot be the name of a downloaded file: {reason}. Nothing was written.")
    return name


def _reason_to_refuse(name: str) -> str | None:
    if not name:
        return "the URL does not end in a file name"
    if name in {".", ".."}:
        return "it leads to another folder"
    forbidden = _FORBIDDEN.search(name)
    if forbidden:
        return f"it contains the character {forbidden[0]!r}"
    if name[-1] in ". ":
        return "Windows drops a trailing dot or space"
    if name.partition(".")[0].rstrip(" ").upper() in _RESERVED:
        return "it is a device on Windows"
    if len(name.encode("utf-8", "surrogatepass")) > _MAX_BYTES:
        return f"it is longer than {_MAX_BYTES} bytes"
    return None


def _decode(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidFileNameError(
            f"{segment!r} cannot be the name of a downloaded file: it is not UTF-8. Nothing was written."
        ) from None


def name_of_bytes(name: str, first: int, count: int) -> str:
    """Return the name for a byte range of a file, so that nobody takes it for the whole file.

    Parameters
    ----------
    name
        The file's name.
    first, count
        The first byte, from 0, and the number of bytes.

    Returns
    -------
    str
        For bytes 100 to 149 of ``a.b.npy``: ``a.b.bytes-100-149.npy``.
    """
    path = Path(name)
    return check_name(f"{path.stem}.bytes-{first}-{first + count - 1}{path.suffix}")


def part_name(name: str, infix: str = "") -> str:
    """Return the name of a file's partial download, shortened where it and its companions would be too long.

    Parameters
    ----------
    name
        The file's name.
    infix
        Text before the suffix, for a partial download that must not be the shared one.
    """
    encoded = name.encode()
    if len(encoded) > _MAX_PART_STEM:
        digest = hashlib.sha256(encoded).hexdigest()[:12]
        name = f"{encoded[: _MAX_PART_STEM - 20].decode('utf-8', 'ignore')}.{digest}"
    return f"{name}{infix}.part"


def own_infix() -> str:
    """Return the infix of this user's partial downloads of files whose shared ones are another user's."""
    return f".{user_label()[:_MAX_LABEL]}"


def companions(target: Path, infix: str = "") -> list[Path]:
    """Return the paths of a file's partial download, of its metadata (finished and not), and of its lock."""
    part = part_name(target.name, infix)
    return [target.with_name(part + suffix) for suffix in ("", ".json", ".json~", ".lock")]


def case_folded(path: Path) -> str:
    """Return a text that is the same for all paths that macOS or Windows, which ignore case, take for one file."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def collisions(files: Iterable[tuple[str, Path]]) -> dict[tuple[str, Path], InvalidFileNameError]:
    """Return an error for each file that would have the same path as another one, or as its partial download.

    All of them are refused: whichever came first or last, its content would stand under another file's name.

    Parameters
    ----------
    files
        URL and local path of each file.
    """
    by_path: dict[str, list[tuple[str, Path]]] = {}
    unique = list(dict.fromkeys(files))
    for file in unique:
        by_path.setdefault(case_folded(file[1]), []).append(file)
    errors: dict[tuple[str, Path], InvalidFileNameError] = {}
    for group in by_path.values():
        for url, path in group:
            other = next((other for other, _ in group if other != url), None)
            if other is not None:
                errors[url, path] = InvalidFileNameError(
                    f"{url.partition('?')[0]} and {other.partition('?')[0]} would both be written to {path}; neither "
                    "was fetched. Pass keep_tree=True to keep the server's folders, or a target_dir for each file."
                )
    for url, path in unique:
        for companion in (*companions(path), *companions(path, own_infix())):
            for other, other_path in by_path.get(case_folded(companion), ()):
                errors[url, path] = errors[other, other_path] = InvalidFileNameError(
                    f"{url.partition('?')[0]} needs {companion} while it is fetched, which is also the file of "
                    f"{other.partition('?')[0]}; neither was fetched. Pass a target_dir for each file."
                )
    return errors
