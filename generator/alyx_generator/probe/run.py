"""Probing a server: reading it, checking its responses against its schema, and proposing corrections."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.state import AuthState
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.config import find_settings
from alyx_client.http.transport import SyncTransport
from alyx_generator.probe.crawl import Bounds, Crawler, Progress
from alyx_generator.probe.findings import Finding, find
from alyx_generator.probe.state import ProbeState
from alyx_generator.probe.targets import find_targets
from alyx_generator.source.fetch import Access, fetch
from alyx_generator.source.normalise import normalise
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import Correction, correct, shipped_corrections
from alyx_generator.source.repair import Repair


@dataclass(frozen=True)
class Skipped:
    """An operation that was not read, or not completely.

    Parameters
    ----------
    operation
        The operation, for instance ``/subjects list``.
    reason
        Why.
    failed
        Whether the server failed to respond properly; if not, no request could be made.
    """

    operation: str
    reason: str
    failed: bool


@dataclass(frozen=True)
class Probe:
    """The result of a probe.

    Parameters
    ----------
    findings
        The errors of the schema, with the corrections proposed for them.
    skipped
        The operations that were not read, or not completely.
    missed
        The known corrections that do not fit this server's schema.
    operations, rows, requests
        The number of operations read, of their rows or records, and of requests, including those before an
        interruption.
    seconds
        The duration of this run.
    """

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    missed: tuple[Correction, ...]
    operations: int
    rows: int
    requests: int
    seconds: float

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """The actions of the proposed overlay."""
        unique = {
            (correction.target, correction.remove, repr(correction.update)): correction
            for finding in self.findings
            for correction in finding.corrections
        }
        return tuple(unique.values())


def probe(
    base_url: str,
    document: Document | None = None,
    corrections: Sequence[Correction] | None = None,
    *,
    token: str | None = None,
    access: Access | None = None,
    bounds: Bounds | None = None,
    state: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Probe:
    """Check a server's responses against its schema.

    Only GET requests are sent. No data of the records is stored: only types, counts and the names of fields.

    Parameters
    ----------
    base_url
        The URL of the server.
    document
        Its schema, as published; fetched by default.
    corrections
        The corrections of known errors; by default the shipped ones. Pass an empty tuple to report every error.
    token
        A token; by default from the client's own sources.
    access
        What the server requires besides.
    bounds
        Limits on the requests; by default 500 rows of each list, 20 records of each endpoint, 200 requests per minute.
    state
        A file that stores finished operations, so that an interrupted probe resumes. One list may be read again for
        the keys of its records. The file remains; remove it when the result is written.
    progress
        Called before each request.

    Returns
    -------
    Probe
        The findings and the proposed corrections.

    Raises
    ------
    AlyxError
        The server cannot be reached, rejects the token, or requests a longer wait.
    ProbeStateError
        The state file belongs to another probe.
    UnreadableSchemaError
        The document is not a schema.
    """
    started = time.monotonic()
    bounds = bounds or Bounds()
    access = access or Access()
    access = replace(access, token=token) if token is not None else access
    published = fetch(base_url, access) if document is None else document
    known = shipped_corrections() if corrections is None else tuple(corrections)
    # Not strict: corrections made for one version of Alyx may not fit another, and are reported as missed.
    corrected = correct(normalise(published), known, strict=False)
    targets = find_targets(Repair(corrected.document).document)
    credentials = Credentials(base_url, explicit_token=access.token)
    finished = ProbeState(state, _fingerprint(credentials.base_url, bounds, corrected.document))
    headers = find_settings(base_url, headers=access.headers).headers
    auth = TokenAuth(AuthState(credentials, scheme=access.scheme))
    with SyncTransport(base_url, auth, own_headers=headers, token_scheme=access.scheme) as transport:
        Crawler(transport, corrected.document, targets, bounds, finished, progress).run()
    operations = {target.name: finished.finished[target.path] for target in targets}
    observations = {name: operation.observations for name, operation in operations.items()}
    return Probe(
        tuple(find(corrected.document, observations)),
        tuple(Skipped(name, item.skipped, item.failed) for name, item in operations.items() if item.skipped),
        corrected.missed,
        sum(item.rows > 0 for item in operations.values()),
        sum(item.rows for item in operations.values()),
        sum(item.requests for item in operations.values()),
        time.monotonic() - started,
    )


def _fingerprint(base_url: str, bounds: Bounds, document: Document) -> str:
    """Identify a probe. The rate is left out: it changes no result."""
    content = json.dumps([base_url, bounds.rows, bounds.records, document], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
