"""``python -m alyx_client.one.migrate``."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> int:
    """Run the command if LibCST is installed, and return its exit code."""
    if find_spec("libcst") is None:
        print('This command requires LibCST: pip install "alyx-client[migrate]"', file=sys.stderr)
        return 2
    from alyx_client.one.migrate.command import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
