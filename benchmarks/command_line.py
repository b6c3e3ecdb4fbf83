"""Ten jobs at a terminal: the command alyx, and the lines of Python that ONE takes for them, on a local Alyx.

``python benchmarks/command_line.py ALYX ONE_PYTHON [HF]`` prints the fastest of five runs of each: seconds, and those
of the processor alone. Each run is a process of its own, as at a terminal. The arguments are the command, the Python of
an environment with ONE-api and pandas, and the command hf, of which only what needs no server is measured.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from alyx_client.testing import LocalAlyx

ROUNDS = 5
DATASET = "46561a24-658a-5f09-ae0a-806d11831943"
# The text between braces is filled in for each round.
JOBS: dict[str, tuple[str, str]] = {
    "start": ("alyx --version", "from one.webclient import AlyxClient"),
    "log in": (
        "alyx login {url} --username olivier --password-stdin < password.txt",
        "from one.webclient import AlyxClient\n"
        "alyx = AlyxClient(base_url='{url}', username='olivier', password='olivier', silent=True)",
    ),
    "list with a filter, as a table": (
        "alyx list sessions --subject flowers --format table",
        "import pandas as pd\n"
        "rows = alyx.rest('sessions', 'list', subject='flowers')\n"
        "print(pd.DataFrame(rows).to_string())",
    ),
    "list into a CSV file": (
        "alyx list datasets -o datasets.csv",
        "import pandas as pd\n"
        "rows = alyx.rest('datasets', 'list')\n"
        "pd.DataFrame(list(rows)).to_csv('datasets.csv', index=False)",
    ),
    "get a record": ("alyx get subjects flowers", "print(alyx.rest('subjects', 'read', id='flowers'))"),
    "create a record": (
        "alyx create subjects --nickname A{n} --lab cortexlab",
        "alyx.rest('subjects', 'create', data={{'nickname': 'B{n}', 'lab': 'cortexlab'}})",
    ),
    "change a field": (
        "alyx update subjects A{n} --description calm",
        "alyx.rest('subjects', 'partial_update', id='B{n}', data={{'description': 'calm'}})",
    ),
    "delete a record": ("alyx delete subjects A{n} --yes", "alyx.rest('subjects', 'delete', id='B{n}')"),
    "download a file": (
        f"alyx download {DATASET} --to a{{n}}",
        # What ONE.setup() would have stored.
        "alyx._par = alyx._par.set('HTTP_DATA_SERVER', '{data}')\n"
        "alyx._par = alyx._par.set('HTTP_DATA_SERVER_LOGIN', 'local').set('HTTP_DATA_SERVER_PWD', 'alyx')\n"
        f"dataset = alyx.rest('datasets', 'read', id='{DATASET}')\n"
        "alyx.download_file(dataset['file_records'][0]['data_url'], target_dir='b{n}')",
    ),
    "see what is cached": ("alyx cache info", ""),
    "what is wrong with this machine": ("alyx doctor", ""),
}
PREPARATION = (
    "from one.webclient import AlyxClient\n"
    "alyx = AlyxClient(base_url='{url}', username='olivier', password='olivier', cache_rest=None, silent=True)\n"
)
HF = {"start": "hf version", "see what is cached": "hf cache ls", "what is wrong with this machine": "hf env"}


def seconds(command: list[str], folder: str) -> tuple[float, float]:
    """Return how long a process takes, and the time of the processor; it must succeed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    taken, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stdout}{done.stderr}")
    return taken, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main(alyx: str, one: str, hf: str = "") -> None:
    """Measure, and print a line for each job."""
    with LocalAlyx() as server, tempfile.TemporaryDirectory() as home:
        username, password = server.data_login
        os.environ |= {"HOME": home, "ALYX_DATA_SERVER": server.data_url, "ALYX_DATA_USERNAME": username}
        os.environ |= {"ALYX_DATA_PASSWORD": password, "HF_HUB_OFFLINE": "1"}
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            os.environ.pop(name, None)
        Path(home, "password.txt").write_text("olivier\n")
        Path(home, ".cache", "huggingface", "hub").mkdir(parents=True)  # hf refuses to list a missing one
        for job, (line, code) in JOBS.items():
            times: dict[str, list[tuple[float, float]]] = {"alyx": [], "ONE": [], "hf": []}
            for n in range(ROUNDS):
                filled = line.format(url=server.url, n=n).replace("alyx ", f"{alyx} ", 1)
                times["alyx"].append(seconds(["sh", "-c", filled], home))
                if code:
                    text = code if job in ("start", "log in") else PREPARATION + code
                    text = text.format(url=server.url, data=server.data_url.rstrip("/"), n=n)
                    times["ONE"].append(seconds([one, "-c", text], home))
                if hf and job in HF:
                    times["hf"].append(seconds(["sh", "-c", HF[job].replace("hf ", f"{hf} ", 1)], home))
            shown = "  ".join(
                f"{name} {min(wall for wall, _ in runs):.2f} ({min(cpu for _, cpu in runs):.2f})"
                for name, runs in times.items()
                if runs
            )
            print(f"{job:<34} {shown}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
