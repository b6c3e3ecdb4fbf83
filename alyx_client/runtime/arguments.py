"""The arguments of an endpoint call, as one value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Self, cast

from alyx_client.errors import InvalidFieldError
from alyx_client.http.message import FilePart
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.bodies import Upload, file_part
from alyx_client.runtime.coerce import several
from alyx_client.runtime.keys import LookupKey
from alyx_client.runtime.models import Resource
from alyx_client.runtime.references import refuse_foreign_records

__all__ = ["Arguments", "Files"]

Files = Upload | FilePart | Sequence[Upload | FilePart] | None
"""The files of one form field."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of an endpoint call.

    Parameters
    ----------
    key
        The lookup key of the record, its URL, or the record itself.
    body
        The resource to send, or several.
    changes
        The fields to change, with ``partial_update``.
    files
        Files to upload, by form field: one, or several; None for a file that was left out.
    filters
        Query parameters by name; None for a filter that was left out.
    """

    key: LookupKey | None = None
    body: Resource | Sequence[Resource] | None = None
    changes: Mapping[str, object] | None = None
    files: Mapping[str, Files] = field(default_factory=dict[str, "Files"])
    filters: Mapping[str, object] = field(default_factory=dict[str, object])

    def read_files(self) -> Self:
        """Return the arguments with the contents of files in place of paths and open files."""
        # A request may be built twice, and an open file can be read once.
        if not self.files:
            return self
        read: dict[str, list[Upload | FilePart]] = {}
        for part in self.file_parts():
            read.setdefault(part.name, []).append(part)
        return replace(self, files=read)

    def file_parts(self) -> tuple[FilePart, ...]:
        """Return the files to upload.

        Raises
        ------
        InvalidFieldError
            There is no such file.
        """
        return tuple(file_part(name, upload) for name, uploads in self.files.items() for upload in _several(uploads))

    def payload(self, model: type[Resource] | None, label: str, base_url: str) -> Any:
        """Return the body as plain JSON; None if there is none.

        Parameters
        ----------
        model
            The resource that the action takes.
        label
            The call, for messages.
        base_url
            The server.

        Raises
        ------
        InvalidFieldError
            A field is unknown or of the wrong type, or the body is not a resource.
        ForeignURLError
            A field refers to a record of another server.
        """
        if self.changes is not None:
            if not self.changes and any(upload is not None for upload in self.files.values()):
                return {}  # a file alone may be changed, too
            assert model is not None
            payload = model.changes_to_wire(self.changes)
            refuse_foreign_records(model.record_urls(self.changes), base_url)
            return payload
        if self.body is None:
            return None
        is_one = isinstance(self.body, Resource)
        resources = [self.body] if isinstance(self.body, Resource) else _resources(self.body, model, label)
        for resource in resources:
            refuse_foreign_records(resource.urls_of_records(), base_url)
        payloads = [resource.to_wire() for resource in resources]
        return payloads[0] if is_one else payloads


def _several(uploads: Files) -> Sequence[Upload | FilePart]:
    if isinstance(uploads, list | tuple):
        return cast("Sequence[Upload | FilePart]", uploads)
    return () if uploads is None else (cast("Upload | FilePart", uploads),)


def _resources(body: object, model: type[Resource] | None, label: str) -> list[Resource]:
    """Return several resources; anything else is an error, since a notebook has no type checker."""
    kind = type(body).__name__  # before isinstance() narrows the type
    items = several(cast("object", body), label) if isinstance(body, Iterable) else [body]
    resources = [item for item in items if isinstance(item, Resource)]
    if isinstance(body, Mapping | str | bytes) or len(resources) < len(items):
        name = model.__name__ if model else "the resource"
        raise InvalidFieldError(f"{label} takes {name}(...), not {kind}; from a dictionary: {name}(**values)")
    return resources
