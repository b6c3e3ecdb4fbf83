from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from alyx_client.testing import LocalAlyx

QUICKSTART = Path(__file__).parents[1] / "examples" / "quickstart.py"


def test_quickstart_runs_and_removes_what_it_made(local_alyx: LocalAlyx) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", str(QUICKSTART)],
        env={**os.environ, "ALYX_URL": local_alyx.url, "ALYX_TOKEN": local_alyx.token()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "0 subjects of that name are left" in run.stdout
    assert "Did you mean 'subject'?" in run.stdout
    assert "lab: Object with name=no-such-lab does not exist." in run.stdout
    assert "no drift" in run.stdout
    assert local_alyx.token() not in run.stdout + run.stderr
