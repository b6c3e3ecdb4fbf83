"""Make the schema and the client of this example, from the schema that alyx-client ships.

With a server of your own, these are the commands::

    alyx-generate fetch https://alyx.lab.org --pretty --out alyx-schema.json
    alyx-generate client alyx-schema.json --package lab_alyx --out src
"""

from __future__ import annotations

import subprocess
import sys

GENERATE = (sys.executable, "-m", "alyx_generator")


def main() -> None:
    subprocess.run(
        [*GENERATE, "fetch", "shipped", "--pretty", "--out", "alyx-schema.json"],
        check=True,
    )
    subprocess.run(
        [
            *GENERATE,
            "client",
            "alyx-schema.json",
            "--package",
            "lab_alyx",
            "--out",
            "src",
        ],
        check=True,
    )


if __name__ == "__main__":
    main()
