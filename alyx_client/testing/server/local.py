"""The local Alyx: a stand-in for a real server, over HTTP, in a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from alyx_client.testing.records.editor import Editor
from alyx_client.testing.records.relations import Table, generic_table
from alyx_client.testing.records.store import Store
from alyx_client.testing.records.tables import ENDPOINT_TABLES, TABLES
from alyx_client.testing.schema.document import Document
from alyx_client.testing.schema.load import load
from alyx_client.testing.schema.snapshots import DEFAULT_SNAPSHOT, snapshot
from alyx_client.testing.seed.laboratory import fill, fill_vocabularies
from alyx_client.testing.seed.subjects import PUBLIC_USER
from alyx_client.testing.server.accounts import Accounts
from alyx_client.testing.server.application import Application
from alyx_client.testing.server.fault_middleware import FaultMiddleware
from alyx_client.testing.server.faults import Faults
from alyx_client.testing.server.http_server import HttpServer
from alyx_client.testing.server.request_log import ReceivedRequest, RequestLogMiddleware

SERVER_HEADER = "alyx-client local Alyx"
DEFAULT_USERS = {"admin": "admin", "olivier": "olivier", PUBLIC_USER: PUBLIC_USER}

_seeded: Store | None = None
_seed_lock = threading.Lock()


class LocalAlyx:
    """A local Alyx server, for trying the client out and for tests.

    It reproduces the observed behaviour of a real Alyx; where they differ, the real server is right.

    Parameters
    ----------
    schema
        The schema document that the server publishes: a file, the name of a shipped snapshot, or the document itself,
        in OpenAPI or CoreAPI form. By default the snapshot that the shipped client was generated from.
    behaviour
        The document that the endpoints follow: the published one with corrections. By default the corrected document
        of the same snapshot, or else `schema` itself.
    database
        ``":memory:"``, or a file that stores the records. A file that has records is not seeded again.
    users
        Passwords by user name. Users without a record get one. Other users of the database have no password: they
        can be used only with `token`.
    seed
        Fill an empty database with a small laboratory; otherwise, only with the vocabularies that records refer to.
    port
        The port to listen on; 0 chooses a free one.
    host
        The address to listen on.
    data_login
        User name and password of the data server under ``/data/``.
    log_level
        The log level of uvicorn.

    Examples
    --------
    >>> with LocalAlyx() as local:  # doctest: +SKIP
    ...     client = AlyxClient(local.url, "olivier", "olivier")

    Attributes
    ----------
    requests
        The requests received, oldest first.
    faults
        The faults; see `Faults.add`.
    store
        The records.
    """

    def __init__(
        self,
        schema: str | Path | Mapping[str, object] | None = None,
        *,
        behaviour: str | Path | Mapping[str, object] | None = None,
        database: str | Path = ":memory:",
        users: Mapping[str, str] | None = None,
        seed: bool = True,
        port: int = 0,
        host: str = "127.0.0.1",
        data_login: tuple[str, str] = ("local", "alyx"),
        log_level: str = "critical",
    ) -> None:
        self.published, self.behaviour = _documents(schema, behaviour)
        self.tables = tables_for(self.behaviour)
        self.data_login = data_login
        self.requests: list[ReceivedRequest] = []
        self.faults = Faults()
        self._seed = seed
        self._passwords = dict(DEFAULT_USERS if users is None else users)
        self.store = Store(str(database))
        self.accounts = Accounts(self.store, self._passwords, persistent=str(database) != ":memory:")
        # A file with records is from an earlier run.
        if self.store.empty:
            self._fill()
        self._create_users()
        self._application = Application(
            self.store,
            self.tables,
            self.published,
            self.behaviour,
            self.accounts,
            self.faults,
            lambda: self.data_login,
        )
        self._server = HttpServer(host, port, log_level)

    def __enter__(self) -> LocalAlyx:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._server.url or 'not started'}>"

    @property
    def url(self) -> str:
        """The server's address, without a trailing slash."""
        url = self._server.url
        if url is None:
            raise RuntimeError("this local Alyx is not running: use it in a `with` block, or call start()")
        return url

    @property
    def data_url(self) -> str:
        """The address of the data server, with a trailing slash."""
        return f"{self.url}/data/"

    @property
    def users(self) -> dict[str, str]:
        """Passwords by user name."""
        return dict(self._passwords)

    def token(self, user: str = "admin") -> str:
        """Return the current token of a user.

        Raises
        ------
        KeyError
            There is no such user.
        """
        if self.store.find("users", "username", user) is None:
            raise KeyError(f"no user {user!r} on this local Alyx")
        return self.accounts.token(user)

    def revoke(self, user: str = "admin") -> None:
        """Invalidate a user's current token."""
        self.accounts.revoke(self.accounts.token(user))

    def save_data(self, relative_path: str, content: bytes) -> None:
        """Make the data server return these bytes at a path below ``/data/``."""
        self.store.save_file(f"data/{relative_path.lstrip('/')}", content)

    def start(self) -> LocalAlyx:
        """Start the server, and return when it accepts requests."""
        with_faults = FaultMiddleware(
            self._application.asgi, self.faults, self.accounts.revoke, self._server.transports
        )
        self._server.start(RequestLogMiddleware(with_faults, self.requests, SERVER_HEADER))
        return self

    def close(self) -> None:
        """Stop the server; records in memory are lost."""
        self._server.stop()
        self.store.close()

    def reset(self) -> None:
        """Restore the initial state: seeded records, new tokens, no faults, an empty log."""
        # In place: middleware and tests hold references to these objects.
        self.faults.clear()
        self.requests.clear()
        self.accounts.reset()
        self._fill()
        self._create_users()

    def _fill(self) -> None:
        if self._seed:
            self.store.copy_from(seeded_store())
        else:
            empty = Store()
            fill_vocabularies(empty)
            self.store.copy_from(empty)
            empty.close()

    def _create_users(self) -> None:
        editor = Editor(self.store, self.tables, None)
        for name in self._passwords:
            if self.store.find("users", "username", name) is None:
                rights = {"is_superuser": name == "admin", "is_public_user": name == PUBLIC_USER}
                editor.create("users", {"username": name, **rights})


def seeded_store() -> Store:
    """Return a seeded store to copy from; it is filled once per process, since that takes longer than a copy."""
    global _seeded
    with _seed_lock:
        if _seeded is None:
            store = Store()
            fill(store)
            _seeded = store
        return _seeded


def tables_for(document: Document) -> dict[str, Table]:
    """Return the tables of a document's endpoints: the declared ones, and generic ones for the others."""
    tables = dict(TABLES)
    for name, endpoint in document.endpoints.items():
        if name not in tables and name not in ENDPOINT_TABLES and "list" in endpoint.operations:
            tables[name] = generic_table(endpoint)
    return tables


def _documents(
    schema: str | Path | Mapping[str, object] | None, behaviour: str | Path | Mapping[str, object] | None
) -> tuple[Document, Document]:
    name = schema if isinstance(schema, str) else DEFAULT_SNAPSHOT if schema is None else None
    published = load(DEFAULT_SNAPSHOT if schema is None else schema)
    if behaviour is not None:
        return published, load(behaviour)
    corrected = snapshot(str(name), corrected=True) if name is not None else None
    return published, load(corrected) if corrected is not None else published
