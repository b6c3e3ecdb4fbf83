"""Unpack a zip file: completely, and never outside its folder."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from alyx_client.downloads.disk import disk_errors, require_space
from alyx_client.downloads.names import case_folded, check_name
from alyx_client.errors import DamagedArchiveError, InvalidFileNameError

_BLOCK = 2**20


def unpack(archive: Path, folder: Path) -> list[str]:
    """Unpack a zip file into a new folder.

    Parameters
    ----------
    archive
        The zip file.
    folder
        The folder, which must not exist.

    Returns
    -------
    list of str
        The names of the files, with ``/`` between folders.

    Raises
    ------
    DamagedArchiveError
        It is damaged, or has an entry that must not be unpacked; such entries are looked for before any is unpacked.
    DiskFullError
        There is too little space.
    """
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            _check_entries(entries, archive.name)
            _extract(opened, entries, folder, folder / archive.name)
    # zipfile raises RuntimeError for encrypted entries, NotImplementedError for unknown compression, and the others,
    # depending on where the file is damaged.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, DamagedArchiveError):
            raise
        raise DamagedArchiveError(
            f"{archive.name} is not a zip file, or is damaged ({error}). The files that it was to replace are "
            "untouched. Try again; if the error persists, it is damaged on the server."
        ) from error
    return [entry.filename for entry in entries]


def _extract(opened: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path, target: Path) -> None:
    # The declared sizes guard against zip bombs: zipfile stops reading an entry at its declared size.
    needed = sum(entry.file_size for entry in entries)
    require_space(target, needed)
    with disk_errors(target, lambda: needed):
        for entry in entries:
            path = folder / entry.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(entry) as content, open(path, "wb") as file:
                shutil.copyfileobj(content, file, _BLOCK)


def _check_entries(entries: list[zipfile.ZipInfo], archive: str) -> None:
    for entry in entries:
        try:
            # The name as stored: zipfile's own `filename` replaces separators and drops what follows a null byte.
            for segment in entry.orig_filename.split("/"):
                check_name(segment)
        except InvalidFileNameError as error:
            raise DamagedArchiveError(f"{archive} must not be unpacked: {error}") from error
        # A link could lead a later entry, or a later reader, out of the folder.
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise DamagedArchiveError(
                f"{archive} must not be unpacked: {entry.filename!r} is a link. Nothing was written."
            )
    if len({case_folded(Path(entry.filename)) for entry in entries}) < len(entries):
        raise DamagedArchiveError(f"{archive} has two files of the same name; nothing was unpacked.")
