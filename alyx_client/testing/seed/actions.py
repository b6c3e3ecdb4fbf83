"""Seeds: water, weights, surgeries, tasks, notes, downloads and notices."""

from __future__ import annotations

from alyx_client.testing.records.relations import TASK_STATUS
from alyx_client.testing.records.store import Record
from alyx_client.testing.seed.record_maker import RecordMaker, key_of
from alyx_client.testing.seed.subjects import PUBLIC_USER

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e3660000"
    "000049454e44ae426082"
)
"""A whole PNG image of one pixel."""


class ActionSeeds(RecordMaker):
    """What is done to subjects and with recordings."""

    def actions(self, sessions: list[Record]) -> None:
        """Make what is done to subjects."""
        self.add("water-restriction", "undated", subject="heron", start_time=None, water_type="Water")
        for number, nickname in enumerate(("flowers", "clover", "437")):
            self.add(
                "water-restriction",
                number,
                subject=nickname,
                start_time=f"2020-01-0{number + 1}T08:00:00",
                end_time="2020-11-30T08:00:00" if nickname == "437" else None,
                water_type=(None, "Hydrogel", "Water")[number],
                reference_weight=22.5 + number,
            )
            self.add(
                "surgeries",
                number,
                subject=nickname,
                start_time=f"2019-12-1{number}T10:00:00",
                end_time="2019-12-11T11:00:00" if number == 1 else None,
                json={"surgeon": "left-handed"} if number == 1 else None,
                outcome_type=("r", "", "a")[number],
                implant_weight=1.2,
                procedures=[key_of("procedures", "craniotomy"), key_of("procedures", "Headplate")][: number + 1],
                users=[key_of("users", "olivier")] if number else [],
                location=key_of("locations", "rig-1") if number == 0 else None,
                lab=(key_of("labs", "cortexlab"), None, key_of("labs", "hillside"))[number],
                narrative="" if number else "no trouble",
            )
        for number in range(10):
            nickname = ("flowers", "clover")[number % 2]
            moment = f"2020-02-{number + 1:02d}T09:00:00"
            user = None if number == 4 else "olivier"
            self.add("weighings", number, subject=nickname, date_time=moment, weight=22.0 + number / 10, user=user)
            self.add(
                "water-administrations",
                number,
                subject=nickname,
                date_time=moment,
                water_administered=None if number == 3 else 0.8,
                water_type=("Water", "Hydrogel", "Water 10% Sucrose")[number % 3],
                user=user,
                session=sessions[number]["id"] if number % 3 else None,
                adlib=number == 3,
            )

    def others(self, sessions: list[Record]) -> None:
        """Make tasks, notes, downloads and notices."""
        statuses = list(TASK_STATUS.values())
        for number in range(12):
            ran = number % 3 == 0
            self.add(
                "tasks",
                number,
                session=None if number == 11 else sessions[number]["id"],
                name=f"Task{number:02d}" if number else None,
                status=statuses[number % len(statuses)],
                data_repository=("cortexlab_rig", None)[number % 2],
                priority=None if number == 2 else 50 + number,
                level=number % 3,
                gpu=0,
                cpu=1,
                ram=None if ran else 4,
                io_charge=None if ran else 100,
                time_out_secs=None if ran else 120,
                time_elapsed_secs=12.5 if ran else None,
                executable="pipes.tests.Run" if number % 2 else None,
                graph="tests" if number else None,
                log="done" if ran else None,
                version="1.0" if ran else None,
                arguments={"overwrite": True} if number == 6 else None,
                parents=[key_of("tasks", number - 3)] if number in (5, 8) else [],
            )
        for number, table in enumerate(("sessions", "sessions", "subjects", "insertions")):
            target = key_of(table, "flowers" if table == "subjects" else number)
            label = self.tables[table].label
            image = "2020/02/01/brain.png" if number == 1 else None
            self.add(
                "notes",
                number,
                user="olivier",
                content_type=label,
                object_id=target,
                text=("a note", "a picture", "", "µm, not mm")[number],
                date_time="2020-02-01T12:00:00",
                image=image,
                json={"title": "overview"} if number == 1 else None,
            )
            if image is not None:
                self.store.save_file(image, PIXEL)
        for number, user in enumerate(("olivier", "amina", PUBLIC_USER)):
            dataset = key_of("datasets", f"{number}/0")
            self.add(
                "downloads", number, user=user, dataset=dataset, count=number, json={"from": "rig"} if number else None
            )
        texts = ("**All** of it is affected", "", "Two lines\n\nof text")
        for number, text in enumerate(texts):
            self.add(
                "data-notices",
                number,
                name=f"notice {number}",
                description=text,
                importance=(20, 40, 50)[number],
                created_by="olivier" if number else None,
                datasets=[key_of("datasets", f"{one}/0") for one in range(number)],
                affected_date_start="2020-01-01" if number else None,
                affected_date_end="2020-02-01" if number == 2 else None,
                version_affected="1.5" if number else "",
                json={"seen": 2} if number == 2 else None,
                created_datetime=f"2021-06-0{number + 1}T12:00:00",
            )
