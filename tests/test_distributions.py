"""The source distribution and the wheel, as they are built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest
import yaml

import alyx_client
from alyx_client.downloads.names import check_name
from alyx_client.http.connection import default_user_agent

from .site_pages import written_pages

ROOT = Path(__file__).parents[1]
# Neither is needed to build, to test or to develop.
LEFT_OUT = {".ci", ".git", ".gitignore"}
DIST_INFO = f"alyx_client-{alyx_client.__version__}.dist-info"
# The folders of the wheel, and where they are in the checkout.
PACKAGED = {
    "alyx_client": "alyx_client",
    "generator/alyx_generator": "alyx_generator",
    "templates": "alyx_generator/templates",
    "schemas": "alyx_generator/schemas",
}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def sdist(dist: Path) -> set[PurePosixPath]:
    """The names in the source distribution, relative to its folder."""
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        return {PurePosixPath(*PurePosixPath(name).parts[1:]) for name in opened.getnames()}


@pytest.fixture(scope="module")
def metadata(dist: Path) -> Message:
    """The metadata of the wheel."""
    (archive,) = dist.glob("*.whl")
    with zipfile.ZipFile(archive) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(wheel.read(name).decode("utf-8"))


@pytest.fixture(scope="module")
def tracked() -> list[PurePosixPath]:
    """The names of the files of the checkout."""
    git = shutil.which("git") or pytest.skip("needs git")
    listing = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if listing.returncode or not listing.stdout:
        pytest.skip("not in a checkout")
    return [PurePosixPath(name) for name in listing.stdout.split("\0") if name]


def test_source_distribution_has_every_file_of_the_checkout(
    sdist: set[PurePosixPath], tracked: list[PurePosixPath]
) -> None:
    assert [str(path) for path in tracked if path.parts[0] not in LEFT_OUT and path not in sdist] == []


def test_source_distribution_has_what_the_tests_need(sdist: set[PurePosixPath]) -> None:
    needed = ("Makefile", "README.md", "CONTRIBUTING.md", "docs", "schemas", "templates", "benchmarks", "examples")
    assert {name for name in needed if not any(path.parts[0] == name for path in sdist if path.parts)} == set()


def test_every_system_can_have_the_files(sdist: set[PurePosixPath]) -> None:
    for path in sdist:
        assert tuple(map(check_name, path.parts)) == path.parts
    # Windows' limit is 260 characters, with the folder of the checkout.
    assert max(len(str(path)) for path in sdist) < 180
    assert len({str(path).casefold() for path in sdist}) == len(sdist)


def test_wheel_has_the_two_packages_alone(dist: Path) -> None:
    (archive,) = dist.glob("*.whl")
    with zipfile.ZipFile(archive) as wheel:
        names = [PurePosixPath(name) for name in wheel.namelist()]
    folders = {name.parts[0] for name in names}
    assert folders == {"alyx_client", "alyx_generator", DIST_INFO}
    assert PurePosixPath("alyx_client/py.typed") in names
    assert any(name.parts[:2] == ("alyx_generator", "templates") for name in names)
    assert any(name.parts[:2] == ("alyx_generator", "schemas") for name in names)
    assert [str(name) for name in names if "tests" in name.parts or "__pycache__" in name.parts] == []


def test_wheel_has_every_file_of_the_packages_and_no_other(dist: Path, tracked: list[PurePosixPath]) -> None:
    (archive,) = dist.glob("*.whl")
    with zipfile.ZipFile(archive) as wheel:
        names = wheel.namelist()
    expected = {
        f"{packaged}/{path.relative_to(folder)}"
        for path in tracked
        for folder, packaged in PACKAGED.items()
        if path.is_relative_to(folder)
    }
    about = {f"{DIST_INFO}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    assert sorted(names) == sorted(expected | about)


def test_another_build_has_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    folder = tmp_path / "another" / "folder"
    with tarfile.open(archive) as opened:
        # Python 3.11 has filters from 3.11.4 on.
        opened.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (source,) = folder.iterdir()
    for path in source.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    environment = {**os.environ, "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    build = [sys.executable, "-m", "hatchling", "build", "-d", tmp_path]
    subprocess.run(build, cwd=source, check=True, env=environment)
    assert {path.name: path.read_bytes() == (tmp_path / path.name).read_bytes() for path in dist.iterdir()} == {
        f"alyx_client-{alyx_client.__version__}.tar.gz": True,
        f"alyx_client-{alyx_client.__version__}-py3-none-any.whl": True,
    }


def test_long_description_has_no_relative_links(metadata: Message) -> None:
    text = metadata.get_payload()
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert isinstance(text, str)
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", text) == []
    assert "Your own server (`docs/guides/your-own-server.md` in the source distribution)" in text


def test_metadata_names_authors_and_pythons(metadata: Message) -> None:
    assert metadata["Author"] == "alyx-client contributors"
    assert metadata["Author"] in (ROOT / "LICENSE").read_text(encoding="utf-8")
    classifiers = metadata.get_all("Classifier") or []
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)} <= set(classifiers)


PAGES = [
    *sorted(path.name for path in ROOT.glob("*.md")),
    *(path.relative_to(ROOT).as_posix() for path in written_pages()),
]


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        linked = path.parent / name if name else path
        assert linked.exists(), target
        headings = re.findall(r"(?m)^#+ (.+)$", linked.read_text(encoding="utf-8")) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in headings}


def test_version_has_one_place(metadata: Message) -> None:
    assert metadata["Version"] == alyx_client.__version__
    assert default_user_agent().startswith(f"alyx-client/{alyx_client.__version__} ")
    pages = "".join(path.read_text(encoding="utf-8") for path in written_pages())
    assert set(re.findall(r"alyx-client(?:\[[\w,]+\])?==([\w.]+)", pages)) == {alyx_client.__version__}


def test_workflow_tests_every_python_of_the_classifiers(metadata: Message) -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    tested = {*matrix["python"], *(more["python"] for more in matrix["include"])}
    classifiers = metadata.get_all("Classifier") or []
    assert tested == {match[1] for text in classifiers if (match := re.fullmatch(r".* :: (3\.\d+)", text))}
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
