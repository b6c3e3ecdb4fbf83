"""A look at a SQLite file without changing it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

__all__ = ["damage_of"]


def damage_of(file: Path) -> str | None:
    """Return what is wrong with a database file; None if nothing is, or if another process holds it.

    Parameters
    ----------
    file
        The file, which is only read.
    """
    import sqlite3

    from alyx_client.storage.sqlite_connection import is_damage

    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            text = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error) if is_damage(error) else None
    return None if text == "ok" else " ".join(text.split())
