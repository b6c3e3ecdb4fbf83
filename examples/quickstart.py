"""A complete pipeline, from the first query to cleaning up. Run it with ``make demo``, or on a server of your own:

    ALYX_URL=https://alyx.example.org python examples/quickstart.py

The server needs a lab, a user and the usual fixtures; the records that this script creates are deleted at the end.
"""

from __future__ import annotations

import os
import sys
from datetime import date, datetime

from alyx_client import AlyxClient, AlyxError, BadRequestError, InvalidFieldError
from alyx_client.models import Dataset, Note, Session, Subject

# A white pixel as PNG.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753"
    "de0000000c4944415478da63f8ffff3f0005fe02fe331295140000000049454e44ae426082"
)


def main() -> None:
    client = AlyxClient(os.environ["ALYX_URL"])
    print(f"1. {client} - nothing is sent until the first call, which logs in")

    subjects = client.subjects.list(alive=True, max_items=5)
    print(f"\n2. client.subjects.list(alive=True, max_items=5): {len(subjects)} records")
    for subject in subjects[:3]:
        print(f"   {subject.nickname}, born {subject.birth_date}, {subject.age_weeks} weeks, lab {subject.lab}")

    lab = client.labs.list()[0].name
    user = client.users.list()[0].username

    print("\n3. create a subject, a session and a dataset")
    mouse = client.subjects.create(
        Subject(nickname="quickstart-mouse", lab=lab, responsible_user=user, birth_date=date(2026, 1, 5), sex="F")
    )
    print(f"   {mouse.nickname}: {mouse.url}")
    try:
        session = client.sessions.create(
            Session(
                subject=mouse.nickname,
                users=[user],
                lab=lab,
                start_time=datetime(2026, 6, 1, 14, 30),
                number=1,
                extended_qc={"wheel": "PASS"},
            )
        )
        print(f"   session {session.id}, started {session.start_time}, QC {session.qc}")
        dataset_type = next(kind.name for kind in client.dataset_types.list() if kind.name)
        dataset = client.datasets.create(
            Dataset(
                name="spikes.times.npy",
                dataset_type=dataset_type,
                session=session.url,
                created_by=user,
                collection="alf",
            )
        )
        print(f"   dataset {dataset.name}, {dataset.id}")

        print("\n4. filter: with dates, and with Django lookups as a dictionary")
        sessions = client.sessions.list(
            subject=mouse.nickname,
            date_range=(date(2026, 6, 1), date(2026, 6, 30)),
            django={"start_time__date__gte": date(2026, 1, 1), "~json__qc": "CRITICAL"},
        )
        print(f"   {len(sessions)} session in June: {sessions[0].id}")

        print("\n5. change some fields; the others keep their values")
        changed = client.sessions.partial_update(session.id, qc="PASS", narrative="all well")
        print(f"   QC {changed.qc}, still {changed.start_time}")
        # A value in partial_update would replace the whole of extended_qc.
        checks = client.sessions.json_field_update(session.id, "extended_qc", {"dlc": 0.9})
        print(f"   quality checks {checks}")

        print("\n6. a note with an image")
        note = client.notes.create(
            Note(user=user, content_type="actions.session", object_id=session.id, text="the rig"), image=PIXEL
        )
        print(f"   {note.image}")

        print("\n7. mistakes raise an error before anything is sent ...")
        try:
            client.sessions.list(subjct="flowers")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        except TypeError as error:
            print(f"   TypeError: {error}")
        try:
            Subject(nickname="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        except InvalidFieldError as error:
            print(f"   InvalidFieldError: {error}")
        print("   ... and the server reports those that only it can detect")
        try:
            client.subjects.create(Subject(nickname="quickstart-mouse", lab="no-such-lab"))
        except BadRequestError as error:
            print(f"   BadRequestError: {error}")

        print("\n8. delete the created records")
        client.notes.delete(note.id)
        client.datasets.delete(dataset.id)
        client.sessions.delete(session.id)
    finally:
        client.subjects.delete(mouse.nickname)
    print(f"   {len(client.subjects.list(nickname='quickstart-mouse'))} subjects of that name are left")
    print(f"\nDifferences between the schema and the responses: {client.drift}")


if __name__ == "__main__":
    try:
        main()
    except AlyxError as error:
        sys.exit(f"{type(error).__name__}: {error}")
