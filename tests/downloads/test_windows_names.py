"""Names and paths from servers, by the rules of Windows: nothing leaves its folder, and nothing is another file."""

from __future__ import annotations

import contextlib
import ntpath
import unicodedata
from pathlib import Path, PureWindowsPath
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alyx_client.downloads.names import (
    case_folded,
    check_name,
    collisions,
    companions,
    local_names,
    name_of_bytes,
    own_infix,
    part_name,
)
from alyx_client.errors import InvalidFileNameError

FOLDERS = [PureWindowsPath("C:/data"), PureWindowsPath("//server/share/data"), PureWindowsPath("data")]
DEVICES = ["CON", "PRN", "AUX", "NUL", "COM1", "COM9", "LPT1", "LPT9", "COM¹", "LPT³", "CONIN$", "CONOUT$"]
HARMLESS = ["a.npy", "CONSOLE", "COM", "COM10", "LPT", "NULL", "auxiliary.npy", "co n", "_ibl_trials.table.pqt", "été"]
# Text in which the characters and names with a meaning are frequent.
TEXTS = st.lists(
    st.sampled_from([*DEVICES, *'. :\\/?*<>|"~$', "..", "C:", "\\\\?\\", "a", "npy", "é", "e\u0301", "\0", "\x1f"])
    | st.characters(),
    max_size=8,
).map("".join)


def is_safe(name: str, folder: PureWindowsPath) -> bool:
    """Tell whether a name stands for a file in the folder, and for this one alone."""
    path = folder / name
    stem = name.partition(".")[0].rstrip(" ").upper()
    return (
        path.parent == folder
        and path.name == name
        and (path.drive, path.root) == (folder.drive, folder.root)
        and name == name.rstrip(". ")
        and stem not in DEVICES
        and not getattr(ntpath, "isreserved", lambda _: False)(name)
        and not any(ord(character) < 32 or character in '<>:"|?*' for character in name)
    )


@given(TEXTS)
def test_accepted_names_stay_in_their_folder(text: str) -> None:
    try:
        name = check_name(text)
    except InvalidFileNameError:
        return
    assert all(is_safe(name, folder) for folder in FOLDERS)
    assert unicodedata.is_normalized("NFC", name)


@given(TEXTS)
def test_accepted_paths_stay_in_their_folder(text: str) -> None:
    try:
        names = local_names(quote(text, safe="/", errors="surrogatepass"))
    except InvalidFileNameError:
        return
    for folder in FOLDERS:
        path = folder.joinpath(*names)
        assert path.parts == (*folder.parts, *names)
        assert all(is_safe(name, folder) for name in names)


@given(TEXTS.filter(bool))
def test_names_made_from_accepted_ones_are_safe(text: str) -> None:
    try:
        name = check_name(text)
    except InvalidFileNameError:
        return
    made = [part_name(name), part_name(name, own_infix()), *(path.name for path in companions(Path("data") / name))]
    with contextlib.suppress(InvalidFileNameError):  # too long
        made.append(name_of_bytes(name, 0, 10))
    for other in made:
        assert is_safe(other, FOLDERS[0])
        assert len(other.encode()) <= 255


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("form", ["{}", "{}.npy", "{}.tar.gz", "{} .npy", "{}..npy"])
def test_devices_are_refused_in_every_spelling(device: str, form: str) -> None:
    for name in (form.format(device), form.format(device.lower()), form.format(device.title())):
        with pytest.raises(InvalidFileNameError, match="device"):
            check_name(name)


@pytest.mark.parametrize("name", HARMLESS)
def test_names_that_only_look_like_devices_are_accepted(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "path",
    [
        "C:/Windows/a.npy",
        "C%3A%5CWindows%5Ca.npy",
        "a/C:b.npy",
        "%5C%5Cserver%5Cshare%5Ca.npy",
        "a/%5C%5C%3F%5CC%3A%5Ca.npy",
        "a/..%5C..%5Cb.npy",
        "a/b.npy:stream",
        "a/b.npy%3A%3A$DATA",
        "a./b.npy",
        "a%20/b.npy",
        "a/b.npy.",
    ],
)
def test_paths_with_drives_shares_and_streams_are_refused(path: str) -> None:
    with pytest.raises(InvalidFileNameError):
        local_names(path)


@given(st.text(min_size=1, max_size=6))
def test_names_that_windows_or_macos_take_for_one_collide(text: str) -> None:
    for other in {text.upper(), text.lower(), unicodedata.normalize("NFD", text)} - {text}:
        if PureWindowsPath(other) == PureWindowsPath(text) or unicodedata.normalize("NFC", other) == text:
            paths = Path("data") / f"{text}x".replace("/", "_"), Path("data") / f"{other}x".replace("/", "_")
            assert case_folded(paths[0]) == case_folded(paths[1])
            assert len(collisions([("https://x.org/1", paths[0]), ("https://x.org/2", paths[1])])) == 2
