"""Reading schemas from a server, a file, or one of the shipped snapshots."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from alyx_client.client import BaseClient
from alyx_client.http.flow import drive
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.token_scheme import ALYX_TOKENS, TokenScheme
from alyx_client.http.url import normalise_base_url
from alyx_client.schema.coreapi import is_core_api
from alyx_client.schema.location import fetch_schema
from alyx_client.schema.openapi import as_schema
from alyx_generator.source.files import with_files
from alyx_generator.source.openapi import Document, JSONDict
from alyx_generator.source.paths import snapshots
from alyx_generator.source.validate import UnreadableSchemaError
from alyx_generator.source.yaml_text import UnreadableYAMLError, load_yaml

SourceKind = Literal["server", "snapshot", "file"]


class UnknownSourceError(ValueError):
    """A source is neither a server's address, nor a file, nor the name of a snapshot."""


@dataclass(frozen=True)
class SchemaSource:
    """The origin of a schema.

    Parameters
    ----------
    kind
        ``server``, ``snapshot`` or ``file``.
    where
        The server's address in its normal form, the snapshot's name, or the file's path.
    """

    kind: SourceKind
    where: str

    def __str__(self) -> str:
        if self.kind == "snapshot":
            return f"Alyx {snapshots()[self.where].stem.removeprefix('alyx-')}"
        return Path(self.where).name if self.kind == "file" else self.where


@dataclass(frozen=True)
class Access:
    """What a server requires besides its address.

    Parameters
    ----------
    token
        A token; by default from the client's own sources.
    scheme
        The way in which the server takes tokens.
    headers
        Header fields, such as those of a gateway; by default from the client's own sources.
    """

    token: str | None = field(default=None, repr=False)
    scheme: TokenScheme = ALYX_TOKENS
    headers: OwnHeaders | None = None


class _Client(BaseClient):
    """A client of a server that takes tokens in its own way."""

    def __init__(self, url: str, access: Access) -> None:
        self._token_scheme = access.scheme
        headers = None if access.headers is None else dict(access.headers)
        # Without the response cache: the schema is wanted as it is now.
        super().__init__(url, token=access.token, cache_rest=None, headers=headers)


def read_source(text: str) -> SchemaSource:
    """Return the source that a user means.

    Parameters
    ----------
    text
        A server's address with its scheme, a snapshot's name (``shipped``, ``3.6.1``), or the path of a file.

    Raises
    ------
    UnknownSourceError
        It is none of these.
    """
    if text.lower().startswith(("http://", "https://")):
        try:
            return SchemaSource("server", normalise_base_url(text))
        except ValueError as error:
            raise UnknownSourceError(str(error)) from None
    if text in snapshots():
        return SchemaSource("snapshot", text)
    if Path(text).is_file():
        return SchemaSource("file", text)
    names = ", ".join(snapshots())
    raise UnknownSourceError(
        f"{text!r} is neither a file nor a shipped snapshot ({names}). A server's address starts with https://"
    )


def download(source: SchemaSource, access: Access | None = None) -> bytes:
    """Return a schema document as it is published.

    Parameters
    ----------
    source
        Where it is. From a server without an OpenAPI document, the CoreAPI document is requested.
    access
        What the server requires.

    Raises
    ------
    AlyxError
        The server did not respond, or not with its schema.
    OSError
        The file cannot be read.
    """
    if source.kind == "server":
        with _Client(source.where, access or Access()) as client:
            return drive(fetch_schema(), lambda send: client.send(send.request)).content
    return (snapshots()[source.where] if source.kind == "snapshot" else Path(source.where)).read_bytes()


def decode(content: bytes, called: object) -> JSONDict:
    """Decode a schema document.

    Parameters
    ----------
    content
        The document.
    called
        Its name in messages.

    Raises
    ------
    UnreadableSchemaError
        It is neither JSON nor YAML, or no object.
    """
    document = _decoded(content, called)
    if not isinstance(document, Mapping):
        raise UnreadableSchemaError(f"{called}: the schema is not a JSON object")
    result = dict(as_schema(document))
    if isinstance(called, SchemaSource) and called.kind == "file":
        return with_files(result, Path(called.where), lambda path: _decoded(path.read_bytes(), path.name))
    return result


def _decoded(content: bytes, called: object) -> Any:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        # What Windows PowerShell 5 writes if the output of `fetch` is redirected to a file.
        content = content.decode("utf-16", "replace").encode()
    start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise UnreadableSchemaError(f"{called}: the schema is empty")
    # A page of HTML would be text in YAML, and what starts like JSON was meant to be JSON.
    is_json = start[:1] in (b"{", b"[", b"<") or b":" not in content
    try:
        return json.loads(content) if is_json else load_yaml(content.decode("utf-8-sig"))
    except (UnreadableYAMLError, UnicodeError) as error:
        raise UnreadableSchemaError(f"{called}: the schema is neither JSON nor YAML: {error}") from None
    except (ValueError, RecursionError) as error:
        problem = _about_json(error, content)
        if start.startswith(b"<"):
            problem = ", but an HTML page: is this an Alyx server, or does a proxy require a login?"
        raise UnreadableSchemaError(f"{called}: the schema is not JSON{problem}") from None


def _about_json(error: Exception, content: bytes) -> str:
    if isinstance(error, RecursionError):
        return " that can be read: it nests too deeply"
    if content.rstrip()[-1:] not in (b"}", b"]"):
        return ": its end is missing; fetch it again"
    return f": {error}"


def document_format(document: Document, called: object) -> str:
    """Return the format of a schema document: ``OpenAPI 3.0.3``, or ``CoreAPI``.

    Raises
    ------
    UnreadableSchemaError
        It is neither.
    """
    if is_core_api(document):
        return "CoreAPI"
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise UnreadableSchemaError(f"{called}: this is neither an OpenAPI 3 document nor a CoreAPI document")
    return f"OpenAPI {version}"


def fetch(source: str, access: Access | None = None) -> JSONDict:
    """Return a schema document, decoded.

    Parameters
    ----------
    source
        A server's address, a snapshot's name, or a file's path.
    access
        What the server requires.

    Raises
    ------
    UnknownSourceError
        It is none of these.
    UnreadableSchemaError
        The document is not a JSON object.
    AlyxError
        The server did not respond, or not with its schema.
    OSError
        The file cannot be read.
    """
    resolved = read_source(source)
    return decode(download(resolved, access), resolved)
