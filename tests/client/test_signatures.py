"""What notebooks complete: signatures at run time have the fields, and cost nothing until they are looked at."""

from __future__ import annotations

import inspect
import json
import pickle
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient, models
from alyx_client.runtime import UNSET, Resource
from alyx_client.runtime.signatures import LazySignature
from tests.contract.endpoints import ENDPOINTS

CLIENTS = [AlyxClient("http://localhost:1", token="x"), AsyncAlyxClient("http://localhost:1", token="x")]
RESOURCES = [
    resource
    for resource in (getattr(models, name) for name in models.__all__)
    if isinstance(resource, type) and issubclass(resource, Resource)
]
CHANGED = [name for name, declared in ENDPOINTS.items() if "partial_update" in declared.actions]


@pytest.mark.parametrize("resource", RESOURCES)
def test_signatures_of_resources_are_their_fields(resource: type[Resource]) -> None:
    parameters = inspect.signature(resource).parameters
    assert set(parameters) == set(resource.model_fields)
    for name, parameter in parameters.items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        expected = inspect.Parameter.empty if resource.model_fields[name].is_required() else UNSET
        assert parameter.default is expected
        assert parameter.annotation is not inspect.Parameter.empty
    assert set(inspect.signature(resource.__init__).parameters) == {"self", *parameters}


def test_signatures_are_the_same_after_the_first_use() -> None:
    before = set(inspect.signature(models.Weighing).parameters)
    models.Weighing(subject="x", weight=1)
    assert set(inspect.signature(models.Weighing).parameters) == before


@pytest.mark.parametrize("client", CLIENTS, ids=["sync", "async"])
@pytest.mark.parametrize("endpoint", CHANGED)
def test_signatures_of_partial_update_have_the_fields(client: Any, endpoint: str) -> None:
    method = getattr(client, endpoint).partial_update
    parameters = inspect.signature(method).parameters
    model = ENDPOINTS[endpoint].actions["partial_update"].model
    assert model is not None
    assert set(model.model_fields) <= set(parameters)
    kinds = [parameter.kind for parameter in parameters.values()]
    assert inspect.Parameter.VAR_KEYWORD not in kinds
    assert kinds[0] is inspect.Parameter.POSITIONAL_ONLY
    assert parameters["timeout"].default is None
    assert inspect.iscoroutinefunction(method) == isinstance(client, AsyncAlyxClient)
    assert inspect.signature(method).bind("x", **dict.fromkeys(model.model_fields)).args == ("x",)


def test_lists_have_their_filters() -> None:
    assert {"subject", "max_items"} <= set(inspect.signature(CLIENTS[0].sessions.list).parameters)


@pytest.mark.parametrize("client", CLIENTS, ids=["sync", "async"])
@pytest.mark.parametrize("method", ["list", "read", "create", "partial_update", "read_many", "json_field_write"])
def test_signatures_show_annotations_as_in_the_source(client: Any, method: str) -> None:
    bound = getattr(client.sessions, method)
    signature = inspect.signature(bound)
    shown = str(signature)
    assert "timeout: float | None = None" in shown
    assert ": '" not in shown
    assert ': "' not in shown
    assert "-> '" not in shown
    # They are the texts that they were.
    expected = bound.__func__.__annotations__
    assert {name: one.annotation for name, one in signature.parameters.items() if name in expected} == {
        name: text for name, text in expected.items() if name in signature.parameters
    }


def test_signatures_are_made_when_they_are_looked_at() -> None:
    made: list[int] = []

    def make() -> inspect.Signature:
        made.append(1)
        return inspect.Signature([inspect.Parameter("x", inspect.Parameter.KEYWORD_ONLY)], return_annotation=int)

    signature = LazySignature(make)
    assert not made
    assert str(signature) == "(*, x) -> int"
    assert list(signature.parameters) == ["x"]
    assert signature.return_annotation is int
    assert signature == pickle.loads(pickle.dumps(signature))
    assert str(signature.replace(return_annotation=str)) == "(*, x) -> str"
    assert made == [1]


# Without jedi, IPython evaluates no attribute of objects that have __getattr__, such as a client.
COMPLETED = {
    True: {
        "Subject(nick": "nickname=",
        "client.sessions.partial_update(key, narr": "narrative=",
        "client.sessions.list(subj": "subject=",
        "client.sess": "sessions",
        "row.": "subject",
    },
    False: {
        "Subject(nick": "nickname=",
        "change(key, narr": "narrative=",
        "find(subj": "subject=",
        "client.sess": "sessions",
        "row.": "subject",
        'row["': "subject",
    },
}


@cache
def completions(jedi: bool) -> dict[str, list[str]]:
    """Return what IPython completes, by text."""
    code = f"""
import json
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.completer import provisionalcompleter
shell = InteractiveShell.instance()
shell.Completer.use_jedi = {jedi}
shell.run_cell('''
from alyx_client import AlyxClient
from alyx_client.models import SessionSummary, Subject
client, key = AlyxClient("http://localhost:1", token="x"), "k"
change, find = client.sessions.partial_update, client.sessions.list
row = SessionSummary.model_construct(subject="x", number=1)
''')
with provisionalcompleter():
    texts = {list(COMPLETED[jedi])}
    print(json.dumps({{text: [one.text for one in shell.Completer.completions(text, len(text))] for text in texts}}))
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    completed: dict[str, list[str]] = json.loads(shown.splitlines()[-1])
    return completed


@pytest.mark.parametrize(
    ("jedi", "text"), [(jedi, text) for jedi, completed in COMPLETED.items() for text in completed]
)
def test_ipython_completes(jedi: bool, text: str) -> None:
    pytest.importorskip("IPython")
    found = [one.removeprefix(".") for one in completions(jedi)[text]]
    assert COMPLETED[jedi][text] in found


def test_names_of_a_record_are_without_the_methods_of_pydantic_which_are_mostly_deprecated() -> None:
    names = dir(models.SessionSummary.model_construct(subject="x"))
    assert {"subject", "get", "items", "model_dump"} <= set(names)
    assert not {"copy", "dict", "parse_obj", "construct"} & set(names)
