"""Imports of several threads at once: no module is imported before its package, which could be a deadlock."""

from __future__ import annotations

import json
import subprocess
import sys

import alyx_client

# What threads of a program may import first.
FIRST = [
    *(f"import alyx_client; alyx_client.{name}" for name in alyx_client.__all__),
    "import alyx_client.config",
    "import alyx_client.frames",
    "import alyx_client.models",
    "import alyx_client.webclient",
    "from alyx_client.models import Subject",
]
# CPython locks a module before it imports its package. While another thread imports the package, which imports the
# module, each waits for the other.
WATCH = """
import importlib._bootstrap as bootstrap
import json
import sys

packages = {f"alyx_client.{name}" for name in ("client", "config", "frames", "runtime")}
find_and_load, calls, early = bootstrap._find_and_load, 0, []

def watch(name, import_):
    global calls
    calls += 1
    missing = packages - sys.modules.keys()
    early.extend([statement, name] for package in missing if name.startswith(package + "."))
    return find_and_load(name, import_)

bootstrap._find_and_load = watch
for statement in json.loads(sys.argv[1]):
    for name in [name for name in sys.modules if name.startswith("alyx_client")]:
        del sys.modules[name]
    exec(statement, {})
print(json.dumps(early), calls)
"""


def test_packages_are_imported_before_their_modules() -> None:
    # Errors are in one module.
    cases = [case for case in FIRST if not case.endswith("Error")]
    arguments = [sys.executable, "-c", WATCH, json.dumps(cases)]
    output = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    early, calls = output.rsplit(maxsplit=1)
    assert int(calls) > len(cases)
    assert json.loads(early) == []
