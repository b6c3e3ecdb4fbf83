"""Cost of importing the package, and its public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import alyx_client
import alyx_client.models


def loaded_by(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_import_loads_no_library_and_no_endpoint() -> None:
    loaded = loaded_by("import alyx_client")
    assert not loaded & {"pydantic", "httpx2", "ssl", "asyncio"}
    assert not [name for name in loaded if name.startswith("alyx_client.")]


def test_first_endpoint_loads_only_what_it_needs() -> None:
    loaded = loaded_by("from alyx_client import AlyxClient; AlyxClient('http://127.0.0.1:9', token='x').tags")
    assert "alyx_client.endpoints.tags" in loaded
    assert "alyx_client.endpoints.sessions" not in loaded


# What the first typed call of the blocking client does without; each takes milliseconds to import.
UNUSED = {
    "asyncio",
    "click",
    "concurrent.futures",
    "difflib",
    "getpass",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "pygments",
    "rich",
    "sqlite3",
    "tomllib",
    "tqdm",
}
UNUSED_ROOMS = (
    "alyx_client.downloads.",
    "alyx_client.frames",
    "alyx_client.one",
    "alyx_client.rest",
    "alyx_client.schema.report",
    "alyx_client.auth.login.",
    "alyx_client.auth.prompt",
    "alyx_client.auth.setup",
    "alyx_client.http.error_response",
    "alyx_client.runtime.json_fields",
    "alyx_client.runtime.lenient",
    "alyx_client.runtime.lists.async_results",
    "alyx_client.runtime.zones",
    "alyx_client.schema.openapi",
)
FIRST_CALL = """
from alyx_client import AlyxClient
from alyx_client.http.message import Response
client = AlyxClient('http://127.0.0.1:9', token='x', cache_rest=None)
client.send = lambda request, **_: Response(200, {}, b'{"count": 0, "next": null, "results": []}')
assert list(client.tags.list()) == []
"""


def test_first_typed_list_loads_only_what_it_needs() -> None:
    loaded = loaded_by(FIRST_CALL)
    assert loaded & UNUSED == set()
    assert not [name for name in loaded if f"{name}.".startswith(UNUSED_ROOMS)]


def test_garbage_collector_is_left_as_it_was() -> None:
    code = (
        "import gc, alyx_client\n"
        "gc.{}()\n"
        "before = gc.isenabled(), bool(gc.get_freeze_count())\n"
        "alyx_client.AlyxClient\n"
        "assert (gc.isenabled(), bool(gc.get_freeze_count())) == before"
    )
    for call in ("enable", "disable", "freeze"):
        loaded_by(code.format(call))


def test_client_imports_neither_the_generator_nor_the_local_alyx() -> None:
    loaded = loaded_by(
        "import alyx_client.models as m; [getattr(m, name) for name in m.__all__]; from alyx_client import *"
    )
    assert not [name for name in loaded if name.startswith(("alyx_generator", "alyx_client.testing"))]


@pytest.mark.parametrize("name", alyx_client.__all__)
def test_public_names_exist(name: str) -> None:
    assert getattr(alyx_client, name).__name__ == name


def test_models_exports_every_model() -> None:
    assert len(alyx_client.models.__all__) > 100
    for name in alyx_client.models.__all__:
        assert getattr(alyx_client.models, name).__name__ == name


def test_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        _ = alyx_client.models.Nothing  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="Nothing"):
        _ = alyx_client.Nothing  # type: ignore[attr-defined]
