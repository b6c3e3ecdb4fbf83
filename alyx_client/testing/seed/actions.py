"""Seeds: water restrictions, surgeries, weighings and water administrations."""

from __future__ import annotations

from alyx_client.testing.records.store import Record
from alyx_client.testing.seed.record_maker import RecordMaker, key_of

_RESTRICTED = ("flowers", "clover", "437")


class ActionSeeds(RecordMaker):
    """Treatment of subjects."""

    def actions(self, sessions: list[Record]) -> None:
        """Create water restrictions, surgeries, weighings and water administrations."""
        self.add("water-restriction", "undated", subject="heron", start_time=None, water_type="Water")
        for number, nickname in enumerate(_RESTRICTED):
            self._water_restriction(number, nickname)
            self._surgery(number, nickname)
        for number in range(10):
            self._weighing_and_water(number, sessions[number])

    def _water_restriction(self, number: int, nickname: str) -> None:
        self.add(
            "water-restriction",
            number,
            subject=nickname,
            start_time=f"2020-01-0{number + 1}T08:00:00",
            end_time="2020-11-30T08:00:00" if nickname == "437" else None,
            water_type=(None, "Hydrogel", "Water")[number],
            reference_weight=22.5 + number,
        )

    def _surgery(self, number: int, nickname: str) -> None:
        procedures = [key_of("procedures", "craniotomy"), key_of("procedures", "Headplate")]
        self.add(
            "surgeries",
            number,
            subject=nickname,
            start_time=f"2019-12-1{number}T10:00:00",
            end_time="2019-12-11T11:00:00" if number == 1 else None,
            json={"surgeon": "left-handed"} if number == 1 else None,
            outcome_type=("r", "", "a")[number],
            implant_weight=1.2,
            procedures=procedures[: number + 1],
            users=[key_of("users", "olivier")] if number else [],
            location=key_of("locations", "rig-1") if number == 0 else None,
            lab=(key_of("labs", "cortexlab"), None, key_of("labs", "hillside"))[number],
            narrative="" if number else "no trouble",
        )

    def _weighing_and_water(self, number: int, session: Record) -> None:
        nickname = ("flowers", "clover")[number % 2]
        time = f"2020-02-{number + 1:02d}T09:00:00"
        user = None if number == 4 else "olivier"
        self.add("weighings", number, subject=nickname, date_time=time, weight=22.0 + number / 10, user=user)
        self.add(
            "water-administrations",
            number,
            subject=nickname,
            date_time=time,
            water_administered=None if number == 3 else 0.8,
            water_type=("Water", "Hydrogel", "Water 10% Sucrose")[number % 3],
            user=user,
            session=session["id"] if number % 3 else None,
            adlib=number == 3,
        )
