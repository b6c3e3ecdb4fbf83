"""Run a local Alyx: ``python -m alyx_client.testing --port 8000``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is interrupted, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m alyx_client.testing", description="Run a local Alyx, a stand-in for trying the client out."
    )
    parser.add_argument(
        "--port", type=int, default=8000, help="port to listen on; 0 chooses a free one (default: 8000)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--schema", help="schema document to serve: a file, or the name of a shipped snapshot")
    parser.add_argument("--database", default=":memory:", help="file that stores the records (default: memory only)")
    parser.add_argument("--empty", action="store_true", help="start without the example laboratory")
    options = parser.parse_args(arguments)
    try:
        from alyx_client.testing.server.local import LocalAlyx
    except ModuleNotFoundError as missing:
        print(f'The local Alyx needs {missing.name}: pip install "alyx-client[local]"', file=sys.stderr)
        return 2
    stop = threading.Event()

    def request_stop(_signal: int, _frame: object) -> None:
        stop.set()

    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, request_stop)
    try:
        local = LocalAlyx(
            options.schema and (Path(options.schema) if Path(options.schema).exists() else options.schema),
            database=options.database,
            seed=not options.empty,
            port=options.port,
            host=options.host,
        )
        local.start()
    except (OSError, ValueError) as problem:
        print(f"The local Alyx cannot start: {problem}", file=sys.stderr)
        return 1
    print(f"Local Alyx (a stand-in, not a real server) at {local.url}")
    for name, password in local.users.items():
        print(f"  user {name}, password {password}")
    print(f"  data server at {local.data_url}, user {local.data_login[0]}, password {local.data_login[1]}")
    print("Stop it with Ctrl-C.", flush=True)
    # Without a timeout, Windows would not deliver Ctrl-C to a waiting thread.
    while not stop.wait(0.5):
        pass
    local.close()
    print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
