"""A rig that weighs animals, whether or not the server can be reached.

Run by ``python examples/weighing_rig.py flowers 23.4 clover 21.9``. Each weight is on the disk before anything is sent.
Those that cannot be sent wait in the outbox, and go before the next ones that can. The server and the login are those
of the settings, such as ALYX_URL and ALYX_TOKEN.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime

from alyx_client import AlyxClient, Receipt
from alyx_client.errors import AlyxError
from alyx_client.models import Weighing


def main(arguments: Sequence[str]) -> int:
    with AlyxClient(silent=True, connect_timeout=3) as client:  # nobody at a rig waits for a server that is away
        if len(client.outbox):
            print(client.outbox.send())
        for subject, weight in weights(arguments):
            weighing = Weighing(subject=subject, weight=weight, date_time=datetime.now().replace(microsecond=0))
            try:
                result = client.outbox.write(client.weighings.create, weighing)
            except AlyxError as error:  # the server refused it: a subject that does not exist
                print(f"{subject}: not recorded: {error}", file=sys.stderr)
                continue
            print(f"{subject}: {weight} g {'waits for the server' if isinstance(result, Receipt) else 'recorded'}")
        return 1 if len(client.outbox) else 0


def weights(arguments: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Yield the subjects and their weights in g."""
    for place in range(0, len(arguments), 2):
        yield arguments[place], float(arguments[place + 1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
