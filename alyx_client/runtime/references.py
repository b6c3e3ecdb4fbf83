"""Records in place of keys: a record is taken wherever its key, or a reference to it, is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from types import NoneType
from typing import Annotated, Any, ClassVar, Generic, TypeGuard, TypeVar, cast, get_args
from urllib.parse import unquote, urlsplit
from uuid import UUID

from pydantic import GetCoreSchemaHandler, GetPydanticSchema
from pydantic_core import CoreSchema

from alyx_client.errors import ForeignURLError, InvalidKeyError
from alyx_client.http.url import is_https_upgrade, redact_url, same_origin, split_url
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.coerce import entries, several
from alyx_client.runtime.placeholders import FIELDS, Placeholder
from alyx_client.schema.naming import endpoint_name

__all__ = [
    "Origin",
    "PendingRecord",
    "RecordOf",
    "RecordOr",
    "RecordsOr",
    "Reference",
    "filters_with_keys",
    "has_records",
    "is_record",
    "key_of_record",
    "key_of_url",
    "keys_of_records",
    "lookups_of_records",
    "origin_of",
    "refuse_foreign_records",
    "urls_of_records",
]

_KEYS = frozenset({"acronym", "name", "nickname", "username"})
"""Fields other than the primary key by which Alyx finds records."""
# Most values are of these types, and to ask whether one is a mapping takes ten times as long.
_KEY_TYPES = frozenset({str, UUID, int, NoneType})

E_contra = TypeVar("E_contra", bound=str, contravariant=True)
KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True)
class Origin:
    """The place of a record on its server.

    Parameters
    ----------
    endpoint
        The endpoint that it is a record of.
    key
        The field that it is looked up by.
    only_read
        The fields that a list row lacks, and the record that ``read`` returns has.
    can_change
        Whether the endpoint has ``partial_update``.
    """

    endpoint: str
    key: str = "id"
    only_read: tuple[str, ...] = ()
    can_change: bool = False


class RecordOf(Generic[E_contra]):
    """A record of one endpoint, which is taken wherever a key of that endpoint is."""

    __slots__ = ()
    _origin: ClassVar[Origin]


class PendingRecord(RecordOf[Any]):
    """A record that a write which waits in the outbox creates or changes; taken wherever a key of it is.

    Parameters
    ----------
    token
        The write.
    endpoint
        The endpoint that it is a record of.
    """

    __slots__ = ("endpoint", "token")

    def __init__(self, token: str, endpoint: str) -> None:
        self.token = token
        self.endpoint = endpoint

    def __contains__(self, name: object) -> bool:
        return name in FIELDS

    def placeholder(self, reference: Reference, place: str) -> str:
        """Return the text that stands for a key of the record until it is sent.

        Raises
        ------
        InvalidKeyError
            It is a record of another endpoint, or records are not referred to by that field.
        """
        if reference.endpoint not in ("", self.endpoint):
            raise InvalidKeyError(f"{place}: this is a record of {self.endpoint}, not of {reference.endpoint}")
        if reference.field not in FIELDS:
            raise InvalidKeyError(f"{place}: the {reference.field} of a record that waits in the outbox is not known")
        return str(Placeholder(self.token, reference.field))


def _key_alone(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    # Records are replaced by their keys before pydantic sees the value.
    return handler(get_args(source)[0])


RecordOr = Annotated[KeyT | RecordOf[E_contra], GetPydanticSchema(_key_alone)]
"""A key to send, or the record itself."""
RecordsOr = Annotated[
    list[KeyT] | Sequence[RecordOf[E_contra]] | list[KeyT | RecordOf[E_contra]], GetPydanticSchema(_key_alone)
]
"""Keys to send, or the records themselves."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A filter, or a field of a body, that refers to a record.

    Parameters
    ----------
    endpoint
        The endpoint of the record; empty if any record may be referred to.
    field
        The field of the record that is sent in its place.
    """

    endpoint: str
    field: str


def key_of_url(url: str) -> str:
    """Return the lookup key that a record's URL ends in.

    Parameters
    ----------
    url
        The record's URL, as the server sends it.
    """
    return unquote(split_url(url).path.rstrip("/").rpartition("/")[2])


def is_record(value: object) -> TypeGuard[Mapping[str, object] | RecordOf[Any]]:
    """Return whether a value is a record, typed or as a dictionary."""
    return type(value) not in _KEY_TYPES and isinstance(value, RecordOf | Mapping)


def has_records(value: object) -> bool:
    """Return whether a value is a record, or several values with a record among them; an iterator is not read."""
    try:
        return is_record(value) or (
            _is_several(value) and not isinstance(value, Iterator) and any(map(is_record, value))
        )
    except Exception:  # of the caller's own; whoever sends the value reports it
        return False


def origin_of(record: object) -> Origin | None:
    """Return the place of a typed record; None if it is unknown, as for dictionaries and most nested records."""
    return getattr(type(record), "_origin", None)


def key_of_record(
    record: Mapping[str, object] | RecordOf[Any], reference: Reference, place: str, base_url: str | None = None
) -> object:
    """Return the value that refers to a record.

    Parameters
    ----------
    record
        The record, typed or as a dictionary.
    reference
        The endpoint that it must be of, and the field to return.
    place
        The argument, for messages.
    base_url
        The server that it must be of; None if it is unknown.

    Raises
    ------
    InvalidKeyError
        It is a record of another endpoint, or lacks the field.
    ForeignURLError
        It is a record of another server.
    """
    if isinstance(record, PendingRecord):
        return record.placeholder(reference, place)
    url = _own_url(record, reference.endpoint, base_url)
    _check_endpoint(record, reference, url, place)
    if url is not None and base_url is not None:
        refuse_foreign_records({place: [url]}, base_url)
    value = _field(record, reference.field)
    if value is None and url is not None:
        key = key_of_url(url)
        value = key if reference.field != "id" or _is_key(key) else None
    if value is None:
        raise InvalidKeyError(f"{place}: this {_described(record)} has no {reference.field}, which is to be sent")
    return str(value) if isinstance(value, UUID) else value


def keys_of_records(value: object, reference: Reference, place: str, base_url: str | None = None) -> object:
    """Return a value with the records in it, one or several, replaced by what refers to them.

    The parameters and errors are those of `key_of_record`; what is not a record is returned unchanged.
    """
    if is_record(value):
        return key_of_record(value, reference, place, base_url)
    if not _is_several(value):
        return value
    items = several(value, place)
    if not any(map(is_record, items)):
        return items if isinstance(value, Iterator) else value
    return [
        key_of_record(item, reference, f"{place}[{index}]", base_url) if is_record(item) else item
        for index, item in enumerate(items)
    ]


def lookups_of_records(spec: object, base_url: str | None = None) -> object:
    """Return the lookups of ``django`` with the keys of records in place of the records.

    A relation is compared with the primary key, ``subject__nickname`` with the field of that name.

    Parameters
    ----------
    spec
        Values by lookup; anything else is returned unchanged.
    base_url
        The server; None if it is unknown.

    Raises
    ------
    InvalidKeyError, ForeignURLError
        A record has no primary key, or is of another server.
    """
    if not isinstance(spec, Mapping):
        return spec
    lookups = cast("Mapping[str, object]", spec)
    return {name: _lookup_of_records(name, value, base_url) for name, value in entries(lookups, "django")}


def filters_with_keys(
    filters: Mapping[str, object], references: Mapping[str, Reference], base_url: str, endpoint: str
) -> Mapping[str, object]:
    """Return filters with the keys of records in place of the records.

    Parameters
    ----------
    filters
        Values by filter.
    references
        The records that filters refer to.
    base_url, endpoint
        The server, and the endpoint's name, for messages.
    """
    keys = {
        name: keys_of_records(filters[name], reference, f"{endpoint}: {name}", base_url)
        for name, reference in references.items()
        if filters.get(name) is not None
    }
    if filters.get("django") is not None:
        keys["django"] = lookups_of_records(filters["django"], base_url)
    return {**filters, **keys} if keys else filters


def _lookup_of_records(lookup: str, value: object, base_url: str | None) -> object:
    if not has_records(value):
        return value
    words = str(lookup).split("__")
    name = words[-2] if words[-1] in ("in", "exact") and len(words) > 1 else words[-1]
    records = [value] if is_record(value) else [item for item in cast("Iterable[object]", value) if is_record(item)]
    has_key = name in _KEYS and all(name in cast("Mapping[str, object]", record) for record in records)
    return keys_of_records(value, Reference("", name if has_key else "id"), f"django: {lookup}", base_url)


def urls_of_records(value: object, reference: Reference) -> list[str]:
    """Return the URLs of the records in a value, one or several; an iterator is left for its reader."""
    items = value if _is_several(value) and not isinstance(value, Iterator) else [value]
    urls = [_own_url(item, reference.endpoint, None) for item in items if is_record(item)]
    return [url for url in urls if url is not None]


def refuse_foreign_records(urls: Mapping[str, Iterable[str]], base_url: str) -> None:
    """Refuse records of another server, where the same key may be that of another record.

    Parameters
    ----------
    urls
        The URLs of records by the argument that they were passed as.
    base_url
        The server.

    Raises
    ------
    ForeignURLError
        A record is of another server.
    """
    for place, of_place in urls.items():
        for url in of_place:
            if not _same_server(url, base_url):
                raise ForeignURLError(f"{place}: {redact_url(url)} is a record of another server than {base_url}")


def _is_several(value: object) -> TypeGuard[Iterable[object]]:
    if value is None or isinstance(value, str | bytes | UUID | int | range):
        return False
    return isinstance(value, Sequence | Set | Iterator) and not hasattr(cast("object", value), "read")


def _own_url(record: object, endpoint: str, base_url: str | None) -> str | None:
    """Return the URL of a record; None for other URLs in its field ``url``, such as that of a website."""
    url = None if isinstance(record, PendingRecord) else _field(record, "url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    origin = origin_of(record)
    of = _endpoint_of_url(url)
    is_own = of in (endpoint, origin.endpoint if origin else endpoint) or (base_url and _same_server(url, base_url))
    return url if of and is_own else None


def _check_endpoint(record: object, reference: Reference, url: str | None, place: str) -> None:
    origin = origin_of(record)
    expected = reference.endpoint
    if not expected or (origin and origin.endpoint == expected) or (url and _endpoint_of_url(url) == expected):
        return
    other = origin.endpoint if origin else _endpoint_of_url(url) if url else ""
    if other:
        raise InvalidKeyError(f"{place}: this {_described(record)} is a record of {other}, not of {expected}")
    # A dictionary without a URL may be of any endpoint; the model of a typed record would say so.
    if isinstance(record, RecordOf) or hasattr(type(record), "model_fields"):
        raise InvalidKeyError(
            f"{place}: this {_described(record)} is part of another record, not a record of {expected}; "
            f"pass the {reference.field} of one"
        )


def _endpoint_of_url(url: str) -> str:
    folder = urlsplit(url).path.rstrip("/").rpartition("/")[0].rpartition("/")[2]
    return endpoint_name(folder) if folder else ""


def _same_server(url: str, base_url: str) -> bool:
    # Behind a proxy that ends TLS, Alyx may call itself http. The URL itself is not requested.
    return same_origin(url, base_url) or is_https_upgrade(url, base_url) or is_https_upgrade(base_url, url)


def _field(record: object, name: str) -> object:
    fields = cast("Mapping[str, object]", record)
    try:
        if name in fields:
            return fields[name]
    except Exception as error:  # a mapping may run the caller's code
        raise InvalidKeyError(f"this {_described(record)} cannot be read ({type(error).__name__})") from error
    return getattr(record, "id", None) if name == "id" else None  # some typed records have it from their URL


def _is_key(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return text.isdecimal()
    return True


def _described(record: Any) -> str:
    return "dictionary" if isinstance(record, dict) else type(record).__name__
