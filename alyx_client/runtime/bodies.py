"""Bodies of requests: JSON, forms and files, made from plain Python."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast
from uuid import UUID

from alyx_client.errors import InvalidFieldError
from alyx_client.http.arguments import require
from alyx_client.http.message import FilePart, Params
from alyx_client.http.url import is_encodable
from alyx_client.runtime.coerce import Sendable, naive, plain_python, unsendable

__all__ = ["Upload", "file_part", "file_parts", "form_fields", "joined", "json_text", "plain_json"]

Upload = Path | bytes | BinaryIO
"""A file to send: its path, its content, or an open binary file."""

_SIGNATURES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"RIFF": ".webp", b"BM": ".bmp"}


def json_text(payload: object, label: str) -> str:
    """Encode a body as JSON.

    Parameters
    ----------
    payload
        Dictionaries, lists and scalars.
    label
        The call, for messages.

    Raises
    ------
    InvalidFieldError
        A number is infinite or not a number.
    """
    try:
        return json.dumps(payload, allow_nan=False)
    except RecursionError:
        raise InvalidFieldError(f"{label} was not sent: it is nested too deeply, or contains itself") from None
    except ValueError:
        raise InvalidFieldError(
            f"{label} was not sent: JSON cannot express a value that is infinite or not a number; send None instead"
        ) from None


def plain_json(value: object, name: str = "data", *, zones: bool = False) -> Any:
    """Return a value as plain JSON: values of NumPy and pandas, UUIDs, dates, paths and resources are converted.

    Parameters
    ----------
    value
        The value.
    name
        The place of the value, for messages.
    zones
        Whether date-times may have a time zone.

    Raises
    ------
    InvalidFieldError
        JSON cannot express the value; the message names its place.
    """
    return plain_python(value, name, _as_zoned_json if zones else _as_json)


def _as_zoned_json(value: date | time | Decimal | UUID | PurePath | Sendable, place: str) -> object:
    return value.isoformat() if isinstance(value, datetime) else _as_json(value, place)


def _as_json(value: date | time | Decimal | UUID | PurePath | Sendable, place: str) -> object:
    if isinstance(value, Sendable):
        return value.to_wire()
    if isinstance(value, date | time):
        return (naive(place, value) if isinstance(value, datetime) else value).isoformat()
    if not isinstance(value, Decimal):
        return str(value)
    number = float(value)
    # A number of JSON is read as a float, which has about 16 digits.
    if Decimal(repr(number)) != value:
        raise unsendable(place, f"{value} has more digits than a number in JSON; pass float(…) or str(…) of it")
    return number


def joined(value: object, name: str) -> object:
    """Return a list of texts as one, joined by commas, which Alyx of all versions reads; other values unchanged.

    Parameters
    ----------
    value
        The value of a field, as plain Python.
    name
        The field.

    Raises
    ------
    InvalidFieldError
        A text is empty or has a comma.
    """
    if not isinstance(value, list):
        return value
    items = cast("list[object]", value)
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) < len(items):
        return items
    for text in texts:
        if "," in text or not text.strip():
            raise unsendable(name, f"{text!r} cannot be one of several names, which are sent joined by commas")
    return ",".join(texts)


def form_fields(payload: Mapping[str, Any], label: str, lists: Collection[str] | None = None) -> Params:
    """Encode a body as the fields of a multipart form; Alyx reads structured values as JSON text.

    A list field is sent once for each item, as Django REST framework reads it.

    Parameters
    ----------
    payload
        The body as plain JSON.
    label
        The call, for messages.
    lists
        The names of the list fields; None if they are unknown, so that lists of text are taken for list fields.

    Raises
    ------
    InvalidFieldError
        A list is empty, which a form cannot express, or a value cannot be sent.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in payload.items():
        if value is None:
            pairs.append((name, ""))  # a form has no null: Django REST framework reads an empty field as one
        elif isinstance(value, str):
            pairs.append((name, value))
        elif isinstance(value, list) and _is_repeated(name, cast("list[object]", value), lists):
            items = cast("list[object]", value)
            if not items:
                raise InvalidFieldError(f"{label}: {name}=[] cannot be sent beside a file; send it in another call")
            pairs.extend((name, item if isinstance(item, str) else json_text(item, label)) for item in items)
        else:
            pairs.append((name, json_text(cast("object", value), label)))
    for name, text in pairs:
        if not is_encodable(name + text):
            raise InvalidFieldError(
                f"{label} was not sent: {name} contains half a surrogate pair", fields={name: [text]}
            )
    return tuple(pairs)


