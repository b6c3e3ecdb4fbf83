"""The servers that the contract tests run against, chosen by ``--server``.

Without the option every test runs twice: against the local Alyx, and against exchanges recorded from a real one.
``live`` is the server that ``ALYX_URL`` names; ``record`` is the same server, and the exchanges are recorded.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import httpx2

RECORDED_URL = "https://alyx.example.org"
BOUNDARY = b"alyx-client-test-boundary"
_RECORDED_HEADERS = {"allow", "content-disposition", "content-type", "location", "retry-after", "www-authenticate"}
# Read when the tests are collected: later, fixtures hide the developer's own settings from each test.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name.startswith("ALYX_")}


@dataclass(frozen=True)
class Target:
    """A server to test against."""

    name: str
    url: str
    token: str
    username: str | None = None
    password: str | None = None
    may_write: bool = True

    def __repr__(self) -> str:
        return f"Target({self.name})"

    @property
    def is_real(self) -> bool:
        """Whether the responses are, or were, those of a real Alyx."""
        return self.name != "local"

    @property
    def is_disposable(self) -> bool:
        """Whether records may be created there that cannot be deleted."""
        return self.name != "live"


def recorded_target() -> Target:
    return Target("recorded", RECORDED_URL, "recorded", "recorded", "recorded")


def live_target(name: str) -> Target:
    """Return the server that the environment names; its token is requested here, and stored nowhere."""
    url, token = _ENVIRONMENT.get("ALYX_URL", "").rstrip("/"), _ENVIRONMENT.get("ALYX_TOKEN")
    username, password = _ENVIRONMENT.get("ALYX_USERNAME"), _ENVIRONMENT.get("ALYX_PASSWORD")
    if not url or not (token or (username and password)):
        raise RuntimeError(
            f"--server={name} needs ALYX_URL, and ALYX_TOKEN or ALYX_USERNAME and ALYX_PASSWORD, in the environment"
        )
    if not token:
        response = httpx2.post(f"{url}/auth-token", json={"username": username, "password": password})
        response.raise_for_status()
        token = response.json()["token"]
    # Alyx checks the permission before it looks for the record.
    refusal = httpx2.delete(f"{url}/tags/alyx-client-test-no-such", headers={"Authorization": f"Token {token}"})
    return Target(name, url, token, username, password, may_write=refusal.status_code != 403)


def recording(url: str) -> dict[str, Any]:
    """Return the settings of vcrpy: what is recorded of an exchange with the server at `url`, and what must match."""

    def request(sent: Any) -> Any:
        if sent.uri.startswith(url):
            sent.uri = RECORDED_URL + sent.uri.removeprefix(url)
        body, kind = sent.body or b"", str(sent.headers.get("content-type", ""))
        if sent.path == "/auth-token":
            body = b'{"username":"recorded","password":"recorded"}'
        if boundary := re.search(r"boundary=(\S+)", kind):
            body = body.replace(boundary[1].encode(), BOUNDARY)
            kind = kind.replace(boundary[1], BOUNDARY.decode())
        sent.body = body.replace(url.encode(), RECORDED_URL.encode()) or None
        sent.headers = {"content-type": kind} if kind else {}
        return sent

    def response(received: dict[str, Any]) -> dict[str, Any]:
        body = received["body"]["string"]
        body = body.encode() if isinstance(body, str) else body
        if re.fullmatch(rb'\{"token":\s*"\w+"\}', body):
            body = b'{"token":"recorded"}'
        headers = {name: value for name, value in received["headers"].items() if name.lower() in _RECORDED_HEADERS}
        # Without a web server in front, the URL of an upload is its path on the server's disk.
        body = re.sub(rb"(?m)^/\S*/uploaded/", b"/uploaded/", body)
        if body.startswith(b"<!DOCTYPE html>"):  # of no use, and full of the server's paths
            body = re.sub(rb"(?s)Traceback \(most recent call last\).*?(?=</|\Z)", b"Traceback left out", body)
        body = body.replace(url.encode(), RECORDED_URL.encode())
        body = re.sub(rb"https?://(127\.0\.0\.1|localhost)(:\d+)?", b"https://data.example.org", body)
        body = body.replace(b'"127.0.0.1"', b'"data.example.org"')
        return {
            "status": received["status"],
            "headers": {name: [text.replace(url, RECORDED_URL) for text in value] for name, value in headers.items()},
            "body": {"string": body},
        }

    return {
        "before_record_request": request,
        "before_record_response": response,
        "decode_compressed_response": True,
        "match_on": ("method", "path", "query", "raw_body"),
    }
