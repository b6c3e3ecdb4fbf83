"""The reference: a page for each endpoint, from the same source as the code, with examples that run."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.cli.app import main
from alyx_generator.package.reference import Reference, package_reference, shipped_reference
from alyx_generator.render.reference.context import Client
from alyx_generator.render.reference.docstrings import read_docstring
from alyx_generator.render.reference.markdown import code, prose
from alyx_generator.source.overlay import shipped_corrections
from alyx_generator.source.paths import SHIPPED, data_folder
from alyx_generator.source.query_model import read_query_model

from alyx_client import AlyxClient, models
from alyx_client.errors import BadRequestError
from alyx_client.testing import LocalAlyx

from .foreign_packages import SCHEMAS
from .inline import resource

ROOT = Path(__file__).parents[2]
ENDPOINTS = sorted(
    path.stem for path in (ROOT / "alyx_client" / "endpoints").glob("[!_]*.py") if hasattr(AlyxClient, path.stem)
)


@pytest.fixture(scope="module")
def shipped() -> Reference:
    return shipped_reference()


@pytest.fixture(scope="module")
def server() -> Iterator[LocalAlyx]:
    with LocalAlyx() as local:
        yield local


def rows(page: str, title: str) -> list[list[str]]:
    """Return the cells of all tables of a page whose first column has a title."""
    tables = re.findall(rf"^\| {title} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", page, re.MULTILINE)
    return [re.split(r"(?<!\\) \| ", line.strip("| ")) for text in tables for line in text.splitlines()]


def unmarked(cell: str) -> str:
    """Return the code of a cell."""
    return cell.partition(" (")[0].strip("`").replace("\\|", "|") if cell.startswith("`") else cell


def test_every_endpoint_has_a_page_that_the_index_links_to(shipped: Reference) -> None:
    assert len(ENDPOINTS) == 41
    assert {path for path in shipped.files if path.startswith("endpoints/")} == {
        "endpoints/index.md",
        *(f"endpoints/{name}.md" for name in ENDPOINTS),
    }
    index = shipped.files["endpoints/index.md"]
    assert all(f"({name}.md)" in index and f"\n{name}\n" in index for name in ENDPOINTS)


def test_links_lead_to_pages_and_headings(shipped: Reference) -> None:
    for path, page in shipped.files.items():
        for target, heading in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", page):
            other = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
            if not other.startswith(".."):
                assert other in shipped.files, (path, target)
                headings = re.findall(r"^#+ `?(.+?)`?$", shipped.files[other], re.MULTILINE)
                assert not heading or heading in map(str.lower, headings), (path, target, heading)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_help_and_page_say_the_same(name: str, shipped: Reference) -> None:
    page = shipped.files[f"endpoints/{name}.md"]
    endpoint = type(getattr(AlyxClient("http://localhost", silent=True), name))
    assert prose(inspect.getdoc(endpoint) or "") in page
    methods = {one: method for one, method in vars(endpoint).items() if inspect.isfunction(method)}
    assert methods
    for method_name, method in methods.items():
        docs = read_docstring(inspect.getdoc(method) or "")
        assert all(prose(text) in page for text in docs.text)
        if method_name.endswith("_many"):
            assert f"client.{name}.{method_name}(" in page
            continue
        section = page.partition(f"### `{method_name}`\n")[2].partition("\n### ")[0]
        shown = {unmarked(row[0]) for title in ("filter", "argument", "parameter") for row in rows(section, title)}
        assert shown == {parameter for parameter, _ in docs.parameters}
        assert all(f"    {name.partition('*')[0]}" in section for name in shown)
        for parts in (docs.parameters, docs.returns, docs.raises):
            assert all(prose(text) in section for _, text in parts)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_fields_of_all_shapes_are_in_one_table(name: str, shipped: Reference) -> None:
    page = shipped.files[f"endpoints/{name}.md"].partition("\n## Fields\n")[2]
    shapes = [getattr(models, shape) for shape in re.findall(r"^- `(\w+)`:", page, re.MULTILINE)]
    fields = {field for shape in shapes for field in _fields(shape)}
    table = rows(page.partition("\n### ")[0], "field")
    assert {unmarked(row[0]) for row in table} == fields
    assert all(row[1] and row[2] for row in table)


def _fields(shape: Any) -> set[str]:
    return set(getattr(shape, "model_fields", None) or typing.get_type_hints(shape))


def test_table_tells_null_read_only_required_and_since(shipped: Reference) -> None:
    fields = {unmarked(row[0]): row for row in rows(shipped.files["endpoints/subjects.md"], "field")}
    meaning, kind, null, read_only, required, shapes, since = fields["lab"][1:]
    assert (kind, null, read_only, required) == ("`str`, record of [labs](labs.md)", "", "", "yes")
    assert (shapes, since, meaning) == ("all", "≤\u00a01.0.0", "Name of the lab.")
    assert fields["death_date"][3] == "yes"
    assert fields["responsible_user"][3] == "returned"
    assert fields["age_weeks"][4] == "yes"
    assert fields["weighings"][6] == "`SubjectRecord`"
    notices = rows(shipped.files["endpoints/data_notices.md"], "field")
    assert {row[7] for row in notices} == {"3.6.0"}
    nested = rows(shipped.files["endpoints/chronic_insertions.md"].partition("### `SessionInfo`")[2], "field")
    assert {unmarked(row[0]): row[7] for row in nested if row[7] != "1.7.0"} == {"projects": "3.1.3"}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_examples_run_in_order(name: str, shipped: Reference, server: LocalAlyx) -> None:
    page = shipped.files[f"endpoints/{name}.md"]
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1 + len(re.findall(r"^### `[a-z_]+`$", page.partition("\n## Fields")[0], re.MULTILINE))
    names: dict[str, Any] = {}
    exec("".join(blocks).replace("http://127.0.0.1:8000", server.url), names)
    for row in rows(page, "filter"):
        with allowing_unknown_keys():
            len(eval(f"client.{name}.list({unmarked(row[3])}, max_items=1)", names))


@contextlib.contextmanager
def allowing_unknown_keys() -> Iterator[None]:
    """Allow that there is no record of a key, as in most examples of filters by key."""
    try:
        yield
    except BadRequestError as error:
        if "valid choice" not in str(error):
            raise


def test_related_endpoints_are_linked_both_ways(shipped: Reference) -> None:
    related = {row[0]: row[1:] for row in rows(shipped.files["endpoints/weighings.md"], "endpoint")}
    assert related["[subjects](subjects.md)"][0] == "`nickname`, `subject`"
    back = {row[0]: row[1:] for row in rows(shipped.files["endpoints/subjects.md"], "endpoint")}
    assert back["[weighings](weighings.md)"][1].startswith("`nickname`, `subject`")


def test_query_model_page_has_every_field_with_its_class(shipped: Reference) -> None:
    page = shipped.files["query-model.md"]
    model = read_query_model(data_folder("schemas") / f"{SHIPPED}.query.json")
    for name, fields in model.models.items():
        section = page.partition(f"### {name}\n")[2].partition("\n### ")[0]
        if section:
            shown = {unmarked(row[0]).rstrip("_"): row for row in rows(section, "field")}
            for key, field in fields.items():
                if not key.startswith("_"):
                    assert shown[key.rstrip("_")][2] == f"`{field.django_class}`"
                    assert f"[{field.to}]" in shown[key.rstrip("_")][3] or not field.to
    assert "| `icontains` | " in page


def test_every_correction_has_its_evidence(shipped: Reference) -> None:
    page = shipped.files["corrections.md"]
    for correction in shipped_corrections():
        assert code(correction.target) in page
        assert prose(correction.description) in page


def test_output_does_not_depend_on_the_hash_seed(shipped: Reference) -> None:
    """The pages, and the client that they are about."""
    program = (
        "from alyx_generator.package.reference import shipped_reference; from tests.generator.test_reference import "
        "digests; print(digests(shipped_reference()))"
    )
    # The seed of this process is random, unless it was set.
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == digests(shipped)


def digests(reference: Reference) -> str:
    files = (reference.client.files, reference.files)
    return " ".join(hashlib.sha256(repr(sorted(one.items())).encode()).hexdigest() for one in files)


@pytest.mark.parametrize("name", sorted(SCHEMAS)[::6])
def test_any_schema_has_a_reference(name: str) -> None:
    reference = package_reference(SCHEMAS[name], (), Client("lab_alyx", "Client", '"https://alyx.example.org"'))
    for endpoint in reference.client.api.endpoints:
        page = reference.files[f"endpoints/{endpoint.name}.md"]
        assert all(f"\n### `{action.name}`\n" in page for action in endpoint.actions)


def test_words_of_a_server_stay_text() -> None:
    words = "a | b <script>alert(1)</script> [x](javascript:alert(1)) `c|d`\n```{eval-rst}\n.. raw:: html\n```\n``e"
    schema = resource({"name": {"type": "string", "description": words}})
    page = package_reference(schema, (), Client("lab_alyx")).files["endpoints/things.md"]
    assert "<script>" not in page.replace("\\<script", "")
    assert "\n.. raw::" not in page
    assert "](javascript" not in page.replace("\\](javascript", "")
    (row,) = [row for row in rows(page, "field") if row[0] == "`name`"]
    assert row[2] == "`str`"


def test_command_writes_the_pages_of_a_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(resource({"name": {"type": "string"}})))
    out = tmp_path / "reference"
    assert main(["docs", str(schema), "--package", "lab_alyx", "--out", str(out)]) == 0
    assert "pages of 1 endpoints" in capsys.readouterr().out
    page = (out / "endpoints" / "things.md").read_text(encoding="utf-8")
    assert 'from lab_alyx import Client, models\n\nclient = Client("https://alyx.example.org")' in page
    # It may be written again, but replaces no file of other origin.
    assert main(["docs", str(schema), "--package", "lab_alyx", "--out", str(out)]) == 0
    (out / "own.md").write_text("# Mine\n")
    assert main(["docs", str(schema), "--package", "lab_alyx", "--out", str(out)]) == 2
    assert "own.md" in capsys.readouterr().err
    assert main(["docs", str(schema), "--out", str(tmp_path / "other")]) == 2
    assert "--package" in capsys.readouterr().err
