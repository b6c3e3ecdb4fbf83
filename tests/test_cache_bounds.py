"""The file of kept answers: its bounds, and many processes at once."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from alyx_client.cache import Cache, Place
from alyx_client.messages import Response

SERVER = "https://alyx.example.org"


def place(number: int) -> Place:
    return Place(b"%032d" % number, f"u{number % 3}", f"e{number % 5}")


def answer(content: bytes) -> Response:
    return Response(200, {"content-type": "application/json"}, content, "GET", SERVER)


def keep(cache: Cache, number: int, content: bytes) -> None:
    generation, _ = cache.find(place(number))
    if generation is not None:
        cache.keep(place(number), answer(content), lifetime=300, generation=generation)


def found(cache: Cache, number: int) -> bytes | None:
    kept = cache.find(place(number))[1]
    return None if kept is None else kept.response.content


def test_file_does_not_grow_beyond_its_bound(tmp_path: Path) -> None:
    cache, noise = Cache(tmp_path, SERVER, 300_000), random.Random(1)
    for number in range(200):
        keep(cache, number, noise.randbytes(10_000))
    assert found(cache, 199) is not None
    assert found(cache, 0) is None, "the oldest goes first"
    cache.close()
    assert sum(path.stat().st_size for path in tmp_path.glob("*.sqlite")) < 900_000


def test_answer_that_is_larger_than_the_bound_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path, SERVER, 1000)
    keep(cache, 1, random.Random(1).randbytes(5000))
    assert found(cache, 1) is None


def hammer(folder: Path, name: int) -> list[str]:
    """Keep and look up answers that name their own key; return what was wrong."""
    cache, dice, wrong, hits = Cache(folder, SERVER, 2_000_000), random.Random(name), [], 0
    for _ in range(150):
        number, chance = dice.randrange(40), dice.random()
        content = f"{number}:".encode() * 400
        if chance < 0.5:
            keep(cache, number, content)
        elif chance < 0.95:
            seen = found(cache, number)
            hits += seen is not None
            if seen not in (None, content):
                wrong.append(f"{number} gave {seen[:20]!r}")
        elif chance < 0.99:
            cache.change(f"e{number % 5}")
        else:
            cache.clear(f"u{number % 3}")
    cache.close()
    return [*wrong, *([] if hits else ["nothing was ever found"])]


def test_eight_processes_lose_and_mix_nothing(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        assert pool.starmap(hammer, [(tmp_path, name) for name in range(8)]) == [[]] * 8
    for file in tmp_path.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    cache = Cache(tmp_path, SERVER, 2_000_000)
    keep(cache, 1, b"1:" * 400)
    assert found(cache, 1) == b"1:" * 400


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")
def test_killed_writers_leave_nothing_half_written(tmp_path: Path) -> None:
    code = f"""
import itertools
from pathlib import Path
from alyx_client.cache import Cache
from tests.test_cache_bounds import SERVER, keep
cache = Cache(Path({str(tmp_path)!r}), SERVER, 2**29)
for n in itertools.count():
    keep(cache, n % 10, f"{{n % 10}}:".encode() * 20000)
    print(n, flush=True)
"""
    for number in range(6):
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(3 + number * 5):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        cache = Cache(tmp_path, SERVER, 2**29)
        seen = [found(cache, key) for key in range(10)]
        assert any(seen)
        assert all(each in (None, f"{key}:".encode() * 20000) for key, each in enumerate(seen))
        cache.close()
