"""Seeds: fields of view, their locations and stacks."""

from __future__ import annotations

from alyx_client.testing.records.store import Record
from alyx_client.testing.seed.record_maker import key_of
from alyx_client.testing.seed.recordings import File, RecordingSeeds


class ImagingSeeds(RecordingSeeds):
    """Imaging."""

    def imaging(self, sessions: list[Record]) -> None:
        """Create stacks, and fields of view with their datasets and locations."""
        self.add("imaging-stack", "stack-a", name="stack-a", json=None)
        self.add("imaging-stack", "stack-b", name="stack-b", json={"planes": 2})
        for number, session in enumerate(sessions[10:15]):
            self.add(
                "fields-of-view",
                number,
                session=session["id"],
                name=f"FOV_{number:02d}",
                imaging_type=("mesoscope", "two-photon")[number % 2],
                stack=key_of("imaging-stack", "stack-a") if number in (1, 2) else None,
                json={"depth": 200} if number == 4 else None,
            )
            self.dataset(number + 10, 8, session, File("mpci.times.npy", f"alf/FOV_{number:02d}", "mpci.times", "npy"))
            for provenance in ("E", "L")[: 1 + number % 2]:
                self._location(number, provenance)

    def _location(self, number: int, provenance: str) -> None:
        # The corners of a plane, of which some coordinates are unknown.
        y: tuple[list[float | None], ...] = ([1.0, 1.0, 1.0, 1.0], [2.0, None, 3.0, 4.0])
        z: tuple[list[float | None], ...] = ([0.0, 0.0, None, 0.5], [None, None, None, None])
        self.add(
            "fov-location",
            f"{number}/{provenance}",
            field_of_view=key_of("fields-of-view", number),
            provenance=provenance,
            default_provenance=provenance == "E",
            coordinate_system=(None, "Needles-Allen")[number % 2],
            brain_region=[385, 669][: 1 + number % 2] if number else [],
            x=[1.0, 2.0, 3.0, 4.0],
            y=y[number % 2],
            z=z[number % 2],
            json={"fit": 0.9} if number == 3 else None,
            n_xyz=[512, 512, 1],
        )
