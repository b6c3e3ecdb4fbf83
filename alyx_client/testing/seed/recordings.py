"""Seeds: sessions, datasets, probes and fields of view."""

from __future__ import annotations

import hashlib

from alyx_client.testing.records.relations import TRAJECTORY_PROVENANCE
from alyx_client.testing.records.store import Record
from alyx_client.testing.seed.record_maker import RecordMaker, key_of
from alyx_client.testing.seed.subjects import SUBJECTS
from alyx_client.testing.server.data_server import content_of

_FILES = (
    ("trials.table.pqt", "alf", "trials.table", "pqt"),
    ("wheel.position.npy", "alf", "wheel.position", "npy"),
    ("_tests_leftCamera.times.npy", "alf", "camera.times", "npy"),
    ("spikes.times.npy", "alf/probe00", "spikes.times", "npy"),
    ("spikes.clusters.npy", "alf/probe00", "spikes.clusters", "npy"),
    ("clusters.metrics.csv", "alf/probe00", "clusters.metrics", "csv"),
)


class RecordingSeeds(RecordMaker):
    """What a laboratory records."""

    def sessions(self) -> list[Record]:
        """Make sessions, and return them."""
        sessions: list[Record] = []
        qualities = (0, 10, 30, 40, 50)
        protocols = ("_tests_choice_world_6.4.2", "_tests_passive_1.0", "")
        for number in range(30):
            nickname, lab = SUBJECTS[number % 6][:2]
            day = f"2020-{1 + number // 12:02d}-{1 + number % 28:02d}"
            trials = None if number % 4 == 3 else 300 + 10 * number
            kept = self.add(
                "sessions",
                number,
                subject=nickname,
                lab=lab,
                users=[] if number == 5 else ["olivier"] if number % 2 else ["olivier", "amina"],
                location=("rig-1", "rig-2", None)[number % 3] if lab == "cortexlab" else None,
                procedures=["Histology"] if number % 10 == 6 else ["Recording"] if number % 3 else [],
                projects=(["practice"], ["practice", "brain_map"], [])[number % 3],
                type=("Experiment", None)[number % 2],
                task_protocol=protocols[number % 3],
                number=None if number == 9 else 1 + number % 2,
                start_time=f"{day}T{9 + number % 8:02d}:30:00",
                end_time=None if number % 3 else f"{day}T{10 + number % 8:02d}:45:00",
                narrative="went well" if number % 4 == 0 else "",
                n_trials=trials,
                n_correct_trials=None if trials is None or number % 5 == 4 else trials * (50 + number) // 100,
                qc=qualities[number % 5],
                extended_qc=None
                if number % 3 == 2
                else {"dlc": number / 30, "_task_stimOn": "PASS", "ok": number % 2 == 0},
                json=None if number % 2 else {"rig": number % 3, "notes": ["a", "b"]},
            )
            sessions.append(kept)
        sessions[8] = self.store.update("sessions", sessions[8]["id"], {"parent_session": sessions[2]["id"]})
        sessions[17] = self.store.update("sessions", sessions[17]["id"], {"lab": None})
        return sessions

    def datasets(self, sessions: list[Record]) -> None:
        """Make datasets of the first sessions, with their file records."""
        for number, session in enumerate(sessions[:16]):
            nickname = SUBJECTS[number % 6][0]
            folder = f"{nickname}/{session['start_time'][:10]}/{session['number'] or 1:03d}"
            for position, (name, collection, kind, form) in enumerate(_FILES[: 3 + number % 4]):
                self._dataset(number, position, session, folder, name, collection, kind, form)

    def _dataset(
        self, number: int, position: int, session: Record, folder: str, name: str, collection: str, kind: str, form: str
    ) -> None:
        key = key_of("datasets", f"{number}/{position}")
        size = None if (number + position) % 11 == 7 else 100 * (number + 1) + 17 * position
        digest = hashlib.md5(content_of(key, size), usedforsecurity=False).hexdigest()
        revision = "2021-01-01" if position == 2 and number % 3 == 0 else None
        self.add(
            "datasets",
            f"{number}/{position}",
            name=name,
            session=session["id"],
            collection=collection,
            dataset_type=kind,
            data_format=form,
            created_by=None if position == 1 else "olivier",
            created_datetime=f"{session['start_time'][:10]}T18:00:00",
            file_size=size,
            hash="" if size is None else digest,
            version="" if position == 1 else "1.5.37",
            qc=(0, 10, 30, 40, 50)[position % 5],
            revision=revision,
            tags=["2021_Q1_first_release"] if number < 3 and position == 0 else [],
            json={"samples": size} if position == 3 else None,
        )
        lab = self.store.get("labs", session["lab"])
        root = f"{lab['name'] if lab else 'cortexlab'}/Subjects"
        inner = f"#{revision}#/" if revision else ""
        repositories = ["data_server", "cortexlab_rig"] if lab and lab["name"] == "cortexlab" else ["data_server"]
        for repository in repositories:
            self.add(
                "files",
                f"{number}/{position}/{repository}",
                dataset=key,
                data_repository=repository,
                relative_path=f"{root}/{folder}/{collection}/{inner}{name}",
                exists=repository == "data_server" and (number + position) % 9 != 8,
                json={"transfer": "pending"} if repository != "data_server" and position == 2 else None,
            )

    def probes(self, sessions: list[Record]) -> None:
        """Make insertions, trajectories and channels."""
        for number in range(2):
            self.add(
                "chronic-insertions",
                number,
                name=f"probe0{number}",
                subject=("flowers", "clover")[number],
                lab="cortexlab" if number == 0 else None,
                model="NP2.4" if number == 0 else None,
                serial="19051017292" if number == 0 else "",
                start_time="2020-01-05T08:00:00" if number == 0 else None,
                json={"cement": "blue"} if number else None,
            )
        provenances = list(TRAJECTORY_PROVENANCE.values())
        for number in range(12):
            chronic = key_of("chronic-insertions", 0) if number in (0, 3, 9) else None
            insertion = self.add(
                "insertions",
                number,
                session=sessions[number]["id"],
                name="probe00",
                model=("3A", "3B2", "NP2.4", None)[number % 4],
                serial="19051017292" if chronic else "" if number % 2 else f"1000{number}",
                chronic_insertion=chronic,
                json=None
                if number % 3 == 0
                else {"qc": ("PASS", "CRITICAL")[number % 2], "extended_qc": {"drift": number}},
            )
            for position, provenance in enumerate(provenances[: 1 + number % 3]):
                found = None if position == 1 else 100.5 * number
                self.add(
                    "trajectories",
                    f"{number}/{provenance}",
                    probe_insertion=insertion["id"],
                    provenance=provenance,
                    x=found,
                    y=-1200.0 if number != 4 else None,
                    z=None if position else -200.0,
                    depth=3500.0 if found is not None else None,
                    theta=15.0 if number != 5 else None,
                    phi=180.0 if position != 1 else None,
                    roll=0.0 if position == 2 else None,
                    coordinate_system=("IBL-Allen", None)[number % 2],
                    json={"uploads": 1} if position == 0 and number % 2 else None,
                )
        self.add(
            "trajectories",
            "chronic",
            chronic_insertion=key_of("chronic-insertions", 0),
            provenance=70,
            x=1.0,
            y=2.0,
            depth=3000.0,
            theta=10.0,
            phi=0.0,
        )
        for number in range(4):
            for site in range(8):
                self.add(
                    "channels",
                    f"{number}/{site}",
                    trajectory_estimate=key_of("trajectories", f"{number}/70"),
                    brain_region=(593, 821, 721, 778, 33, 382, 726, 0)[site],
                    axial=20.0 * (site + 1),
                    lateral=43.0 if site % 2 else 11.0,
                    x=None if site == 7 else 100.0 + site,
                    y=None if site == 7 else -200.0,
                    z=None if site == 7 else -300.0 - site,
                    json={"impedance": site} if site == 3 else None,
                )

    def imaging(self, sessions: list[Record]) -> None:
        """Make fields of view, their locations and stacks."""
        for name in ("stack-a", "stack-b"):
            self.add("imaging-stack", name, name=name, json=None if name == "stack-a" else {"planes": 2})
        for number in range(5):
            stack = key_of("imaging-stack", "stack-a") if number in (1, 2) else None
            self.add(
                "fields-of-view",
                number,
                session=sessions[number + 10]["id"],
                name=f"FOV_{number:02d}",
                imaging_type=("mesoscope", "two-photon")[number % 2],
                stack=stack,
                json={"depth": 200} if number == 4 else None,
            )
            session = sessions[number + 10]
            folder = f"{SUBJECTS[(number + 10) % 6][0]}/{session['start_time'][:10]}/{session['number']:03d}"
            self._dataset(
                number + 10, 8, session, folder, "mpci.times.npy", f"alf/FOV_{number:02d}", "mpci.times", "npy"
            )
            for provenance in ("E", "L")[: 1 + number % 2]:
                self.add(
                    "fov-location",
                    f"{number}/{provenance}",
                    field_of_view=key_of("fields-of-view", number),
                    provenance=provenance,
                    default_provenance=provenance == "E",
                    coordinate_system=(None, "Needles-Allen")[number % 2],
                    brain_region=[385, 669][: 1 + number % 2] if number else [],
                    x=[1.0, 2.0, 3.0, 4.0],
                    y=[2.0, None, 3.0, 4.0] if number % 2 else [1.0, 1.0, 1.0, 1.0],
                    z=[None, None, None, None] if number % 2 else [0.0, 0.0, None, 0.5],
                    json={"fit": 0.9} if number == 3 else None,
                    n_xyz=[512, 512, 1],
                )
