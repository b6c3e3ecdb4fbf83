"""The command ``alyx-generate``; it names the extra to install if a dependency is missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    arguments
        What follows the command's name; by default those of this process.
    """
    try:
        from alyx_generator.cli import app as cli
    except KeyboardInterrupt:
        print("alyx-generate: interrupted", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("alyx_client", "alyx_generator"):
            raise
        print(f'alyx-generate needs {error.name}: pip install "alyx-client[generator]"', file=sys.stderr)
        return 3
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
