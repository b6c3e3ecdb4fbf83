"""Packages of labs, and what is wrong with some."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run

CLIENT = "class Client(BaseClient):\n    pass\n"
THINGS = '''
class Base:
    _origin: str
    name: str
    """Name."""

class Thing(Base):
    size: int

class Things:
    def list(self, *, name: str | None = None) -> Rows:
        """List things.

        Parameters
        ----------
        name
            Name.
        """

    def read(self) -> Thing:
        """Read the thing."""

    def update(self, thing, /) -> None:
        """Replace the thing."""
'''
IMPORTING = (
    'from .things import Things\nclass Client(BaseClient):\n    def things(self) -> Things:\n        """Things."""\n'
)
NOT_PACKAGES = {
    "": "not a package that alyx-generate has written",
    "x = 1\n": "has no client",
    CLIENT: "",
}


@pytest.mark.parametrize("client", NOT_PACKAGES)
def test_what_is_no_package(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: str) -> None:
    name = f"lab_no_package_{list(NOT_PACKAGES).index(client)}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    if client:
        (tmp_path / name / "client.py").write_text(client)
    monkeypatch.syspath_prepend(tmp_path)
    result = run("--package", name, "describe")
    assert NOT_PACKAGES[client] in result.err
    assert result.code == (2 if NOT_PACKAGES[client] else 0)
    assert run("--package", ".relative", "describe").code == 2


def test_a_small_package(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without many of the things that the shipped package has."""
    folder = tmp_path / "lab_small"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "client.py").write_text(IMPORTING)
    (folder / "things.py").write_text(THINGS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ALYX_PACKAGE", "lab_small")
    monkeypatch.setenv("ALYX_URL", "http://127.0.0.1:1")
    text = run("describe", "things").out
    assert "\n  name  Name.\n  size\n" in text
    assert "alyx update things --replace" in text
    assert "_origin" not in text
    for words in (["get", "things", "5"], ["update", "things", "5", "--size", "5"], ["delete", "things", "5"]):
        assert run(*words).code == 2
    assert "takes no key" in run("get", "things", "5").err
