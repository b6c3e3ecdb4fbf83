"""From the built wheel, in a new environment: ``make wheel``.

Each generation of server gets its package there, which is imported, type-checked in the strict modes, and taken through
the contract tests on a local Alyx that serves the same schema; with ``ALYX_URL``, the newest one on that server, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = "Scripts" if os.name == "nt" else "bin"
LEGACY = Path(__file__).parent / "alyx-legacy.coreapi.json"
TOOLS = ("mypy", "pyright[nodejs]==1.1.414", "pytest>=8.3", "pytest-asyncio>=0.25", "pytest-recording>=0.13")
# Taken when the tests are collected: later, every test is isolated from the developer's own settings.
LIVE = {name: value for name, value in os.environ.items() if name.startswith("ALYX_")}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and a folder to work in."""

    programs: Path
    work: Path

    def call(self, program: str, *arguments: object, **environment: str) -> str:
        done = self.run(program, *arguments, **environment)
        assert done.returncode == 0, f"{program} {arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def run(self, program: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return subprocess.run(
            [str(self.programs / program), *map(str, arguments)],
            cwd=self.work,
            env={**inherited, **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Give an environment that has the wheel without any extra."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder / "dist", ROOT]
    subprocess.run(build, cwd=folder, check=True)
    venv.create(folder / "env", with_pip=True)
    (folder / "work").mkdir()
    installed = Installed(folder / "env" / PROGRAMS, folder / "work")
    installed.call("python", "-m", "pip", "install", "--quiet", *(folder / "dist").glob("*.whl"))
    return installed


@pytest.fixture(scope="module")
def installed(bare: Installed) -> Installed:
    """Give the same with the extras."""
    refused = bare.run("python", "-m", "alyx_generator", "--help")
    assert (refused.returncode, 'pip install "alyx-client[generator]"' in refused.stderr) == (3, True)
    (wheel,) = bare.work.parent.glob("dist/*.whl")
    bare.call("python", "-m", "pip", "install", "--quiet", f"{wheel}[generator,local]", *TOOLS)
    shutil.copytree(ROOT / "tests" / "contract", bare.work / "tests" / "contract")
    for name in ("__init__.py", "conftest.py", "faults.py"):
        shutil.copy(ROOT / "tests" / name, bare.work / "tests")
    (bare.work / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    return bare


@pytest.mark.parametrize("generation", ["3.3.1", "3.6.1", "legacy"])
def test_package_of_each_generation_works(installed: Installed, generation: str) -> None:
    package, source = f"alyx_{generation.replace('.', '')}", LEGACY if generation == "legacy" else generation
    print(installed.call("alyx-generate", "client", source, "--package", package, "--out", "."))

    code = f"import {package}.models as models; print(len([getattr(models, name) for name in models.__all__]))"
    assert int(installed.call("python", "-c", code)) > 100
    installed.call("alyx-generate", "check", package, *(["--source", LEGACY] if generation == "legacy" else []))
    print(installed.call("mypy", "--strict", "--no-incremental", package))
    (installed.work / "pyrightconfig.json").write_text(f'{{"include": ["{package}"], "typeCheckingMode": "strict"}}')
    print(installed.call("pyright", "--stats", "--pythonpath", installed.programs / "python"))

    schema = LEGACY if generation == "legacy" else f"alyx-{generation}"
    contract = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract"]
    local = ["--server=local", "-o", f"local_alyx_schema={schema}"]
    print(installed.call("python", *contract, *local, CONTRACT_PACKAGE=package))
    if generation == "3.6.1" and "ALYX_URL" in LIVE:
        print(installed.call("python", *contract, "--server=live", CONTRACT_PACKAGE=package, **LIVE))


def test_packages_live_side_by_side_and_are_compared(installed: Installed) -> None:
    installed.call("alyx-generate", "fetch", "3.3.1", "--out", "alyx-schema.json")
    installed.call("alyx-generate", "client", "alyx-schema.json", "--package", "old_alyx", "--out", ".")
    installed.call("alyx-generate", "client", "shipped", "--package", "new_alyx", "--out", ".")
    assert "2 break callers" in installed.call("alyx-generate", "diff", "alyx-schema.json", "shipped")
    code = (
        "import alyx_client, old_alyx, new_alyx\n"
        "clients = alyx_client.AlyxClient, old_alyx.Client, new_alyx.Client\n"
        "print(*(hasattr(each, 'data_notices') for each in clients))"
    )
    assert installed.call("python", "-c", code).split() == ["True", "False", "True"]
