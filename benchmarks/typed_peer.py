"""A client of the endpoint ``datasets`` that openapi-python-client generates from our corrected schema."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from benchmarks.programs import ROOT

SCHEMA = ROOT / "schemas" / "corrected" / "alyx-3.6.1.json"


def generate(python: str, folder: Path) -> Path:
    """Generate the client below a folder, and return the folder of its package ``typed_peer_client``."""
    document = json.loads(SCHEMA.read_text(encoding="utf-8"))
    path = "/datasets"
    listing = document["paths"][path]["get"]
    # OpenAPI requires a title, and a description of each response; Alyx's document has neither.
    document["info"]["title"] = "typed peer"
    for status, response in listing["responses"].items():
        response.setdefault("description", status)
    document["paths"] = {path: {"get": listing}}
    schema, target = folder / "schema.json", folder / "typed-peer"
    schema.write_text(json.dumps(document), encoding="utf-8")
    options = ["--path", str(schema), "--output-path", str(target)]
    command = [python, "-m", "openapi_python_client", "generate", *options]
    # It would format the code, if it found ruff; that makes no difference.
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode or not (target / "typed_peer_client").exists():
        raise RuntimeError(f"openapi-python-client failed:\n{process.stdout}{process.stderr}")
    return target
