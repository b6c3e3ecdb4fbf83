"""Alyx's cache tables, which `download_cache_tables` has downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from alyx_client.errors import InvalidCallError
from alyx_client.frames.libraries import library
from alyx_client.http.suggestions import suggest

__all__ = ["CachedTable", "read_cache_tables"]

_SUFFIXES = frozenset({".pqt", ".parquet"})
_PURPOSE = "reading a cache table"


def read_cache_tables(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> dict[str, CachedTable]:
    """Return the cache tables by name: ``read_cache_tables(client.download_cache_tables())["sessions"]``.

    Nothing is read before one of them is used.

    Parameters
    ----------
    paths
        The paths that `download_cache_tables` has returned, or the folder of the tables.

    Raises
    ------
    FileNotFoundError
        There are no tables in the folder.
    """
    if isinstance(paths, str | os.PathLike):
        folder = Path(paths)
        files = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
        if not files:
            raise FileNotFoundError(f"no cache tables in {folder}; client.download_cache_tables() fetches them")
    else:
        files = [Path(path) for path in paths]
    return {path.stem: CachedTable(path) for path in files}


class CachedTable:
    """A cache table: a Parquet file, whose columns have the types that it says.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"CachedTable({str(self.path)!r})"

    @property
    def columns(self) -> list[str]:
        """The names of the columns, those of the index included."""
        return list(self._parquet().read_schema(self.path).names)

    def to_pandas(self, *, columns: Sequence[str] | None = None, index: str | Sequence[str] | None = None) -> Any:
        """Return the table as a `pandas.DataFrame`.

        Parameters
        ----------
        columns
            The columns to read, in order; by default all.
        index
            The column, or columns, whose values become the labels of the rows; by default that of the file.

        Raises
        ------
        MissingLibraryError
            pandas or pyarrow is not installed.
        InvalidCallError
            There is no such column.
        """
        library("pandas")
        labels = [index] if isinstance(index, str) else list(index or [])
        self._require("index", labels)
        chosen = self._chosen(columns)
        table = self._parquet().read_table(
            self.path, columns=None if chosen is None else [*chosen, *(name for name in labels if name not in chosen)]
        )
        # The file's own index is a column like others if another one is chosen.
        frame = table.to_pandas(ignore_metadata=bool(labels) or chosen is not None)
        return frame.set_index(labels) if labels else frame

    def to_polars(self, *, columns: Sequence[str] | None = None) -> Any:
        """Return the table as a `polars.DataFrame`; parameters and errors as for `to_pandas`."""
        polars = library("polars")
        return polars.from_arrow(self.to_arrow(columns=columns))

    def to_arrow(self, *, columns: Sequence[str] | None = None) -> Any:
        """Return the table as a `pyarrow.Table`; parameters and errors as for `to_pandas`."""
        return self._parquet().read_table(self.path, columns=self._chosen(columns))

    def _parquet(self) -> Any:
        return library("pyarrow.parquet", _PURPOSE)

    def _chosen(self, columns: Sequence[str] | None) -> list[str] | None:
        if isinstance(columns, str):
            raise InvalidCallError(f"columns: pass a list of names, as in columns=[{columns!r}]")
        if columns is None:
            return None
        self._require("columns", columns)
        return list(columns)

    def _require(self, argument: str, names: Sequence[str]) -> None:
        known = self.columns if names else []
        for name in names:
            if name not in known:
                raise InvalidCallError(f"{argument}: there is no column {name!r}. {suggest(str(name), known)}")
