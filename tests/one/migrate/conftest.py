"""The command requires LibCST, which environments for tests with ONE may lack."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("libcst") else ["test_*.py"]
