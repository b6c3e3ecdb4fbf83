"""Probing a server for its query model."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.state import AuthState
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.config import find_settings
from alyx_client.http.transport import SyncTransport
from alyx_client.schema.naming import class_name, singular_of
from alyx_generator.model.build import build_api
from alyx_generator.model.ir import Api
from alyx_generator.probe.crawl import Progress
from alyx_generator.probe.query.inquiry import Inquiry
from alyx_generator.probe.query.journal import Journal
from alyx_generator.probe.query.learn import Learnt, learn
from alyx_generator.source.fetch import Access
from alyx_generator.source.normalise import normalise
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import Correction, correct, shipped_corrections
from alyx_generator.source.query_model import QueryModel

MAX_REQUESTS = 1500
"""The default for the maximum number of requests."""


class NoQueryModelError(ValueError):
    """No list of a server names the fields of its model."""


@dataclass(frozen=True)
class QueryProbe:
    """The result of a probe for the query model.

    Parameters
    ----------
    learnt
        The query model, and what could not be learnt.
    requests
        The number of requests, including those before an interruption.
    seconds
        The duration of this run.
    """

    learnt: Learnt
    requests: int
    seconds: float

    @property
    def model(self) -> QueryModel:
        """The query model."""
        return self.learnt.model


def probe_query_model(
    base_url: str,
    document: Document,
    corrections: Sequence[Correction] | None = None,
    *,
    access: Access | None = None,
    per_minute: float = 200.0,
    max_requests: int = MAX_REQUESTS,
    state: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> QueryProbe:
    """Learn a server's query model.

    Only GET requests are sent, and each is refused before it reaches the server's database. Nothing of the records is
    read.

    Parameters
    ----------
    base_url
        The URL of the server.
    document
        Its schema, as published, which names the lists that have the ``django`` filter.
    corrections
        The corrections of known errors in it; by default the shipped ones.
    access
        What the server requires.
    per_minute
        The maximum number of requests per minute.
    max_requests
        The maximum number of requests in all.
    state
        A file that stores the replies, so that an interrupted probe resumes. The file remains; remove it when the
        result is written.
    progress
        Called before each request.

    Raises
    ------
    AlyxError
        The server cannot be reached, rejects the token, or requests a longer wait.
    NoQueryModelError
        No list has the filter, or the server does not say why it refuses a condition.
    ProbeStateError
        The state file belongs to another probe.
    TooManyRequestsError
        There are more models than the number of requests allows.
    """
    started = time.monotonic()
    access = access or Access()
    known = shipped_corrections() if corrections is None else tuple(corrections)
    endpoints = django_lists(build_api(correct(normalise(document), known, strict=False).document))
    if not endpoints:
        raise NoQueryModelError(f"no list in the schema of {base_url} has the django filter")
    credentials = Credentials(base_url, explicit_token=access.token)
    journal = Journal(state, _fingerprint(credentials.base_url, endpoints))
    counts = [0, 0]

    def on_request(endpoint: str, requests: int) -> None:
        if progress is not None:
            progress(Progress(f"/{endpoint}", counts[0], counts[1], requests))

    def on_field(done: int, total: int) -> None:
        counts[:] = done, total

    headers = find_settings(base_url, headers=access.headers).headers
    auth = TokenAuth(AuthState(credentials, scheme=access.scheme))
    with SyncTransport(base_url, auth, own_headers=headers, token_scheme=access.scheme) as transport:
        inquiry = Inquiry(transport, journal, per_minute, max_requests, on_request)
        learnt = learn(inquiry, endpoints, on_field)
    if not learnt.model.models:
        raise NoQueryModelError(_unnamed(base_url, learnt.skipped))
    return QueryProbe(learnt, inquiry.requests, time.monotonic() - started)


def django_lists(api: Api) -> dict[str, str]:
    """Return the names for the models behind the lists that have the filter, by the lists' paths."""
    lists: dict[str, str] = {}
    for endpoint in api.endpoints:
        for action in endpoint.actions:
            if action.name == "list" and not action.parents and any(one.style == "django" for one in action.filters):
                record = action.response.annotation.removesuffix("Record").removesuffix("Summary")
                path = action.path.strip("/")
                words = "_".join(map(singular_of, endpoint.name.split("_")))
                lists[path] = record if record.isidentifier() and record != "Any" else class_name(words)
    return lists


def _unnamed(base_url: str, skipped: Mapping[str, str]) -> str:
    reasons = sorted(set(skipped.values()))
    lists = ", ".join(f"/{path}" for path in sorted(skipped)[:3])
    return (
        f"{base_url} does not name the fields of its models. Alyx answers an unknown field in the django filter with "
        f"status 500 and a JSON object whose detail names all fields; here, {lists} gave {' and '.join(reasons)}. A "
        "proxy that replaces error responses by its own pages, or a server that hides their reasons, cannot be probed: "
        "use the query model of another server of this version (alyx-generate client --query-model FILE)"
    )


def _fingerprint(base_url: str, endpoints: Mapping[str, str]) -> str:
    """Identify a probe. The rate and the bound are left out: they change no reply."""
    return hashlib.sha256(json.dumps([base_url, sorted(endpoints.items())]).encode()).hexdigest()
