"""Seeds: probes, trajectories and channels."""

from __future__ import annotations

from alyx_client.testing.records.relations import TRAJECTORY_PROVENANCE
from alyx_client.testing.records.store import Record
from alyx_client.testing.seed.record_maker import RecordMaker, key_of

_PROVENANCES = tuple(TRAJECTORY_PROVENANCE.values())
_REGIONS = (593, 821, 721, 778, 33, 382, 726, 0)


class ProbeSeeds(RecordMaker):
    """Electrophysiology."""

    def probes(self, sessions: list[Record]) -> None:
        """Create probes, their trajectories and their channels."""
        self._chronic_insertions()
        for number in range(12):
            insertion = self._insertion(number, sessions[number])
            for position, provenance in enumerate(_PROVENANCES[: 1 + number % 3]):
                self._trajectory(number, insertion, position, provenance)
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
        self._channels()

    def _chronic_insertions(self) -> None:
        self.add(
            "chronic-insertions",
            0,
            name="probe00",
            subject="flowers",
            lab="cortexlab",
            model="NP2.4",
            serial="19051017292",
            start_time="2020-01-05T08:00:00",
            json=None,
        )
        self.add(
            "chronic-insertions",
            1,
            name="probe01",
            subject="clover",
            lab=None,
            model=None,
            serial="",
            start_time=None,
            json={"cement": "blue"},
        )

    def _insertion(self, number: int, session: Record) -> Record:
        is_chronic = number in (0, 3, 9)
        serial = "" if number % 2 else f"1000{number}"
        quality = {"qc": ("PASS", "CRITICAL")[number % 2], "extended_qc": {"drift": number}}
        return self.add(
            "insertions",
            number,
            session=session["id"],
            name="probe00",
            model=("3A", "3B2", "NP2.4", None)[number % 4],
            serial="19051017292" if is_chronic else serial,
            chronic_insertion=key_of("chronic-insertions", 0) if is_chronic else None,
            json=quality if number % 3 else None,
        )

    def _trajectory(self, number: int, insertion: Record, position: int, provenance: int) -> None:
        is_located = position != 1
        self.add(
            "trajectories",
            f"{number}/{provenance}",
            probe_insertion=insertion["id"],
            provenance=provenance,
            x=100.5 * number if is_located else None,
            y=-1200.0 if number != 4 else None,
            z=None if position else -200.0,
            depth=3500.0 if is_located else None,
            theta=15.0 if number != 5 else None,
            phi=180.0 if is_located else None,
            roll=0.0 if position == 2 else None,
            coordinate_system=("IBL-Allen", None)[number % 2],
            json={"uploads": 1} if position == 0 and number % 2 else None,
        )

    def _channels(self) -> None:
        for number in range(4):
            for site, region in enumerate(_REGIONS):
                is_inside = site != 7
                self.add(
                    "channels",
                    f"{number}/{site}",
                    trajectory_estimate=key_of("trajectories", f"{number}/70"),
                    brain_region=region,
                    axial=20.0 * (site + 1),
                    lateral=43.0 if site % 2 else 11.0,
                    x=100.0 + site if is_inside else None,
                    y=-200.0 if is_inside else None,
                    z=-300.0 - site if is_inside else None,
                    json={"impedance": site} if site == 3 else None,
                )
