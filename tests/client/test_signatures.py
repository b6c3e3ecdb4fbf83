"""What notebooks complete: signatures at run time have the fields, and cost nothing until they are looked at."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
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


@pytest.mark.parametrize("jedi", [True, False])
@pytest.mark.parametrize(
    ("text", "completion"),
    [
        ("Subject(nick", "nickname="),
        ("client.sessions.partial_update(key, narr", "narrative="),
        ("client.sessions.list(subj", "subject="),
        ("client.sess", "client.sessions"),
    ],
)
def test_ipython_completes(text: str, completion: str, jedi: bool) -> None:
    pytest.importorskip("IPython")
    code = f"""
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.completer import provisionalcompleter
shell = InteractiveShell.instance()
shell.Completer.use_jedi = {jedi}
shell.run_cell('''
from alyx_client import AlyxClient
from alyx_client.models import Subject
client, key = AlyxClient("http://localhost:1", token="x"), "k"
''')
text = {text!r}
with provisionalcompleter():
    print([one.text for one in shell.Completer.completions(text, len(text))])
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert completion.removeprefix("client.") in shown
