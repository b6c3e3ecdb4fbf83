"""Pages of the reference that the site writes from the core: every public name, command, setting and error is there."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

import alyx_client
from alyx_client import errors

from .public_api import MODULES, REACHED

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the extensions of the site importable."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))


# The endpoints' models and the errors have pages of their own.
PUBLIC = ("alyx_client.runtime.query", *(one for one in MODULES if one not in ("alyx_client.models", errors.__name__)))


@pytest.mark.parametrize("module", [*PUBLIC, *REACHED])
def test_every_public_name_has_a_page(module: str) -> None:
    from api_pages import PAGES, api_pages

    shown = {name for _, _, names in PAGES.values() for members in names.values() for name in members}
    place, _, one = module.partition(":")
    public = {one} if one else {name for name in import_module(place).__all__ if not hasattr(errors, name)}
    assert public
    assert not public - shown
    text = "".join(api_pages().values())
    assert all(re.search(rf"^\.\. (auto\w+|py:data):: {name}$", text, re.MULTILINE) for name in public)


def test_pages_of_clients_have_their_methods_and_leave_endpoints_to_their_own() -> None:
    from api_pages import api_pages

    members = re.findall(r":members: (.*)", api_pages()["api/clients.md"])
    for line, client in zip(members, ("AlyxClient", "AsyncAlyxClient"), strict=False):
        assert {"rest", "download_file", "check_schema", "setup", "outbox"} <= set(line.split(", ")), client
        assert not {"sessions", "subjects"} & set(line.split(", "))


def test_every_error_and_warning_is_in_the_tree_and_has_a_cause() -> None:
    from errors_page import errors_page

    page = errors_page()
    classes = [one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, BaseException)]
    assert len(classes) > 40
    for one in classes:
        assert re.search(rf"^ *{one.__name__}$", page, re.MULTILINE)
        assert re.search(rf"^\| `{one.__name__}` \| .* \| .+ \|$", page, re.MULTILINE)
        assert f".. autoexception:: alyx_client.errors.{one.__name__}\n" in page
    assert set(alyx_client.__all__) & set(dir(errors)) <= {one.__name__ for one in classes}


def test_every_argument_variable_and_name_of_the_settings_file_is_listed() -> None:
    from settings_page import settings_page

    from alyx_client.config.limits import LIMITS
    from alyx_client.config.servers_toml import SETTINGS

    page = settings_page()
    for argument in list(inspect.signature(alyx_client.AlyxClient.__init__).parameters)[1:]:
        assert f"| `{argument}=` |" in page
    assert all(f"`{name}`" in page for name in SETTINGS)
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "alyx_client").rglob("*.py"))
    variables = {*re.findall(r'"(ALYX_[A-Z_]+)"', source), *(f"ALYX_{name.upper()}" for name in LIMITS)}
    # Names of ONE's settings, and of constants.
    variables -= {"ALYX_LOGIN", "ALYX_PWD", "ALYX_PAGING", "ALYX_TOKENS"}
    assert len(variables) > 15
    assert not {name for name in variables if f"`{name}`" not in page}


def test_every_command_has_its_options_examples_and_exit_codes() -> None:
    from command_page import command_page, commands

    page = command_page()
    names = [name for name, _ in commands()]
    assert {"alyx list", "alyx outbox send", "alyx-generate client", "alyx-generate docs"} <= set(names)
    assert "alyx-generate snapshot" not in names
    for name, command in commands():
        section = page.partition(f"# `{name}`\n")[2].partition("\n##")[0]
        for option in command.params:
            if option.param_type_name == "option" and not option.hidden:
                assert all(f"`{word}" in section for word in option.opts), (name, option.opts)
        assert ("For example:" in (command.help or "")) == ("```console" in section)
        assert ("Exit codes" in (command.help or "")) == ("| exit code |" in section)


def test_pages_that_stay_the_same_are_not_written_again(tmp_path: Path) -> None:
    import reference_pages
    from reference_pages import write_pages

    # Where the site is not built, there is no Sphinx; other tests of the same process may import it.
    origins = (getattr(value, "__module__", None) or "" for value in vars(reference_pages).values())
    assert not [origin for origin in origins if origin.startswith("sphinx")]
    write_pages({"endpoints/a.md": "a", "endpoints/b.md": "b"}, tmp_path)
    before = (tmp_path / "endpoints" / "a.md").stat().st_mtime_ns
    write_pages({"endpoints/a.md": "a"}, tmp_path)
    assert [path.name for path in (tmp_path / "endpoints").iterdir()] == ["a.md"]
    assert (tmp_path / "endpoints" / "a.md").stat().st_mtime_ns == before
