"""Images of notes: uploaded files, stored by date."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from pathlib import PurePosixPath

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.views.requests import ApiRequest, Upload


def store_image(store: Store, values: Record, request: ApiRequest) -> Record:
    """Store the image of a note, and return the note's values with the image's path in its place.

    Raises
    ------
    ServerFailure
        The width to scale it to is not a number.
    """
    image = values.get("image")
    if not isinstance(image, Upload):
        return values
    width = (request.form or {}).get("width", [None])[-1]
    if width not in (None, "", "orig") and not re.fullmatch(r"\d+", str(width)):
        raise ServerFailure(f"invalid literal for int() with base 10: {width!r}")
    # Django's `get_valid_name`.
    name = PurePosixPath(image.filename.replace(" ", "_"))
    stem = re.sub(r"[^\w.-]", "", name.stem) or "image"
    folder = f"{datetime.now():%Y/%m/%d}"
    stem = f"{stem}.{values.get('object_id', uuid.uuid4())}"
    path = f"{folder}/{stem}{name.suffix}"
    if store.read_file(path) is not None:
        # Django's storage never overwrites: it appends seven random characters.
        path = f"{folder}/{stem}_{uuid.uuid4().hex[:7]}{name.suffix}"
    store.save_file(path, image.content)
    return {**values, "image": path}
