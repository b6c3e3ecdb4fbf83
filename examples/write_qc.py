"""A pipeline that judges the sessions of a lab, and writes its judgement back.

Run by ``python examples/write_qc.py cortexlab``. A session passes if its animal made 70 % of the choices correctly. The
sessions are read and written several at a time; those that fail do not stop the others, and are named at the end. The
server and the login are those of the settings, such as ALYX_URL and ALYX_TOKEN.
"""

from __future__ import annotations

import sys

from alyx_client import AlyxClient, BulkError
from alyx_client.models import SessionChanges


def main(lab: str) -> int:
    with AlyxClient(silent=True) as client:
        session = client.sessions.fields
        # Only those with trials and without a judgement: running the pipeline again goes on where it stopped.
        rows = client.sessions.list(lab=lab, where=(session.qc == "NOT_SET") & (session.n_trials > 0))
        details = client.sessions.read_many(rows)
        changes: dict[str, SessionChanges] = {}
        for detail in details:
            correct = (detail.n_correct_trials or 0) / (detail.n_trials or 1)
            changes[str(detail.id)] = {"qc": "PASS" if correct >= 0.7 else "FAIL"}
        try:
            client.sessions.partial_update_many(changes)
        except BulkError as error:
            print(error, file=sys.stderr)
            return 1
        passed = sum(change.get("qc") == "PASS" for change in changes.values())
        print(f"{len(changes)} sessions of {lab} judged, {passed} of them passed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
