"""The synchronous client, without the endpoints that a generated client adds."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from alyx_client.auth.token import hide
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.client.base import CACHE_INFO, ClientBase
from alyx_client.client.by_name import CallsByName
from alyx_client.client.waiting_writes import Requests, after_call
from alyx_client.errors import AlyxError
from alyx_client.http.arguments import require, require_folder, require_text
from alyx_client.http.deadline import Deadline
from alyx_client.http.flow import Expires, Flow, Send, drive
from alyx_client.http.json_body import read_json
from alyx_client.http.message import Request, Response
from alyx_client.http.transport import SyncTransport
from alyx_client.http.transport_options import TransportOptions
from alyx_client.runtime.checked_calls import with_checked_calls
from alyx_client.storage.sqlite import waiting_at_most

if TYPE_CHECKING:
    from alyx_client.downloads.options import DownloadOptions
    from alyx_client.outbox.sync import Outbox
    from alyx_client.runtime.action import Action
    from alyx_client.runtime.bulk_options import BulkArguments
    from alyx_client.runtime.bulk_results import BulkResults
    from alyx_client.schema.report import Report

__all__ = ["BaseClient"]

T = TypeVar("T")


@with_checked_calls
class BaseClient(CallsByName, ClientBase):  # noqa: D101 - the next line documents it
    __doc__ = ClientBase.__doc__

    _transport: SyncTransport
    _is_synchronous = True

    def _open(self, auth: TokenAuth, **options: Unpack[TransportOptions]) -> None:
        self._transport = SyncTransport(self.base_url, auth, **options)

    def send(
        self,
        request: Request,
        *,
        expires: Expires = None,
        bypass_cache: bool = False,
        timeout: float | Deadline | None = None,
    ) -> Response:
        """Send a request, with the token, unless its response is cached.

        Parameters
        ----------
        request
            The request.
        expires
            How long the response may be served from the cache; True bypasses the cache; by default `default_expiry`.
        bypass_cache
            Ask the server even if the response is cached.
        timeout
            Time limit for all of this, in seconds; by default that of the client.

        Returns
        -------
        Response
            A successful response (2xx).

        Raises
        ------
        AlyxError
            By its meaning; see `alyx_client.errors`.
        """
        deadline = Deadline.of(timeout, self.timeout)
        self._transport.require_open()
        with waiting_at_most(deadline.longest_wait):
            call = self._begin(request, expires, bypass_cache)
            try:
                if call.response is not None:
                    return call.response
                response = call.store(self._transport.send(request, fail_fast=call.fail_fast, timeout=deadline))
            except AlyxError as error:
                return call.fallback(error)
            finally:
                call.close()
                if self._transport.is_closed:
                    # Closed meanwhile, and opened again by the end of this call.
                    self._cache.close()
        # A deadline is that of the call that this request is a part of.
        if not isinstance(timeout, Deadline):
            requests = Requests()
            requests.add(request, response)
            self._after_call(requests, deadline)
        return response

    def run(self, flow: Flow[T], timeout: float | None = None) -> T:
        """Run a flow in this thread; its requests go through the cache, as those of `send` do.

        Parameters
        ----------
        flow
            The flow, see `alyx_client.http.flow`.
        timeout
            Time limit for the flow, in seconds; by default that of the client.

        Returns
        -------
        T
            What the flow returns.
        """
        require("flow", flow, Generator, "a flow")
        deadline = Deadline.of(timeout, self.timeout)
        requests = Requests()
        result = drive(flow, partial(self._send_step, deadline, requests), deadline)
        self._after_call(requests, deadline)
        return result

    def run_many(self, action: Action[Any], items: object, **options: Unpack[BulkArguments]) -> BulkResults[Any]:
        """Carry out an action for many records, as the methods of endpoints (``read_many``, …) do.

        Parameters
        ----------
        action
            The action for one record.
        items
            The input, as the method takes it.
        **options
            The options of the method, and what generated code adds.

        Returns
        -------
        BulkResults
            The records.

        Raises
        ------
        BulkError
            Records failed.
        """
        from alyx_client.bulk.calls import run_many

        self._transport.require_open()
        return run_many(self, action, items, **options)

    @property
    def outbox(self) -> Outbox:
        """The writes that wait for the server: ``client.outbox.write(client.weighings.create, ...)``."""
        # Most programs do without.
        from alyx_client.outbox.sync import Outbox

        return Outbox(self, self._auth, self._deliver, sends=self._settings.send_outbox)

    def authenticate(
        self,
        username: str | None = None,
        password: str | None = None,
        cache_token: bool = True,
        force: bool = False,
        token: str | Mapping[str, str] | None = None,
    ) -> None:
        """Log in now; until that has succeeded, everything stays as it was.

        Parameters
        ----------
        username, password
            The login; by default that of the client, of the environment, of the settings or of ONE, or a prompt.
        cache_token
            Whether to store the token for the next session.
        force
            Whether to ignore stored tokens.
        token
            A token in place of a password; it is checked with the server before it is stored.

        Raises
        ------
        AuthenticationError
            The server refused the password or the token.
        MissingCredentialsError
            There is neither token nor password, and the session is not interactive; nothing was sent.
        """
        password, token = hide(password), hide(token)
        from alyx_client.auth.login import authenticate, check_login

        check_login(username, password, token)
        flow = authenticate(self._auth, username, password, cache_token=cache_token, force=force, token=token)
        deadline = Deadline(self._login_timeout, "login_timeout")
        drive(flow, partial(self._send_login, deadline), deadline)

    def ensure_token(self) -> None:
        """Log in unless there is a token: clients travel to other processes with theirs, and without the password."""
        if self._settings.pickle_token and not self.offline and self._auth.known_token() is None:
            self.authenticate()

    def logout(self) -> None:
        """Forget the token, in memory and where it is stored, and delete this user's cached responses.

        ONE's files and the environment are left alone; the client ignores them from then on.
        """
        from alyx_client.auth.login import log_out

        deadline = Deadline(self._login_timeout, "login_timeout")
        logged_out = drive(log_out(self._auth), partial(self._send_login, deadline), deadline)
        if logged_out.identity is not None:
            self._cache.clear(logged_out.identity)

    def download_file(self, url: Any, **options: Unpack[DownloadOptions]) -> Any:
        """Download a data file, or several.

        A file is written to ``<name>.part`` and gets its name only when it is complete; after an interruption, the next
        call resumes it. A file that exists is accepted if it has the size of its record, or the hash if the record has
        no size; without a record it is trusted.

        Parameters
        ----------
        url
            A URL, a path on the data server, the record of a dataset or a file (a dictionary, typed, or the row of a
            table of pandas), or a list of these. The key of a dataset names no file: pass
            ``client.datasets.read(key)``, and ``client.datasets.list(session=key)`` for all files of a session.
        target_dir
            The folder for the files, or one for each; by default `cache_dir`.
        keep_tree
            Whether to create the server's folders below it; by default the files are placed side by side.
        clobber
            Download files even if they exist.
        chunks
            ``(first_byte, n_bytes)``: only these bytes. They are written to a file of another name, so that it is not
            mistaken for the complete one: bytes 100 to 149 of ``a.npy`` to ``a.bytes-100-149.npy``. It is shorter if
            the file ends earlier.
        return_md5
            Return the MD5 of each file, too.
        verify
            Compare existing files, too, with the record's hash, or else with the server's size.
        silent
            Show no progress; by default as the client.
        headers
            Further headers. Credentials among them are sent to the source's own server only.
        username, password
            A login for the files' server, in place of the data server's own.

        Returns
        -------
        pathlib.Path or list of pathlib.Path
            The path of the file, or of the files in the order of the sources. With ``return_md5`` a pair of path and
            MD5, or the paths and the MD5s as two tuples in a list.

        Raises
        ------
        DownloadsFailedError
            Some files of a list could not be downloaded, for any of the reasons below; all others were. ``results`` has
            the path or the error of each. Two files that would have the same path are both refused.
        ForeignURLError, InvalidFileNameError, NoDataURLError
            A single source is on none of the servers, has an unusable name, or has no URL; nothing was sent.
        AlyxError
            A single file could not be downloaded.
        OSError
            A single file cannot be written, or the folder for all files cannot be created.
        TypeError, ValueError
            A single source or an argument of the call is wrong; nothing was sent.
        """
        self._transport.require_open()
        return self._downloader.download(url, **options)

    def download_cache_tables(
        self, source: str | None = None, destination: str | os.PathLike[str] | None = None
    ) -> list[Path]:
        """Download the tables of sessions and datasets, unless the existing ones are current.

        Parameters
        ----------
        source
            The URL of the zip archive; by default Alyx's own.
        destination
            The folder for the tables; by default `cache_dir`.

        Returns
        -------
        list of pathlib.Path
            The parquet files.

        Raises
        ------
        AlyxError
            They could not be downloaded, or are damaged; the existing ones are left alone.
        """
        require_text("source", source)
        require_folder("destination", destination)
        self._transport.require_open()
        info = read_json(self.send(CACHE_INFO, bypass_cache=True)) if source is None else None
        return self._downloader.download_cache_tables(source, destination, info=info)

    def check_schema(self) -> Report:
        """Report what has changed on the server since this client was generated.

        The server's schema is fetched and compared with the one that the client was generated from, both as published.
        No other call does this by itself.

        Returns
        -------
        Report
            The changes, and whom they break; false if nothing has changed. ``print(report)`` shows it, a notebook as a
            table; ``report.fails("breaking")`` is for programs.

        Raises
        ------
        OfflineError, AlyxConnectionError, AlyxHTTPError
            The server did not answer, or has no schema.
        UnexpectedAnswerError
            The server's response is not a schema.
        ConfigurationError
            The client's package does not contain the schema that it was generated from.
        """
        from alyx_client.schema.check import compare_with_server, load_bundled_surface

        surface = load_bundled_surface(self._surface)
        return compare_with_server(surface, self._surface, self.run(self._calls.document()), self.base_url)

    def close(self) -> None:
        """Close the connections: no call begins or is repeated any more, and those under way end normally.

        A new ``with`` block opens the client again.
        """
        self._transport.close()
        self._cache.close()
        self._close_downloader()

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _deliver(self, flow: Flow[T], timeout: float | None) -> T:
        """Run a flow of the outbox: its requests go past the cache, and fail at once if the server is not reached."""
        deadline = Deadline.of(timeout, self.timeout)
        return drive(flow, partial(self._deliver_step, deadline), deadline)

    def _deliver_step(self, deadline: Deadline, step: Send) -> Response:
        return self._transport.send(step.request, fail_fast=True, token=step.token, timeout=deadline)

    def _after_call(self, requests: Requests, deadline: Deadline) -> None:
        if due := after_call(self, self._auth, requests, deadline, sends=self._settings.send_outbox):
            self._deliver(*due)

    def _send_step(self, deadline: Deadline, requests: Requests, step: Send) -> Response:
        request = step.request
        response = self.send(request, expires=step.expires, bypass_cache=step.bypass_cache, timeout=deadline)
        requests.add(request, response)
        return response

    def _send_login(self, deadline: Deadline, step: Send) -> Response:
        # A login goes past the cache: it is about the token by which cached responses are found.
        self._refuse_login_offline()
        return self._transport.send(step.request, token=step.token, timeout=deadline)
