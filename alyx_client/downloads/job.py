"""One file to download."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.options import Options
from alyx_client.lazy_dataclasses import dataclass

JobKey = tuple[str, Path]


@dataclass(frozen=True, slots=True)
class Job:
    """One file to download.

    Parameters
    ----------
    url
        Its URL, in normal form.
    target
        The local file.
    servers
        The servers, with the login for this file.
    options
        Options of the call.
    size, digest
        Number of bytes and hash according to the file's record; None if there is none, or for a range of bytes.
    """

    url: str
    target: Path
    servers: DataServers = field(repr=False)
    options: Options = field(default_factory=Options)
    size: int | None = None
    digest: str | None = None

    @property
    def key(self) -> JobKey:
        """URL and target: sources that share both are downloaded once."""
        return self.url, self.target

    @property
    def printable_url(self) -> str:
        """The URL without its query, which may be a signature."""
        return self.url.partition("?")[0]

    @property
    def first(self) -> int:
        """The first byte to download."""
        return self.options.chunks[0] if self.options.chunks else 0

    @property
    def count(self) -> int | None:
        """The number of bytes to download, if not the whole file."""
        return self.options.chunks[1] if self.options.chunks else None
