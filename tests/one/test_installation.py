"""Installing replaces ONE's client wherever it has been imported, and uninstalling brings it back."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import alyx_client.one
from alyx_client.errors import AlyxWarning, ConfigurationError
from alyx_client.one import installation
from alyx_client.testing import LocalAlyx

NEEDS_ONE = pytest.mark.skipif(
    importlib.util.find_spec("iblutil") is None or importlib.util.find_spec("one") is None,
    reason="ONE-api is not installed",
)


@pytest.fixture(autouse=True)
def only_what_the_test_installs() -> Iterator[None]:
    alyx_client.one.uninstall()
    yield
    alyx_client.one.uninstall()


def run(program: str) -> str:
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def test_importing_is_cheap() -> None:
    loaded = run("""
        import sys, alyx_client.one
        print([name for name in ("one", "requests", "pandas", "httpx2", "pydantic") if name in sys.modules])
    """)
    assert loaded == "[]"


def test_installing_without_one_says_what_to_install() -> None:
    message = run("""
        import sys
        sys.modules["one"] = sys.modules["requests"] = None
        import alyx_client.one
        try:
            alyx_client.one.install()
        except ValueError as error:
            print(alyx_client.one.is_installed(), error)
    """)
    assert message.startswith("False ONE is not installed.")
    assert 'pip install "ONE-api' in message


@NEEDS_ONE
@pytest.mark.parametrize("order", ["before", "after"])
def test_order_of_imports_does_not_matter(order: str) -> None:
    ours, theirs = "import alyx_client.one", "from one.api import ONE, wc"
    first, second = (ours, theirs) if order == "before" else (theirs, ours)
    printed = run(f"""
        {first}
        {second}
        from one.webclient import AlyxClient
        import one.registration, one.webclient
        print(wc.AlyxClient.__name__, AlyxClient.__name__)
        print(one.registration.no_cache.__module__)
        print(one.webclient.http_download_file.__module__)
        print(one.webclient.__spec__.loader.get_source("one.webclient")[:3])
        alyx_client.one.uninstall()
        print(wc.AlyxClient.__module__, AlyxClient.__module__)
        print({{getattr(one.webclient, name).__module__ for name in {installation._NAMES!r}}})
        print(one.registration.no_cache.__module__)
        alyx_client.one.install()
        alyx_client.one.install()
        print(wc.AlyxClient.__name__, AlyxClient.__name__, alyx_client.one.is_installed())
    """).splitlines()
    assert printed == [
        "OneAlyxClient OneAlyxClient",
        "alyx_client.one.functions",
        "alyx_client.one.functions",
        '"""',
        "one.webclient one.webclient",
        "{'one.webclient'}",
        "one.webclient",
        "OneAlyxClient OneAlyxClient True",
    ]


@NEEDS_ONE
def test_uninstalling_before_one_is_imported_leaves_ones_client() -> None:
    assert (
        run("""
        import alyx_client.one
        alyx_client.one.uninstall()
        import one.webclient
        print(one.webclient.AlyxClient.__module__)
    """)
        == "one.webclient"
    )


@pytest.fixture
def webclient() -> Any:
    return pytest.importorskip("one.webclient", reason="ONE-api is not installed")


def test_other_versions_are_warned_about(webclient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("one.__version__", "3.9.0")
    with pytest.warns(AlyxWarning, match=r"tested with ONE 3\.6, and this is ONE 3\.9\.0"):
        alyx_client.one.install()
    assert alyx_client.one.is_installed()


def test_version_without_a_name_is_left_alone(webclient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(webclient, "no_cache")
    with pytest.raises(ConfigurationError, match=r"no one\.webclient\.no_cache"):
        alyx_client.one.install()
    assert webclient.AlyxClient.__module__ == "one.webclient"
    assert not alyx_client.one.is_installed()


def test_failure_halfway_changes_nothing(webclient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(dict[str, Any]):
        def __setitem__(self, name: str, value: object) -> None:
            raise OSError("no")

    class Module:
        __dict__ = Refusing(client=webclient.AlyxClient)  # type: ignore[assignment]

    monkeypatch.setitem(sys.modules, "zzz_refusing", Module())  # type: ignore[arg-type]
    original = webclient.AlyxClient
    with pytest.raises(OSError, match="no"):
        alyx_client.one.install()
    assert webclient.AlyxClient is original
    assert not alyx_client.one.is_installed()


def test_reloaded_module_is_replaced_again(webclient: Any) -> None:
    program = """
        import importlib, alyx_client.one, one.webclient
        importlib.reload(one.webclient)
        print(one.webclient.AlyxClient.__name__)
        alyx_client.one.uninstall()
        print(one.webclient.AlyxClient.__module__)
    """
    assert run(program).splitlines() == ["OneAlyxClient", "one.webclient"]


def test_objects_from_before_are_not_returned_again(local_alyx: LocalAlyx, tmp_path: Path) -> None:
    api = pytest.importorskip("one.api", reason="ONE-api is not installed")

    def client() -> Any:
        login = {"username": "admin", "password": "admin", "base_url": local_alyx.url}
        return api.ONE(**login, cache_dir=tmp_path, silent=True).alyx

    theirs = client()
    alyx_client.one.install()
    ours = client()
    alyx_client.one.uninstall()
    names = [type(one_client).__name__ for one_client in (theirs, ours, client())]
    assert names == ["AlyxClient", "OneAlyxClient", "AlyxClient"]


def test_threads_may_install_at_the_same_time(webclient: Any) -> None:
    barrier = threading.Barrier(8)

    def install() -> None:
        barrier.wait()
        alyx_client.one.install()

    threads = [threading.Thread(target=install) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert webclient.AlyxClient.__name__ == "OneAlyxClient"
    alyx_client.one.uninstall()
    assert webclient.AlyxClient.__module__ == "one.webclient"
