from __future__ import annotations

from typing import Any

import httpx2
import pytest

from alyx_client.testing import LocalAlyx
from alyx_client.testing.seed.activities import PIXEL


@pytest.fixture
def target(local_alyx: LocalAlyx) -> str:
    return str(local_alyx.store.rows("sessions")[0]["id"])


def upload(http: httpx2.Client, target: str, *, image: bytes = PIXEL, **fields: Any) -> httpx2.Response:
    data = {"user": "olivier", "content_type": "session", "object_id": target, "text": "hello", **fields}
    return http.post("/notes", data=data, files={"image": ("brain map.png", image, "image/png")})


def test_image_is_stored_and_served(http: httpx2.Client, local_alyx: LocalAlyx, target: str) -> None:
    created = upload(http, target, json='{"a": 1}', width="orig")
    assert created.status_code == 201
    note = created.json()
    assert (note["json"], note["content_type"]) == ({"a": 1}, "actions.session")
    assert note["image"].startswith(f"{local_alyx.url}/uploaded/")
    assert note["image"].endswith(f"/brain_map.{target}.png")
    served = http.get(note["image"])
    assert (served.content, served.headers["content-type"]) == (PIXEL, "image/png")
    assert httpx2.get(note["image"]).status_code == 403
    assert http.get(f"/sessions/{target}").json()["notes"][-1]["id"] == note["id"]


def test_note_without_image(http: httpx2.Client, target: str) -> None:
    body = {"user": "olivier", "content_type": "actions.session", "object_id": target, "text": "plain"}
    assert http.post("/notes", json=body).json()["image"] is None
    response = http.post("/notes", json={**body, "image": "brain.png"})
    assert response.json()["image"] == ["The submitted data was not a file. Check the encoding type on the form."]


def test_invalid_json_and_image_are_reported_together(http: httpx2.Client, target: str) -> None:
    response = upload(http, target, image=b"no image", json="{bad")
    assert response.status_code == 400
    assert response.json()["json"] == ["Value must be valid JSON."]
    assert response.json()["image"][0].startswith("Upload a valid image.")


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"width": "wide"}, "invalid literal for int() with base 10: 'wide'"),
        ({"content_type": "nothing"}, "ContentType matching query does not exist."),
        ({"object_id": "00000000-0000-0000-0000-000000000000"}, "Session matching query does not exist."),
    ],
)
def test_invalid_notes_that_are_internal_errors(
    http: httpx2.Client, target: str, fields: dict[str, Any], detail: str
) -> None:
    response = upload(http, target, **fields)
    assert (response.status_code, response.json()["detail"]) == (500, detail)


def test_patch_requires_the_content_type(http: httpx2.Client, target: str) -> None:
    key = upload(http, target).json()["id"]
    response = http.patch(f"/notes/{key}", json={"text": "new"})
    assert (response.status_code, response.json()["detail"]) == (500, "'content_type'")
    body: dict[str, Any] = {"text": "new", "content_type": "session", "object_id": target}
    assert http.patch(f"/notes/{key}", json=body).json()["text"] == "new"
    assert http.delete(f"/notes/{key}").status_code == 204


def test_notes_are_found_by_their_target(http: httpx2.Client, target: str) -> None:
    query = {"django": f"object_id,{target},text__icontains,note"}
    assert http.get("/notes", params=query).json()["count"] == 1
    assert http.get("/notes", params={"django": "content_type__model,subject"}).json()["count"] == 1
