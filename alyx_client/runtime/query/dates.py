"""Fields of dates, times and durations, and the parts of them that can be compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, TypeVar, cast

from alyx_client.runtime.coerce import naive
from alyx_client.runtime.query.fields import IntegerField, Ordered

__all__ = ["DateField", "DateTimeField", "DurationField", "TimeField"]

M = TypeVar("M", bound=str)
V = TypeVar("V")


class _Year(IntegerField[M]):
    """A year, for whose first and last day the server looks."""

    __slots__ = ()
    _accepts = f"a year from {dt.MINYEAR} to {dt.MAXYEAR}"

    def _plain(self, value: object, place: str) -> object:
        plain = super()._plain(value, place)
        if not dt.MINYEAR <= cast("int", plain) <= dt.MAXYEAR:
            raise ValueError(f"{place} takes {self._accepts}, not {plain}")
        return plain


class _Dates(Ordered[M, V]):
    """Parts of a date."""

    __slots__ = ()

    @property
    def year(self) -> IntegerField[M]:
        """The year."""
        return self._part("year", _Year)

    @property
    def iso_year(self) -> IntegerField[M]:
        """The year of the week, by ISO 8601."""
        return self._part("iso_year", _Year)

    @property
    def quarter(self) -> IntegerField[M]:
        """The quarter of the year, from 1 to 4."""
        return self._part("quarter")

    @property
    def month(self) -> IntegerField[M]:
        """The month, from 1 to 12."""
        return self._part("month")

    @property
    def week(self) -> IntegerField[M]:
        """The week of the year, from 1 to 53, by ISO 8601."""
        return self._part("week")

    @property
    def day(self) -> IntegerField[M]:
        """The day of the month, from 1 to 31."""
        return self._part("day")

    @property
    def week_day(self) -> IntegerField[M]:
        """The day of the week, from 1 for Sunday to 7 for Saturday."""
        return self._part("week_day")

    @property
    def iso_week_day(self) -> IntegerField[M]:
        """The day of the week, from 1 for Monday to 7 for Sunday."""
        return self._part("iso_week_day")

    def _part(self, name: str, kind: type[IntegerField[Any]] = IntegerField) -> IntegerField[M]:
        return kind(self._model, f"{self._path}__{name}", f"{self._python}.{name}")


class _Times(Ordered[M, V]):
    """Parts of a time of day."""

    __slots__ = ()

    @property
    def hour(self) -> IntegerField[M]:
        """The hour, from 0 to 23."""
        return IntegerField(self._model, f"{self._path}__hour", f"{self._python}.hour")

    @property
    def minute(self) -> IntegerField[M]:
        """The minute, from 0 to 59."""
        return IntegerField(self._model, f"{self._path}__minute", f"{self._python}.minute")

    @property
    def second(self) -> IntegerField[M]:
        """The second, from 0 to 59."""
        return IntegerField(self._model, f"{self._path}__second", f"{self._python}.second")


class DateField(_Dates[M, dt.date]):
    """A field of dates."""

    __slots__ = ()
    _accepts = "a date"

    def _plain(self, value: object, place: str) -> object:
        if isinstance(value, dt.datetime):
            raise self._refuse(value, place, "pass its .date()")
        if not isinstance(value, dt.date):
            raise self._refuse(value, place)
        return value


class TimeField(_Times[M, dt.time]):
    """A field of times of day."""

    __slots__ = ()
    _accepts = "a time of day"

    def _plain(self, value: object, place: str) -> object:
        if not isinstance(value, dt.time):
            raise self._refuse(value, place)
        if value.tzinfo is not None:  # the server would ignore it
            raise self._refuse(value, place, "pass it without its time zone")
        return value


class DateTimeField(_Dates[M, dt.datetime], _Times[M, dt.datetime]):
    """A field of dates and times, without a time zone."""

    __slots__ = ()
    _accepts = "a date-time"

    @property
    def date(self) -> DateField[M]:
        """The date, which is compared with dates."""
        return DateField(self._model, f"{self._path}__date", f"{self._python}.date")

    @property
    def time(self) -> TimeField[M]:
        """The time of day."""
        return TimeField(self._model, f"{self._path}__time", f"{self._python}.time")

    def _plain(self, value: object, place: str) -> object:
        if not isinstance(value, dt.datetime):
            is_date = isinstance(value, dt.date)
            raise self._refuse(value, place, f"compare {self._python}.date with dates" if is_date else "")
        return naive(place, value)


class DurationField(Ordered[M, dt.timedelta]):
    """A field of durations."""

    __slots__ = ()
    _accepts = "a timedelta"

    def _checked(self, values: list[object], place: str) -> tuple[list[object], tuple[str, ...]]:
        return [self._plain(value, place) for value in values], ()

    def _items(self, values: object, place: str) -> list[object]:
        return list(cast("Iterable[object]", values))

    def _plain(self, value: object, place: str) -> object:
        if not isinstance(value, dt.timedelta):
            raise self._refuse(value, place)
        seconds = value.seconds
        time = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{value.microseconds:06}"
        return f"{value.days} {time}"
