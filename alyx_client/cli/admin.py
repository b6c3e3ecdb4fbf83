"""``alyx open``: the pages of Alyx's admin."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from alyx_client.cli.completion import complete_endpoint
from alyx_client.cli.names import option
from alyx_client.cli.records import typed_key
from alyx_client.cli.session import session_of
from alyx_client.cli.terminal import command, say
from alyx_client.cli.usage_error import UsageError

__all__ = ["open_record"]

# Django's admin names pages by app and model; records of other endpoints cannot be looked up by their keys.
_PAGES = {
    "brain_regions": "experiments/brainregion",
    "channels": "experiments/channel",
    "chronic_insertions": "experiments/chronicinsertion",
    "data_formats": "data/dataformat",
    "data_notices": "data/datanotice",
    "data_repository": "data/datarepository",
    "data_repository_type": "data/datarepositorytype",
    "dataset_types": "data/datasettype",
    "datasets": "data/dataset",
    "downloads": "data/download",
    "fields_of_view": "experiments/fov",
    "files": "data/filerecord",
    "fov_location": "experiments/fovlocation",
    "imaging_stack": "experiments/imagingstack",
    "insertions": "experiments/probeinsertion",
    "labs": "misc/lab",
    "locations": "misc/lablocation",
    "notes": "misc/note",
    "projects": "subjects/project",
    "revisions": "data/revision",
    "sessions": "actions/session",
    "subjects": "subjects/subject",
    "surgeries": "actions/surgery",
    "tags": "data/tag",
    "tasks": "jobs/task",
    "trajectories": "experiments/trajectoryestimate",
    "users": "misc/labmember",
    "water_administrations": "actions/wateradministration",
    "weighings": "actions/weighing",
}


@command
def open_record(
    context: typer.Context,
    endpoint: Annotated[
        str,
        typer.Argument(
            metavar="ENDPOINT|URL",
            help="The endpoint, followed by the key; or the record's URL.",
            autocompletion=complete_endpoint,
        ),
    ],
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="The record's key.")] = None,
) -> None:
    """Print the admin's URL of a record.

    It is the page at which the record can be edited in a browser.

    For example:
      alyx open subjects KS023
      alyx open https://alyx.example.org/sessions/5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11
    """
    session = session_of(context)
    url = endpoint
    if key is None:
        segments = endpoint.rstrip("/").split("/")
        if len(segments) < 2:
            raise UsageError("pass an endpoint and a key, or the record's URL")
        endpoint = segments[-2]
    source = session.catalogue.endpoint(endpoint)
    page, method = _PAGES.get(source.name), source.methods.get("read")
    if page is None or method is None or method.key is None:
        raise UsageError(f"the admin has no page for records of {option(source.name)}")
    is_url = key is None and "://" in url
    text = url if is_url else (key or url.rstrip("/").rpartition("/")[2])
    primary_key = _primary_key(session.client, source.name, typed_key(text, method.key))
    say(f"{session.url}/admin/{page}/{quote(str(primary_key), safe='')}/change/")


def _primary_key(client: Any, endpoint: str, key: Any) -> Any:
    """Return the key by which the admin knows a record, which for some is not the one of the API."""
    record = getattr(client, endpoint).read(key)
    primary_key = getattr(record, "id", None)
    if primary_key is None:
        raise UsageError(f"the server does not tell the primary key of records of {option(endpoint)}")
    return primary_key
