"""Seeds: sessions and datasets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from alyx_client.testing.records.files import content_of
from alyx_client.testing.records.store import Record
from alyx_client.testing.seed.record_maker import RecordMaker, key_of
from alyx_client.testing.seed.subjects import SUBJECTS

_QUALITIES = (0, 10, 30, 40, 50)
_PROTOCOLS = ("_tests_choice_world_6.4.2", "_tests_passive_1.0", "")


@dataclass(frozen=True)
class File:
    """The file of a seeded dataset."""

    name: str
    collection: str
    dataset_type: str
    data_format: str


_FILES = (
    File("trials.table.pqt", "alf", "trials.table", "pqt"),
    File("wheel.position.npy", "alf", "wheel.position", "npy"),
    File("_tests_leftCamera.times.npy", "alf", "camera.times", "npy"),
    File("spikes.times.npy", "alf/probe00", "spikes.times", "npy"),
    File("spikes.clusters.npy", "alf/probe00", "spikes.clusters", "npy"),
    File("clusters.metrics.csv", "alf/probe00", "clusters.metrics", "csv"),
)


class RecordingSeeds(RecordMaker):
    """Sessions, and the datasets recorded in them."""

    def sessions(self) -> list[Record]:
        """Create sessions, and return them."""
        sessions = [self._session(number) for number in range(30)]
        # A session with a parent, and one that lost its lab: rare, but real records have both.
        sessions[8] = self.store.update("sessions", sessions[8]["id"], {"parent_session": sessions[2]["id"]})
        sessions[17] = self.store.update("sessions", sessions[17]["id"], {"lab": None})
        return sessions

    def _session(self, number: int) -> Record:
        nickname, lab = SUBJECTS[number % 6][:2]
        day = f"2020-{1 + number // 12:02d}-{1 + number % 28:02d}"
        users = ["olivier"] if number % 2 else ["olivier", "amina"]
        procedures = ["Recording"] if number % 3 else []
        return self.add(
            "sessions",
            number,
            subject=nickname,
            lab=lab,
            users=users if number != 5 else [],
            location=("rig-1", "rig-2", None)[number % 3] if lab == "cortexlab" else None,
            procedures=procedures if number % 10 != 6 else ["Histology"],
            projects=(["practice"], ["practice", "brain_map"], [])[number % 3],
            type=("Experiment", None)[number % 2],
            task_protocol=_PROTOCOLS[number % 3],
            number=None if number == 9 else 1 + number % 2,
            start_time=f"{day}T{9 + number % 8:02d}:30:00",
            end_time=None if number % 3 else f"{day}T{10 + number % 8:02d}:45:00",
            narrative="" if number % 4 else "went well",
            json=None if number % 2 else {"rig": number % 3, "notes": ["a", "b"]},
            **self._results(number),
        )

    def _results(self, number: int) -> Record:
        trials = None if number % 4 == 3 else 300 + 10 * number
        extended_qc = {"dlc": number / 30, "_task_stimOn": "PASS", "ok": number % 2 == 0}
        return {
            "n_trials": trials,
            "n_correct_trials": None if trials is None or number % 5 == 4 else trials * (50 + number) // 100,
            "qc": _QUALITIES[number % 5],
            "extended_qc": None if number % 3 == 2 else extended_qc,
        }

    def datasets(self, sessions: list[Record]) -> None:
        """Create the datasets of the first sessions."""
        for number, session in enumerate(sessions[:16]):
            for position, file in enumerate(_FILES[: 3 + number % 4]):
                self.dataset(number, position, session, file)

    def dataset(self, number: int, position: int, session: Record, file: File) -> None:
        """Create one dataset and its file records."""
        key = key_of("datasets", f"{number}/{position}")
        size = None if (number + position) % 11 == 7 else 100 * (number + 1) + 17 * position
        digest = hashlib.md5(content_of(key, size), usedforsecurity=False).hexdigest()
        revision = "2021-01-01" if position == 2 and number % 3 == 0 else None
        self.add(
            "datasets",
            f"{number}/{position}",
            name=file.name,
            session=session["id"],
            collection=file.collection,
            dataset_type=file.dataset_type,
            data_format=file.data_format,
            created_by=None if position == 1 else "olivier",
            created_datetime=f"{session['start_time'][:10]}T18:00:00",
            file_size=size,
            hash="" if size is None else digest,
            version="" if position == 1 else "1.5.37",
            qc=_QUALITIES[position % 5],
            revision=revision,
            tags=["2021_Q1_first_release"] if number < 3 and position == 0 else [],
            json={"samples": size} if position == 3 else None,
        )
        revision_folder = f"#{revision}#/" if revision else ""
        path = f"{self._folder(number, session)}/{file.collection}/{revision_folder}{file.name}"
        self._file_records(number, position, session, path)

    def _folder(self, number: int, session: Record) -> str:
        nickname = SUBJECTS[number % 6][0]
        return f"{nickname}/{session['start_time'][:10]}/{session['number'] or 1:03d}"

    def _file_records(self, number: int, position: int, session: Record, path: str) -> None:
        lab = self.store.get("labs", session["lab"])
        lab_name = lab["name"] if lab else "cortexlab"
        repositories = ["data_server"]
        if lab and lab_name == "cortexlab":
            repositories.append("cortexlab_rig")
        for repository in repositories:
            is_server = repository == "data_server"
            self.add(
                "files",
                f"{number}/{position}/{repository}",
                dataset=key_of("datasets", f"{number}/{position}"),
                data_repository=repository,
                relative_path=f"{lab_name}/Subjects/{path}",
                # Some datasets have no file on the server yet.
                exists=is_server and (number + position) % 9 != 8,
                json=None if is_server or position != 2 else {"transfer": "pending"},
            )
