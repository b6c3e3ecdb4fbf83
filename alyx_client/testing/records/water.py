"""Water due to a subject and administered to it, computed as in Alyx's `WaterControl`.

Expected weights follow the reference weight alone: the growth curves that Alyx has for mice are left out.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.store import Record, Store


class WaterControl:
    """The water restrictions, weighings and water administrations of one subject; weights are in grams.

    Attributes
    ----------
    reference_weight_pct, zscore_weight_pct
        The lab's shares of the reference weight, and of the weight expected at the subject's age.
    """

    def __init__(self, store: Store, subject: Record) -> None:
        def by_time(table: str, time_field: str) -> list[Record]:
            rows = [row for row in store.related(table, "subject", subject["id"]) if row[time_field]]
            return sorted(rows, key=lambda row: str(row[time_field]))

        self._restrictions = by_time("water-restriction", "start_time")
        self._weighings = by_time("weighings", "date_time")
        if len(self._weighings) < len(store.related("weighings", "subject", subject["id"])):
            # An assertion without a text: from then on, Alyx can show neither the subject nor lists that contain it.
            raise ServerFailure("")
        self._administrations = by_time("water-administrations", "date_time")
        self._surgeries = by_time("surgeries", "start_time")
        self._birth_date: str | None = subject["birth_date"]
        lab = store.get("labs", subject["lab"])
        self.reference_weight_pct = float(lab["reference_weight_pct"]) if lab else 0.0
        self.zscore_weight_pct = float(lab["zscore_weight_pct"]) if lab else 0.0

    def last_water_restriction(self, day: date | None = None) -> str | None:
        """Return the start of the restriction in force on a day, or None."""
        restriction = self._restriction(day)
        return str(restriction["start_time"]) if restriction else None

    def reference_weight(self, day: date | None = None) -> float:
        """Return the reference weight of the restriction in force, without the implant."""
        restriction = self._restriction(day)
        if restriction is None:
            return 0.0
        start = datetime.fromisoformat(restriction["start_time"]).date()
        # A restriction without a reference weight refers to the weight at its start.
        weight = float(restriction["reference_weight"] or self.weight(start))
        return weight - self.implant_weight(start) if weight else 0.0

    def implant_weight(self, day: date | None = None) -> float:
        """Return the weight of the last implant up to a day."""
        surgery = _last(self._surgeries, "start_time", day)
        return surgery["implant_weight"] or 0 if surgery else 0

    def weight(self, day: date | None = None) -> float:
        """Return the last weight up to a day, or 0."""
        weighing = _last(self._weighings, "date_time", day)
        return weighing["weight"] if weighing else 0

    def expected_weight(self, day: date | None = None) -> float:
        """Return the weight expected on a day, including the implant."""
        if not self._share:
            return 0
        return self.reference_weight(day) + self.implant_weight(day)

    def expected_water(self, day: date | None = None) -> float:
        """Return the water due on a day, in millilitres."""
        implant = self.implant_weight(day)
        weight = self.weight(day)
        minimum = self._share * (self.expected_weight(day) - implant) + implant
        # Alyx's rule: 40 ml per kg of body weight, 50 ml per kg for a subject below its minimum.
        return (0.05 if weight < minimum else 0.04) * float(weight - implant)

    def given_water(self, day: date | None = None, *, in_session: bool | None = None) -> float:
        """Return the water administered on a day; `in_session` selects the rewards of sessions, or the rest."""
        day_text = (day or date.today()).isoformat()
        return sum(
            row["water_administered"] or 0
            for row in self._administrations
            if str(row["date_time"])[:10] == day_text and in_session in (None, row["session"] is not None)
        )

    def remaining_water(self, day: date | None = None) -> float:
        """Return the water still due on a day."""
        return self.expected_water(day) - self.given_water(day)

    def records(self, start: date | None, end: date | None) -> list[Record]:
        """Return one row for every day."""
        days = [str(row["date_time"])[:10] for row in (*self._weighings, *self._administrations)]
        first = min(days, default=self._birth_date)
        day = start or (date.fromisoformat(first) if first else date.today())
        last = end or date.today()
        records: list[Record] = []
        while day <= last:
            records.append(self._record(day))
            day += timedelta(days=1)
        return records

    @property
    def _share(self) -> float:
        return self.reference_weight_pct + self.zscore_weight_pct

    def _record(self, day: date) -> Record:
        expected, implant, weight = self.expected_weight(day), self.implant_weight(day), self.weight(day)
        weights = [row["weight"] for row in self._weighings if str(row["date_time"])[:10] == day.isoformat()]
        net = expected - implant
        return {
            "date": day.isoformat(),
            "weight": weight,
            "weighing_at": weights[-1] if weights else None,
            "reference_weight": self.reference_weight(day),
            "expected_weight": float(expected),
            "min_weight": net * self._share + implant,
            "percentage_weight": 100 * (weight - implant) / net if net > 0 else 0.0,
            "given_water_reward": self.given_water(day, in_session=True),
            "given_water_supplement": self.given_water(day, in_session=False),
            "given_water_total": self.given_water(day),
            "expected_water": self.expected_water(day),
            "excess_water": -self.remaining_water(day),
            "is_water_restricted": self._restriction(day) is not None,
            "implant_weight": implant,
        }

    def _restriction(self, day: date | None) -> Record | None:
        restriction = _last(self._restrictions, "start_time", day)
        if restriction is None:
            return None
        today = (day or date.today()).isoformat()
        return None if restriction["end_time"] and str(restriction["end_time"])[:10] < today else restriction


def has_open_restriction(store: Store, subject: Record) -> bool:
    """Tell whether a subject is under a water restriction without an end."""
    restrictions = store.related("water-restriction", "subject", subject["id"])
    return any(restriction["end_time"] is None for restriction in restrictions)


def _last(rows: list[Record], time_field: str, day: date | None) -> Record | None:
    limit = (day or date.today()).isoformat()
    return next((row for row in reversed(rows) if str(row[time_field])[:10] <= limit), None)
