"""How much water a subject should get and has got, in the way Alyx reckons it.

Expected weights follow the reference weight alone: the growth curves that Alyx keeps for mice are left out.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from alyx_client.testing.records.store import Record, Store


class WaterControl:
    """The water restrictions, weighings and water administrations of one subject."""

    def __init__(self, store: Store, subject: Record) -> None:
        def rows(table: str, moment: str) -> list[Record]:
            found = [row for row in store.related(table, "subject", subject["id"]) if row[moment]]
            return sorted(found, key=lambda row: str(row[moment]))

        self._restrictions = rows("water-restriction", "start_time")
        self._weighings = rows("weighings", "date_time")
        self._water = rows("water-administrations", "date_time")
        self._surgeries = rows("surgeries", "start_time")
        self._born: str | None = subject["birth_date"]
        lab = store.get("labs", subject["lab"])
        self._reference_pct = float(lab["reference_weight_pct"]) if lab else 0.0
        self._zscore_pct = float(lab["zscore_weight_pct"]) if lab else 0.0

    def reference_weight_pct(self) -> float:
        """Return the lab's share of the reference weight."""
        return self._reference_pct

    def zscore_weight_pct(self) -> float:
        """Return the lab's share of the weight expected at the subject's age."""
        return self._zscore_pct

    def last_water_restriction(self, day: date | None = None) -> str | None:
        """Return when the restriction in force on a day began, or None."""
        restriction = self._restriction(day)
        return str(restriction["start_time"]) if restriction else None

    def reference_weight(self, day: date | None = None) -> float:
        """Return the reference weight of the restriction in force, without the implant."""
        restriction = self._restriction(day)
        if restriction is None:
            return 0.0
        began = datetime.fromisoformat(restriction["start_time"]).date()
        weight = float(restriction["reference_weight"] or self.weight(began))
        return weight - self.implant_weight(began) if weight else 0.0

    def implant_weight(self, day: date | None = None) -> float:
        """Return the weight of the last implant before a day."""
        found = _last(self._surgeries, "start_time", day)
        return found["implant_weight"] or 0 if found else 0

    def weight(self, day: date | None = None) -> float:
        """Return the last weight before a day, 0 where there is none."""
        found = _last(self._weighings, "date_time", day)
        return found["weight"] if found else 0

    def expected_weight(self, day: date | None = None) -> float:
        """Return the weight expected on a day, with the implant."""
        if not self._reference_pct + self._zscore_pct:
            return 0
        return self.reference_weight(day) + self.implant_weight(day)

    def expected_water(self, day: date | None = None) -> float:
        """Return the water due on a day, in millilitres."""
        implant = self.implant_weight(day)
        weight = self.weight(day)
        least = (self._reference_pct + self._zscore_pct) * (self.expected_weight(day) - implant) + implant
        return (0.05 if weight < least else 0.04) * float(weight - implant)

    def given_water(self, day: date | None = None, *, in_session: bool | None = None) -> float:
        """Return the water given on a day: all of it, or that of sessions, or the rest."""
        wanted = (day or date.today()).isoformat()
        return sum(
            row["water_administered"] or 0
            for row in self._water
            if str(row["date_time"])[:10] == wanted and in_session in (None, row["session"] is not None)
        )

    def remaining_water(self, day: date | None = None) -> float:
        """Return the water that is still due on a day."""
        return self.expected_water(day) - self.given_water(day)

    def records(self, start: date | None, end: date | None) -> list[dict[str, Any]]:
        """Return one row for each day."""
        moments = [str(row["date_time"])[:10] for row in (*self._weighings, *self._water)]
        first = min(moments, default=self._born)
        day = start or (date.fromisoformat(first) if first else date.today())
        last = end or date.today()
        found: list[dict[str, Any]] = []
        while day <= last:
            found.append(self._record(day))
            day += timedelta(days=1)
        return found

    def _record(self, day: date) -> dict[str, Any]:
        expected, implant, weight = self.expected_weight(day), self.implant_weight(day), self.weight(day)
        weighed = [row["weight"] for row in self._weighings if str(row["date_time"])[:10] == day.isoformat()]
        bare = expected - implant
        return {
            "date": day.isoformat(),
            "weight": weight,
            "weighing_at": weighed[-1] if weighed else None,
            "reference_weight": self.reference_weight(day),
            "expected_weight": float(expected),
            "min_weight": bare * (self._reference_pct + self._zscore_pct) + implant,
            "percentage_weight": 100 * (weight - implant) / bare if bare > 0 else 0.0,
            "given_water_reward": self.given_water(day, in_session=True),
            "given_water_supplement": self.given_water(day, in_session=False),
            "given_water_total": self.given_water(day),
            "expected_water": self.expected_water(day),
            "excess_water": -self.remaining_water(day),
            "is_water_restricted": self._restriction(day) is not None,
            "implant_weight": implant,
        }

    def _restriction(self, day: date | None) -> Record | None:
        found = _last(self._restrictions, "start_time", day)
        if found is None or (found["end_time"] and str(found["end_time"])[:10] < (day or date.today()).isoformat()):
            return None
        return found


def _last(rows: list[Record], moment: str, day: date | None) -> Record | None:
    limit = (day or date.today()).isoformat()
    return next((row for row in reversed(rows) if str(row[moment])[:10] <= limit), None)