def _is_repeated(name: str, items: Sequence[object], lists: Collection[str] | None) -> bool:
    # Nested lists and objects have no form: Alyx parses their JSON text, as it does for JSON fields.
    if lists is not None:
        return name in lists and not any(isinstance(item, dict | list) for item in items)
    return all(isinstance(item, str) for item in items)


def file_parts(files: object) -> tuple[FilePart, ...]:
    """Read the files of a multipart body.

    Parameters
    ----------
    files
        A dictionary, or pairs, of form field and file. A file is its path, its content, an open binary file, or a tuple
        of file name, one of these and, optionally, media type.

    Raises
    ------
    InvalidFieldError
        The argument is of another form, or there is no such file.
    """
    try:
        pairs: Any = cast("Mapping[str, Any]", files).items() if isinstance(files, Mapping) else files
        return tuple(_named_part(name, upload) for name, upload in pairs)
    except InvalidFieldError:
        raise
    except Exception:  # also of the caller's own iterators
        raise InvalidFieldError("files takes a dictionary such as {'image': Path('brain.png')}") from None


def _named_part(name: str, upload: Any) -> FilePart:
    require("files (its keys)", name, str, "text")
    if not isinstance(upload, tuple):
        return file_part(name, upload)
    filename, content, *kind = cast("Sequence[Any]", upload)
    if not isinstance(filename, str | PurePath):
        raise unsendable(name, f"the name of a file is text, not a {type(filename).__name__}")
    part = file_part(name, content)
    guessed = mimetypes.guess_type(str(filename))[0] or part.content_type
    return _part(name, str(filename), part.content, str(kind[0]) if kind else guessed)


def file_part(name: str, upload: Upload | FilePart) -> FilePart:
    """Read a file to send, once: the second time, an open file would be at its end.

    Parameters
    ----------
    name
        The form field.
    upload
        The file's path, its content, or an open binary file; a part that was read before is returned unchanged.

    Raises
    ------
    InvalidFieldError
        There is no such file.
    """
    if isinstance(upload, FilePart):
        return upload
    try:
        filename, content = _name_and_content(name, upload)
    except InvalidFieldError:
        raise
    except Exception as error:  # a closed file, or methods of the caller's own objects
        raise unsendable(name, f"a {type(upload).__name__} cannot be read ({type(error).__name__})") from error
    # Bytes and anonymous files have no name to take the extension from.
    if "." not in filename:
        filename += _extension(content)
    return _part(name, filename, content, mimetypes.guess_type(filename)[0] or "application/octet-stream")


def _part(name: str, filename: str, content: bytes, media_type: str) -> FilePart:
    if not is_encodable(name + filename + media_type):
        raise InvalidFieldError(f"files: {name!r} contains half a surrogate pair", fields={name: ["not characters"]})
    return FilePart(name, filename, content, media_type)


def _name_and_content(name: str, upload: Any) -> tuple[str, bytes]:
    if isinstance(upload, bytes | bytearray | memoryview):
        return name, bytes(cast("bytes", upload))
    if isinstance(upload, str | os.PathLike):
        return _read_path(name, Path(cast("str | os.PathLike[str]", upload)))
    return Path(str(getattr(upload, "name", name))).name, _content(name, upload)


def _content(name: str, upload: object) -> bytes:
    read = getattr(upload, "read", None)
    if read is None:
        raise unsendable(name, f"a {type(upload).__name__} is not a file; pass its path, its content or an open file")
    content: object = read()
    if not isinstance(content, bytes):
        raise unsendable(name, "the file is open in text mode; open it with mode 'rb'")
    return content


def _read_path(name: str, path: Path) -> tuple[str, bytes]:
    try:
        if "\0" not in str(path) and path.is_file():
            return path.name, path.read_bytes()
    except OSError as error:
        message = f"{name}: the file {path} cannot be read ({error.strerror})"
        raise InvalidFieldError(message, fields={name: ["cannot be read"]}) from error
    raise InvalidFieldError(f"{name}: there is no file {path}", fields={name: ["no such file"]})


def _extension(content: bytes) -> str:
    # The server stores an upload under its extension, and refuses images without one.
    return next((extension for start, extension in _SIGNATURES.items() if content.startswith(start)), "")
