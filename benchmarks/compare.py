"""Compare two revisions in one run: ``make bench COMPARE=main``.

The files of the other revision are unpacked into a temporary folder, and the benchmark of this checkout measures both
there and here: the same tasks, on the same servers, in turn, in processes of their own. What the other revision cannot
do is marked. The other libraries are left out, so that times are compared with times.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import replay_server, results
from benchmarks.table import rounds, text

ROUNDS = 3

Key = tuple[str, str]
"""The name of a figure, and its unit."""


def measure(revision: str, names: Sequence[str]) -> None:
    """Measure some parts in both revisions, and print the figures and their ratios."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        other = Path(folder, "other")
        unpack(revision, other)
        servers = [stack.enter_context(replay_server.running()) for _ in range(2)]
        print(f"{'':54}{revision[:14]:>14}{'this checkout':>16}{'ratio':>12}{'range':>18}")
        for name in names:
            print(f"\n{name}", flush=True)
            figures = in_turn({"other": other, "this": results.ROOT}, name, servers)
            for row in rows(figures["other"], figures["this"]):
                print(row, flush=True)


def unpack(revision: str, folder: Path) -> None:
    """Write the files of a revision, with this benchmark in place of its own, into a new folder."""
    # An archive leaves nothing behind in the repository, unlike a worktree, even if this process is killed.
    command = ["git", "archive", "--format=tar", revision]
    archive = subprocess.run(command, cwd=results.ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise SystemExit(archive.stderr.decode(errors="replace").strip())
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        # Python 3.11 has filters from 3.11.4 on.
        tar.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    shutil.rmtree(folder / "benchmarks", ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(__file__).parent, folder / "benchmarks", ignore=ignored)
    # As in an installation, and as in a checkout that is used.
    packages = [path for name in ("alyx_client", "generator") if (path := folder / name).exists()]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *packages], check=True)


def in_turn(trees: Mapping[str, Path], name: str, servers: Sequence[str]) -> dict[str, dict[Key, list[float]]]:
    """Return the figures of a part in each tree, one value a round."""
    figures: dict[str, dict[Key, list[float]]] = {tree: {} for tree in trees}
    for number in range(rounds(ROUNDS)):
        for tree in list(trees)[:: 1 if number % 2 else -1]:
            for figure in once(trees[tree], name, servers):
                figures[tree].setdefault((figure["name"], figure["unit"]), []).append(figure["value"])
    return figures


def once(tree: Path, name: str, servers: Sequence[str]) -> list[dict[str, Any]]:
    """Measure a part in one tree, and return its figures; those that it cannot measure are missing."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "results.json")
        subprocess.run(
            [sys.executable, "-m", "benchmarks.run", "--only", name, "--json", file],
            cwd=tree,
            env=environment(tree, servers),
            stdout=subprocess.DEVNULL,
            # A failure is a property of the revision; that of this one is shown by the benchmark itself.
            stderr=subprocess.DEVNULL,
            check=False,
        )
        figures: list[dict[str, Any]] = results.read(file)["figures"] if file.exists() else []
        return figures


def environment(tree: Path, servers: Sequence[str]) -> dict[str, str]:
    """Return the environment in which a tree's packages are imported, and other libraries are left out."""
    packages = os.pathsep.join([str(tree), str(tree / "generator")])
    added = {"PYTHONPATH": packages, "BENCH_ALONE": "1", "BENCH_ROUNDS": "1", "BENCH_SERVERS": " ".join(servers)}
    return {**os.environ, **added}


def rows(other: Mapping[Key, Sequence[float]], this: Mapping[Key, Sequence[float]]) -> list[str]:
    """Return the rows of a part's figures, in order, each with its ratio."""
    return [_row(key, other.get(key, ()), this.get(key, ())) for key in dict.fromkeys([*this, *other])]


def _row(key: Key, other: Sequence[float], this: Sequence[float]) -> str:
    name, unit = key
    columns = f"  {name:54}"
    for values, width in ((other, 12), (this, 16)):
        columns += f"{text(median(values), unit) if values else 'not measured':>{width}}"
    ratios = [before / after for before, after in zip(other, this, strict=False) if after]
    if not ratios:
        return columns
    spread = f"{text(min(ratios))} to {text(max(ratios))}" if len(ratios) > 1 else ""
    return f"{columns}{text(median(ratios), 'x'):>12}{spread:>18}".rstrip()
