"""The command ``alyx``; it names the extra to install if a dependency is missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_OUR_PACKAGES = ("alyx_client",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    arguments
        What follows the command's name; by default those of this process.
    """
    try:
        from alyx_client.cli import app
    except KeyboardInterrupt:
        print("alyx: interrupted", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _OUR_PACKAGES:
            raise
        print(f'alyx needs {error.name}: pip install "alyx-client[cli]"', file=sys.stderr)
        return 2
    return app.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
