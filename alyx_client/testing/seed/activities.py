"""Seeds: tasks, notes, downloads and notices."""

from __future__ import annotations

from alyx_client.testing.records.relations import TASK_STATUS
from alyx_client.testing.records.store import Record
from alyx_client.testing.seed.record_maker import RecordMaker, key_of
from alyx_client.testing.seed.subjects import PUBLIC_USER

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e3660000"
    "000049454e44ae426082"
)
"""A complete PNG image of one pixel."""

_STATUSES = tuple(TASK_STATUS.values())


class ActivitySeeds(RecordMaker):
    """Work with recordings."""

    def activities(self, sessions: list[Record]) -> None:
        """Create tasks, notes, downloads and notices."""
        for number in range(12):
            self._task(number, None if number == 11 else sessions[number])
        for number, table in enumerate(("sessions", "sessions", "subjects", "insertions")):
            self._note(number, table)
        for number, user in enumerate(("olivier", "amina", PUBLIC_USER)):
            self.add(
                "downloads",
                number,
                user=user,
                dataset=key_of("datasets", f"{number}/0"),
                count=number,
                json={"from": "rig"} if number else None,
            )
        for number, description in enumerate(("**All** of it is affected", "", "Two lines\n\nof text")):
            self._notice(number, description)

    def _task(self, number: int, session: Record | None) -> None:
        run = {"time_elapsed_secs": 12.5, "log": "done", "version": "1.0"}
        request = {"ram": 4, "io_charge": 100, "time_out_secs": 120}
        self.add(
            "tasks",
            number,
            session=session["id"] if session else None,
            name=f"Task{number:02d}" if number else None,
            status=_STATUSES[number % len(_STATUSES)],
            data_repository=("cortexlab_rig", None)[number % 2],
            priority=None if number == 2 else 50 + number,
            level=number % 3,
            gpu=0,
            cpu=1,
            executable="pipes.tests.Run" if number % 2 else None,
            graph="tests" if number else None,
            arguments={"overwrite": True} if number == 6 else None,
            parents=[key_of("tasks", number - 3)] if number in (5, 8) else [],
            **(request if number % 3 else run),
        )

    def _note(self, number: int, table: str) -> None:
        image = "2020/02/01/brain.png" if number == 1 else None
        self.add(
            "notes",
            number,
            user="olivier",
            content_type=self.tables[table].content_type,
            object_id=key_of(table, "flowers" if table == "subjects" else number),
            text=("a note", "a picture", "", "µm, not mm")[number],
            date_time="2020-02-01T12:00:00",
            image=image,
            json={"title": "overview"} if image else None,
        )
        if image is not None:
            self.store.save_file(image, PIXEL)

    def _notice(self, number: int, description: str) -> None:
        self.add(
            "data-notices",
            number,
            name=f"notice {number}",
            description=description,
            importance=(20, 40, 50)[number],
            created_by="olivier" if number else None,
            datasets=[key_of("datasets", f"{position}/0") for position in range(number)],
            affected_date_start="2020-01-01" if number else None,
            affected_date_end="2020-02-01" if number == 2 else None,
            version_affected="1.5" if number else "",
            json={"seen": 2} if number == 2 else None,
            created_datetime=f"2021-06-0{number + 1}T12:00:00",
        )
