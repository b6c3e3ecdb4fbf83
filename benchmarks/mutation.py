"""Mutation tests: break the rules in small ways, and count how many of these mutants the tests notice.

``make mutation`` runs a random sample of the mutants of each room in ``[tool.mutmut.rooms]`` of pyproject.toml with the
tests named there. mutmut makes the mutants, and runs for each only the tests that call the changed function. It cannot
change constants of modules, properties and other decorated functions.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "mutation"
# Exit codes by which mutmut records what became of a mutant; any other one means that it was killed.
SURVIVED = {0: "survived", 33: "without tests", 34: "skipped", 5: "without tests", None: "not run"}
TIMEOUTS = {36, 24, -24, 152, 255}


def main() -> None:
    """Test samples of the rooms named on the command line, or of all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=main.__doc__)
    parser.add_argument("--only", nargs="+", metavar="ROOM", help="rooms of [tool.mutmut.rooms]; all unless named")
    parser.add_argument("--sample", type=int, default=60, help="mutants of each room; 0 for all")
    parser.add_argument("--seed", type=int, default=1, help="chooses the sample")
    parser.add_argument("--again", action="store_true", help="test those again that no test failed on the last time")
    parser.add_argument("--in-room", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_room:
        run_mutmut(options.sample, options.seed)
        return
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]["rooms"]
    if unknown := set(options.only or ()) - set(rooms):
        parser.error(f"no room {', '.join(sorted(unknown))}; there are {', '.join(rooms)}")
    for name in options.only or rooms:
        survivors = survivors_of(WORK / name) if options.again else None
        if survivors == []:
            continue
        folder = prepare(name, rooms[name])
        (folder / "survivors.json").write_text(json.dumps(survivors))
        arguments = ["--in-room", name, "--sample", str(options.sample), "--seed", str(options.seed)]
        # A process of its own, since mutmut puts the mutants first on the path of its own process.
        with (WORK / f"{name}.log").open("w") as log:
            command = [sys.executable, str(Path(__file__).resolve()), *arguments]
            failed = subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        if failed:
            sys.exit(f"{name}: mutmut failed; see {log.name}")
        report(name, folder)


def prepare(name: str, room: dict[str, Any]) -> Path:
    """Make a folder in which mutmut finds the packages side by side, and its settings for the room; return it."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in ("alyx_client", "generator/alyx_generator", "schemas", "templates", "tests"):
        (folder / Path(path).name).symlink_to(ROOT / path, target_is_directory=True)
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    package = room["mutate"][0].partition("/")[0]
    lines = [
        "[tool.mutmut]",
        f"source_paths = {json.dumps([package])}",
        f"only_mutate = {json.dumps(room['mutate'])}",
        f"pytest_add_cli_args_test_selection = {json.dumps(room['tests'])}",
    ]
    settings = settings.replace("[tool.mutmut]", "\n".join(lines))
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    return folder


def run_mutmut(sample: int, seed: int) -> None:
    """Make the mutants in the current folder, choose the sample, and run it."""
    import mutmut.__main__ as mutmut

    Path("mutants").mkdir(exist_ok=True)
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.create_mutants(2)
    names = sorted(name for results in read_results(Path.cwd()).values() for name in results)
    diffs = read_diffs(Path.cwd())
    names = [name for name in names if not is_noise(diffs[name])]
    Path("names.json").write_text(json.dumps(names))
    survivors: list[str] | None = json.loads(Path("survivors.json").read_text())
    if survivors is None:
        chosen = random.Random(seed).sample(names, min(sample or len(names), len(names)))
    else:
        chosen = sorted(set(survivors) & set(names))
    Path("diffs.json").write_text(json.dumps({name: diffs[name] for name in chosen}))
    mutmut._run(tuple(chosen), 2)


def read_diffs(folder: Path) -> dict[str, str]:
    """Return the change of each mutant; mutmut's own function parses the file once more for each of them."""
    diffs = {}
    for file, codes in read_results(folder).items():
        source = (folder / "mutants" / file).read_text("utf-8")
        lines = source.splitlines()
        functions = {
            node.name: lines[node.lineno : node.end_lineno]
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for name in codes:
            changed = name.rpartition(".")[2]
            original = functions[changed.rpartition("__mutmut_")[0] + "__mutmut_orig"]
            diffs[name] = "\n".join(difflib.unified_diff(original, functions[changed], file, file, n=2, lineterm=""))
    return diffs


def is_noise(diff: str) -> bool:
    """Return whether a mutant changes only text for people (several words, or the log) or the type of a cast."""
    before, after = (
        "\n".join(line[1:] for line in diff.splitlines() if line.startswith(sign) and not line.startswith(sign * 3))
        for sign in "-+"
    )
    if before.strip().startswith("logger.") or _without_casts(before) == _without_casts(after):
        return True
    if before.lower() != after.replace("XX", "").lower():
        return False
    changed = re.compile(r'"XX(.*?)XX"', re.DOTALL).search(after)
    texts = [changed[1]] if changed else re.findall(r'"([^"]*)"', after)
    return any(" " in text.strip() for text in texts)


def _without_casts(code: str) -> str:
    return re.sub(r'\bcast\((?:"[^"]*"|None), ', "cast(", code)


def read_results(folder: Path) -> dict[str, dict[str, int | None]]:
    """Return mutmut's exit codes by file and name of mutant."""
    return {
        path.relative_to(folder / "mutants").as_posix().removesuffix(".meta"): json.loads(path.read_text("utf-8"))[
            "exit_code_by_key"
        ]
        for path in sorted((folder / "mutants").rglob("*.py.meta"))
    }


def survivors_of(folder: Path) -> list[str]:
    """Return the mutants that no test failed on when the room was tested last."""
    chosen = json.loads((folder / "diffs.json").read_text("utf-8"))
    codes = {name: code for results in read_results(folder).values() for name, code in results.items()}
    return [name for name in chosen if codes[name] in SURVIVED or codes[name] in TIMEOUTS]


def report(name: str, folder: Path) -> None:
    """Print what became of the sample: a line for each file and for the room, and the survivors as diffs."""
    diffs = json.loads((folder / "diffs.json").read_text("utf-8"))
    total: Counter[str] = Counter()
    for file, codes in read_results(folder).items():
        count: Counter[str] = Counter()
        for mutant in codes.keys() & diffs.keys():
            outcome = SURVIVED.get(codes[mutant], "timeout" if codes[mutant] in TIMEOUTS else "killed")
            count[outcome] += 1
            if outcome != "killed":
                print(f"\n# {mutant}: {outcome}\n{diffs[mutant]}")
        total += count
        print(f"{file}: {dict(count)}")
    of = len(json.loads((folder / "names.json").read_text("utf-8")))
    killed = total["killed"] + total["timeout"]
    slow = f" ({total['timeout']} by running out of time)" if total["timeout"] else ""
    print(f"{name}: {killed} of {total.total()} mutants killed{slow}, chosen from {of}", flush=True)


if __name__ == "__main__":
    main()
