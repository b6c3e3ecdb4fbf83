"""Methods that return, take or show tables; the room that makes them, `frames`, is imported when one is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from alyx_client.http.arguments import shown
from alyx_client.http.suggestions import missing_attribute
from alyx_client.runtime.completion import evaluate_results, rows_of

if TYPE_CHECKING:
    # Neither pandas nor pyarrow has types; with the package pandas-stubs, type checkers know its tables.
    import pandas  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
    import polars
    import pyarrow  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

__all__ = ["AsyncTabular", "FromTable", "ShownEntries", "ShownRecord", "ShownRows", "Tabular"]


class ShownRows:
    """Rows that notebooks show as a table."""

    __slots__ = ()

    def _fetched_rows(self) -> tuple[Sequence[Any], int | None, object]:
        """Return the rows that were fetched, the number of all, None if it is not known, and their declared type."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        # As repr(), it must not perform I/O.
        from alyx_client.frames.display import rows_html

        rows, count, declared = self._fetched_rows()
        return rows_html(type(self).__name__.partition("[")[0], rows, count, declared)


class ShownRecord:
    """A record that notebooks show as a table of two columns."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from alyx_client.frames.display import record_html

        return record_html(cast("Any", self))


class ShownEntries:
    """A container on this computer that notebooks show as a table."""

    __slots__ = ()

    def _shown_entries(self) -> tuple[str, Mapping[str, Mapping[str, object]], Sequence[str]]:
        """Return the name of the container, the fields of each entry by what heads its row, and remarks."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        from alyx_client.frames.display import entries_html

        return entries_html(*self._shown_entries())


class Tabular(ShownRows):
    """Rows that can be returned as a table, whose columns have the declared types of the fields."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __class_getitem__(cls, row: Any) -> Any:
            return rows_of(cls, row) if isinstance(row, type) else super().__class_getitem__(row)

        def __getattr__(self, name: str) -> Any:
            # Those who think of a table: of its columns, or of its methods.
            way = f"They become a table: .to_pandas().{name}, and [row.{name} for row in rows] has a field of each"
            raise missing_attribute(self, name, "" if name.startswith("_") else f"{way}.")

    @staticmethod
    def _refuse_column(index: object) -> None:
        """Raise if an index is that of a table: the name of a column, or a condition on its rows."""
        if not isinstance(index, slice) and not hasattr(index, "__index__"):
            raise TypeError(
                f"rows have indices and slices, not {shown(index)}. They become a table: .to_pandas()[...]; "
                "[row for row in rows if ...] has those that fit."
            )

    def _table_rows(self) -> tuple[Sequence[Any], object]:
        """Return the rows, whether records or not, and their declared type; None if it is that of the records."""
        raise NotImplementedError

    def to_pandas(
        self,
        *,
        columns: Sequence[str] | None = None,
        index: str | None = None,
        json: Literal["object", "text"] = "object",
    ) -> pandas.DataFrame:
        """Return the rows as a table of pandas.

        Parameters
        ----------
        columns
            The fields that become columns, in order, by the server's names; by default all.
        index
            The field whose values become the labels of the rows, such as ``"id"``.
        json
            Whether values of JSON fields are Python's objects or JSON text.

        Raises
        ------
        MissingLibraryError
            pandas is not installed.
        InvalidCallError
            There is no such column; the message suggests the nearest ones.
        """
        from alyx_client.frames.tables import to_pandas

        rows, declared = self._table_rows()
        return to_pandas(rows, declared, columns=columns, index=index, json=json)

    def to_polars(
        self, *, columns: Sequence[str] | None = None, json: Literal["object", "text"] = "text"
    ) -> polars.DataFrame:
        """Return the rows as a table of polars; parameters and errors as for `to_pandas`."""
        from alyx_client.frames.tables import to_polars

        rows, declared = self._table_rows()
        frame: polars.DataFrame = to_polars(rows, declared, columns=columns, json=json)
        return frame

    def to_arrow(self, *, columns: Sequence[str] | None = None) -> pyarrow.Table:  # pyright: ignore[reportUnknownParameterType, reportUnknownMemberType]
        """Return the rows as a table of Arrow, in which JSON is text; parameters and errors as for `to_pandas`."""
        from alyx_client.frames.tables import to_arrow

        rows, declared = self._table_rows()
        return to_arrow(rows, declared, columns=columns)


evaluate_results(vars(Tabular)[name] for name in ("to_pandas", "to_polars", "to_arrow"))


class AsyncTabular(ShownRows):
    """Asynchronous version of `Tabular`."""

    __slots__ = ()

    async def _table_rows(self) -> tuple[Sequence[Any], object]:
        """Return the rows, whether records or not, and their declared type."""
        raise NotImplementedError

    async def to_pandas(
        self,
        *,
        columns: Sequence[str] | None = None,
        index: str | None = None,
        json: Literal["object", "text"] = "object",
    ) -> pandas.DataFrame:
        """Asynchronous version of `Tabular.to_pandas`."""
        from alyx_client.frames.tables import to_pandas

        rows, declared = await self._table_rows()
        return to_pandas(rows, declared, columns=columns, index=index, json=json)

    async def to_polars(
        self, *, columns: Sequence[str] | None = None, json: Literal["object", "text"] = "text"
    ) -> polars.DataFrame:
        """Asynchronous version of `Tabular.to_polars`."""
        from alyx_client.frames.tables import to_polars

        rows, declared = await self._table_rows()
        frame: polars.DataFrame = to_polars(rows, declared, columns=columns, json=json)
        return frame

    async def to_arrow(self, *, columns: Sequence[str] | None = None) -> pyarrow.Table:  # pyright: ignore[reportUnknownParameterType, reportUnknownMemberType]
        """Asynchronous version of `Tabular.to_arrow`."""
        from alyx_client.frames.tables import to_arrow

        rows, declared = await self._table_rows()
        return to_arrow(rows, declared, columns=columns)


class FromTable:
    """A resource that can be made from each row of a table."""

    __slots__ = ()

    @classmethod
    def from_frame(cls, frame: object) -> list[Self]:
        """Return a resource for each row of a table, for ``create_many``.

        A cell without a value (null, NA, NaT or NaN) leaves the field out, so that the server's default applies.

        Parameters
        ----------
        frame
            A table of pandas, polars or Arrow, whose columns are fields of the resource. A named index of pandas is a
            column, too.

        Raises
        ------
        InvalidTableError
            There is no field of a column's name, the column of a required field is missing, or cells cannot be sent;
            the message names each by row and column.
        """
        from alyx_client.frames.resources import resources_from_frame

        return resources_from_frame(cast("Any", cls), frame)  # a resource, which this module cannot import

    @classmethod
    def changes_from_frame(cls, frame: object, key: str) -> dict[Any, Any]:
        """Return the changes in each row of a table by the key of its record, for ``partial_update_many``.

        A cell without a value (null, None, NA, NaT or NaN) leaves the field of the record as it is; a row without any
        value is left out.

        Parameters
        ----------
        frame
            A table of pandas, polars or Arrow, whose other columns are fields to change. A named index of pandas is a
            column, too.
        key
            The column of the keys, such as ``"id"`` or ``"nickname"``.

        Raises
        ------
        InvalidTableError
            There is no column of the keys, or no field of a column's name; a key is missing or there twice, or cells
            cannot be sent; the message names each by row and column.
        """
        from alyx_client.frames.resources import changes_from_frame

        return changes_from_frame(cast("Any", cls), frame, key)
