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
    assert not loaded & {"pydantic", "httpx", "ssl", "asyncio"}
    assert not [name for name in loaded if name.startswith("alyx_client.")]


def test_first_endpoint_loads_only_what_it_needs() -> None:
    loaded = loaded_by("from alyx_client import AlyxClient; AlyxClient('http://127.0.0.1:9', token='x').tags")
    assert "alyx_client.endpoints.tags" in loaded
    assert "alyx_client.endpoints.sessions" not in loaded


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
