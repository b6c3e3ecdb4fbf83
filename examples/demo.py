"""Demonstrate the project in a minute: serve, generate, check, run. Run by ``make demo``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from alyx_client.testing import LocalAlyx

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".demo"


def step(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def run(*command: str, **environment: str) -> None:
    print("$ " + " ".join(Path(part).name if part == sys.executable else part for part in command), flush=True)
    started = time.perf_counter()
    subprocess.run(command, cwd=WORK, env={**os.environ, **environment}, check=True)
    print(f"  ({time.perf_counter() - started:.1f} s)", flush=True)


def main() -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    with LocalAlyx() as alyx:
        login = {
            "ALYX_URL": alyx.url,
            "ALYX_USERNAME": "admin",
            "ALYX_PASSWORD": "admin",
            "XDG_CONFIG_HOME": str(WORK / "config"),
        }
        step(f"A local Alyx is running at {alyx.url}: a stand-in with invented records, built from a schema snapshot")
        step("Generate a typed client from its schema: fetched over HTTP, corrected, rendered and formatted")
        run(sys.executable, "-m", "alyx_generator", "client", alyx.url, "--package", "lab_alyx", "--out", ".", **login)
        step("Verify a pipeline that uses this client with a type checker")
        script = (ROOT / "examples" / "quickstart.py").read_text(encoding="utf-8")
        script = script.replace(
            "from alyx_client import AlyxClient, ",
            "from lab_alyx import Client as AlyxClient\nfrom alyx_client import ",
        )
        script = script.replace("from alyx_client.models import", "from lab_alyx.models import")
        (WORK / "quickstart.py").write_text(script, encoding="utf-8")
        run(sys.executable, "-m", "mypy", "--strict", "quickstart.py", **login)
        step("Run the pipeline")
        run(sys.executable, "quickstart.py", **login)
    step("Done. The generated package is in .demo/lab_alyx; the pipeline is .demo/quickstart.py.")


if __name__ == "__main__":
    main()
