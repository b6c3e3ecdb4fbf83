"""Bodies of requests made from plain Python: JSON, forms and files."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast
from uuid import UUID

from alyx_client.errors import InvalidFieldError
from alyx_client.http.message import FilePart, Params
from alyx_client.runtime.coerce import is_list, naive, plain_python

__all__ = ["Upload", "file_part", "file_parts", "form_fields", "json_text", "plain_json"]

Upload = Path | bytes | BinaryIO
"""A file to send: its path, its content, or an open binary file."""

_SIGNATURES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"RIFF": ".webp", b"BM": ".bmp"}


def json_text(payload: object, what: str) -> str:
    """Return JSON.

    Parameters
    ----------
    payload
        Dictionaries, lists and scalars.
    what
        Whose body it is, for messages.

    Raises
    ------
    InvalidFieldError
        A number is infinite or not a number.
    """
    try:
        return json.dumps(payload, allow_nan=False)
    except ValueError:
        raise InvalidFieldError(
            f"{what} was not sent: a value is infinite or not a number, which JSON cannot hold; send None in its place"
        ) from None


def plain_json(value: object, name: str = "data") -> Any:
    """Return a value as JSON knows it: NumPy's, UUIDs, dates, paths and records among them.

    Parameters
    ----------
    value
        The value.
    name
        Where it stands, for messages.

    Raises
    ------
    InvalidFieldError
        JSON has nothing for it; the message says where it stands.
    """
    value = plain_python(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, UUID | PurePath):
        return str(value)
    if isinstance(value, datetime):
        try:
            return naive(name, value).isoformat()
        except ValueError as error:
            raise InvalidFieldError(str(error), fields={name: ["has a time zone"]}) from None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {str(plain_python(key)): plain_json(item, f"{name}[{key!r}]") for key, item in items}
    if is_list(value) and not isinstance(value, bytearray | memoryview):
        return [plain_json(item, f"{name}[{place}]") for place, item in enumerate(cast("Iterable[object]", value))]
    other = cast("Any", value)
    if hasattr(other, "to_wire"):
        return other.to_wire()
    kind = type(other).__name__
    raise InvalidFieldError(f"{name}: a {kind} cannot be sent as JSON", fields={name: ["cannot be sent as JSON"]})


def form_fields(payload: Mapping[str, Any], what: str, lists: Collection[str] | None = None) -> Params:
    """Return the fields of a multipart body; structured values as JSON text, as Alyx reads them.

    A list field is sent once for each item, as Django REST framework reads it.

    Parameters
    ----------
    payload
        The body as plain JSON.
    what
        Whose body it is, for messages.
    lists
        The names of the list fields, where the fields are known; otherwise lists of text are taken for such.

    Raises
    ------
    InvalidFieldError
        A list is empty, which a form cannot say, or a value cannot be sent.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in payload.items():
        if value is None:
            pairs.append((name, ""))
        elif isinstance(value, str):
            pairs.append((name, value))
        elif isinstance(value, list) and _is_repeated(name, cast("list[object]", value), lists):
            items = cast("list[object]", value)
            if not items:
                raise InvalidFieldError(f"{what}: {name}=[] cannot be sent beside a file; send it in a call of its own")
            pairs.extend((name, item if isinstance(item, str) else json_text(item, what)) for item in items)
        else:
            pairs.append((name, json_text(cast("object", value), what)))
    return tuple(pairs)


def _is_repeated(name: str, items: Sequence[object], lists: Collection[str] | None) -> bool:
    if lists is not None:
        return name in lists and not any(isinstance(item, dict | list) for item in items)
    return all(isinstance(item, str) for item in items)


def file_parts(files: object) -> tuple[FilePart, ...]:
    """Return the files of a multipart body.

    Parameters
    ----------
    files
        A dictionary, or pairs, of form field and file. A file is its path, its content, an open binary file, or a tuple
        of file name, one of these and, if wanted, media type.

    Raises
    ------
    InvalidFieldError
        They are of another form, or there is no such file.
    """
    given = cast("Any", files)
    pairs = cast("Any", given.items() if isinstance(given, Mapping) else given)
    try:
        return tuple(_named_part(name, upload) for name, upload in pairs)
    except (TypeError, ValueError) as error:
        if isinstance(error, InvalidFieldError):
            raise
        raise InvalidFieldError("files takes a dictionary such as {'image': Path('brain.png')}") from None


def _named_part(name: str, upload: Any) -> FilePart:
    if not isinstance(upload, tuple):
        return file_part(name, upload)
    filename, content, *kind = cast("Sequence[Any]", upload)
    part = file_part(name, content)
    guessed = mimetypes.guess_type(str(filename))[0] or part.content_type
    return FilePart(name, str(filename), part.content, str(kind[0]) if kind else guessed)


def file_part(name: str, upload: Upload | FilePart) -> FilePart:
    """Read a file to send, once: an open one would be at its end the second time.

    Parameters
    ----------
    name
        The form field.
    upload
        The file's path, its content, or an open binary file; what was read before comes back as it is.

    Raises
    ------
    InvalidFieldError
        There is no such file.
    """
    if isinstance(upload, FilePart):
        return upload
    if isinstance(upload, bytes | bytearray | memoryview):
        filename, content = name, bytes(upload)
    elif isinstance(upload, str | os.PathLike):
        path = Path(upload)
        if not path.is_file():
            raise InvalidFieldError(f"{name}: there is no file {path}", fields={name: ["no such file"]})
        filename, content = path.name, path.read_bytes()
    else:
        filename, content = Path(str(getattr(upload, "name", name))).name, upload.read()
    if "." not in filename:
        filename += _extension(content)
    return FilePart(name, filename, content, mimetypes.guess_type(filename)[0] or "application/octet-stream")


def _extension(content: bytes) -> str:
    # The server stores an upload under its extension, and refuses an image without one.
    return next((extension for start, extension in _SIGNATURES.items() if content.startswith(start)), "")
