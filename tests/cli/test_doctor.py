"""``alyx doctor`` on machines and servers that do not work: each line says what to do."""

from __future__ import annotations

import io
import os
import re
import socket
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from alyx_client.config.servers_toml import servers_file
from alyx_client.http.environment import BUNDLES
from alyx_client.testing import LocalAlyx
from tests.faults import (
    FaultServer,
    Received,
    Step,
    closed_port,
    html_response,
    http_date,
    json_response,
    redirect,
    silent,
)
from tests.http.certificates import Certificate, make_certificate

from .conftest import Result, Run

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes of files")
NOT_GET = {"detail": 'Method "GET" not allowed.'}


def alyx_at(seconds: float | None = 0.0) -> Step:
    """Refuse GET at the login as Alyx does, with a clock that is some seconds ahead."""
    return json_response(NOT_GET, status=405, headers={} if seconds is None else {"Date": http_date(seconds)})


@pytest.fixture(autouse=True)
def direct_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove what the developer's environment says of proxies and certificates."""
    for name in list(os.environ):
        if name.upper() in BUNDLES or name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            monkeypatch.delenv(name)


def lines_of(result: Result) -> dict[str, str]:
    """Return the lines of the result by their outcome and subject, with what to do."""
    assert "Traceback" not in result.err
    lines: dict[str, str] = {}
    label = ""
    for line in result.out.splitlines():
        if line.startswith(" "):
            lines[label] += f" {line.strip()}"
        else:
            label = " ".join(line[:21].split())
            lines[label] = line[22:]
    # What is wrong comes with what to do.
    assert all(re.search(r"[.?] *$|alyx|chmod", text) for name, text in lines.items() if not name.startswith("ok"))
    return lines


def test_doctor(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = run("doctor")
    assert healthy.code == 0
    lines = healthy.out.splitlines()
    for subject in ("python", "server", "port", "clock", "login", "schema", "token files"):
        assert any(line.split()[:2] == ["ok", subject.split()[0]] for line in lines), subject
    assert f"{logged_in.url} (ALYX_URL)" in healthy.out
    monkeypatch.setenv("ALYX_DATA_SERVER", "http://127.0.0.1:1")
    monkeypatch.setenv("ALYX_DATA_USERNAME", "me")
    monkeypatch.setenv("ALYX_DATA_PASSWORD", "very-secret")
    monkeypatch.setenv("ALYX_TOKEN", "0123456789" * 4)
    refused = run("doctor")
    assert refused.code == 1
    assert "FAIL  login" in refused.out
    assert "Correct ALYX_TOKEN, or unset it and log in: alyx login" in refused.out
    assert "very-secret" not in refused.out + refused.err
    assert "0123456789" not in refused.out + refused.err
    assert run("--offline", "doctor").code == 0


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("ALYX_URL", "http://127.0.0.1:1", "FAIL  port"),
        ("ALYX_URL", "http://alyx.invalid", "FAIL  name"),
        ("ALYX_URL", "", "FAIL  settings"),
        ("ALYX_URL", "ftp://x", "FAIL  settings"),
        ("ALYX_TIMEOUT", "soon", "FAIL  settings"),
        ("ALYX_PACKAGE", "no_such_package", "FAIL  package"),
    ],
)
def test_doctor_finds(
    logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    result = run("doctor")
    assert result.code == 1
    assert line in result.out
    assert "Traceback" not in result.err


def test_nothing_is_prompted_for(alyx: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also at a terminal, with a login whose token the server refuses."""
    monkeypatch.setenv("ALYX_URL", alyx.url)
    monkeypatch.setattr(sys, "stdin", io.StringIO("olivier\n"))
    run("login", "-u", "olivier", "--password-stdin")
    (token,) = (servers_file().parent / "tokens").glob("*.json")
    token.write_text(re.sub(r"[0-9a-f]{40}", "0" * 40, token.read_text()))
    monkeypatch.setattr("alyx_client.auth.prompt.is_interactive", lambda: pytest.fail("prompts"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "FAIL  login" in re.sub(r"\x1b\[\d*m", "", run("doctor").out)


@posix
@pytest.mark.parametrize(("mode", "words"), [(0o666, "can write it"), (0o644, "can read it")])
def test_access_to_files(logged_in: LocalAlyx, run: Run, mode: int, words: str) -> None:
    tokens = servers_file().parent / "tokens"
    tokens.mkdir(parents=True)
    for file, text in ((tokens / "x.json", "{}"), (servers_file(), "")):
        file.write_text(text)
        file.chmod(mode)
    lines = lines_of(run("doctor"))
    assert words in lines["FAIL token files"]
    assert "chmod 600" in lines["FAIL token files"]
    assert ("warn settings file" in lines) == (mode == 0o666)


def test_damaged_cache(logged_in: LocalAlyx, run: Run) -> None:
    run("list", "labs")
    folder = Path(run("cache", "info").out.splitlines()[0].split()[1])
    file = folder / "rest1-other.example.org-0.sqlite"
    file.write_bytes(b"no database at all" * 500)
    line = lines_of(run("doctor"))["warn cache"]
    assert f"{file} is damaged" in line
    assert "Delete the file" in line
    file.unlink()
    assert "warn cache" not in lines_of(run("doctor"))


CERTIFICATES = [
    ("localhost", 2, False, "FAIL certificate", "name the file of its authority in SSL_CERT_FILE"),
    ("localhost", -1, True, "FAIL certificate", "to renew it, unless this machine's clock is wrong"),
    ("other.example.org", 2, True, "FAIL certificate", "Check the address"),
    ("localhost", 2, True, "ok certificate", "valid"),
]


@pytest.mark.parametrize(("host", "days", "trusted", "label", "text"), CERTIFICATES)
def test_certificates(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    days: int,
    trusted: bool,
    label: str,
    text: str,
) -> None:
    certificate: Certificate = make_certificate(tmp_path, host, days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    with FaultServer(then=alyx_at(), tls=certificate.serving) as server:
        assert text in lines_of(run("--url", server.url, "doctor"))[label]


def test_encryption(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other scheme than the server's, and a variable that names no certificates."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            for _ in range(2):  # the connection that checks the port, and the one with the greeting of TLS
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=refuse, daemon=True).start()
        url = f"https://localhost:{listener.getsockname()[1]}"
        assert "Try http://" in lines_of(run("--url", url, "doctor"))["FAIL encryption"]
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
        assert "REQUESTS_CA_BUNDLE" in lines_of(run("--url", url, "doctor"))["FAIL certificate"]
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with FaultServer(then=alyx_at(), tls=make_certificate(tmp_path).serving) as server:
        url = server.url.replace("https:", "http:")
        assert "write https://" in lines_of(run("--url", url, "doctor"))["FAIL response"]


def test_proxies(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, encrypted = "http://alyx.example.org", "https://alyx.example.org"
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert "Correct HTTP_PROXY" in lines_of(run("--url", plain, "doctor"))["FAIL port"]
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    assert "Correct HTTP_PROXY" in lines_of(run("--url", plain, "doctor"))["FAIL name"]
    monkeypatch.setenv("NO_PROXY", "example.org")
    assert lines_of(run("--url", "http://alyx.invalid", "doctor"))["ok proxy"].startswith("http://proxy.invalid:3128")
    assert lines_of(run("--url", "http://127.0.0.1:1", "doctor"))["ok proxy"] == "none"
    monkeypatch.setenv("NO_PROXY", "invalid")
    assert lines_of(run("--url", "http://alyx.invalid", "doctor"))["ok proxy"] == "none"
    monkeypatch.delenv("NO_PROXY")
    with FaultServer(then=json_response({}, status=407)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url.replace("//", "//me:secret@"))
        for url in (plain, encrypted):
            result = run("--url", url, "doctor")
            name = "HTTPS_PROXY" if url == encrypted else "HTTP_PROXY"
            assert f"Write the login into {name}" in lines_of(result)["FAIL proxy"]
            assert "secret" not in result.out
        assert [one.headers["proxy-authorization"] for one in proxy.requests] == ["Basic bWU6c2VjcmV0"] * 2
        assert [one.method for one in proxy.requests] == ["GET", "CONNECT"]


CLOCKS = [(600.0, "behind the server's"), (-600.0, "ahead of the server's"), (None, "sends no time")]


@pytest.mark.parametrize(("seconds", "words"), CLOCKS)
def test_clocks(run: Run, seconds: float | None, words: str) -> None:
    with FaultServer(then=alyx_at(seconds)) as server:
        assert words in lines_of(run("--url", server.url, "doctor"))["warn clock"]


SERVERS: list[tuple[Step, str, str]] = [
    (html_response(), "FAIL alyx", "Check the address: --url, ALYX_URL"),
    (html_response(404), "FAIL alyx", "Check the address"),
    (json_response({"hello": 1}), "FAIL alyx", "the server is not Alyx"),
    (html_response(502), "FAIL alyx", "Try again later"),
    (redirect("https://login.example.org/?next=x"), "FAIL alyx", "If it is a login page, log in there"),
    (redirect("/elsewhere/auth-token"), "warn alyx", "if Alyx is there, use that address"),
    (redirect("https://127.0.0.1/auth-token", 301), "warn alyx", "Use that address: alyx login https://127.0.0.1"),
    (lambda *_: False, "FAIL response", "Is it a server of the web?"),
]


@pytest.mark.parametrize(("step", "label", "text"), SERVERS)
def test_other_servers(run: Run, step: Step, label: str, text: str) -> None:
    with FaultServer(then=step) as server:
        result = run("--timeout", "0.3", "--url", server.url, "doctor")
        assert text in lines_of(result)[label]
        assert (result.code, server.paths[0]) == (1 if "FAIL" in label else result.code, "/auth-token")


def test_gateway(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fields that a gateway requires are sent, and not shown."""
    monkeypatch.setenv("ALYX_HEADERS", '{"X-Gateway-Key": "very-secret"}')

    def gateway(request: Received, connection: object) -> bool:
        has_key = request.headers.get("x-gateway-key") == "very-secret"
        return (alyx_at() if has_key else html_response(403))(request, connection)  # type: ignore[arg-type]

    with FaultServer(then=gateway) as server:
        result = run("--url", server.url, "doctor")
        assert "ok alyx" in lines_of(result)
        assert "very-secret" not in result.out


def test_another_version(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalAlyx("alyx-3.3.1", seed=False) as server:
        monkeypatch.setenv("ALYX_TOKEN", server.token("admin"))
        result = run("--url", server.url, "doctor")
        assert f"alyx-generate client {server.url}" in lines_of(result)["warn schema"]
        assert result.code == 0


def test_checks_that_break(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.cli.checks.foreign_access", lambda _: 1 / 0)
    servers_file().parent.mkdir(parents=True, exist_ok=True)
    servers_file().touch()
    result = run("doctor")
    assert "ZeroDivisionError: division by zero Run alyx --debug doctor" in lines_of(result)["FAIL settings checks"]
    assert result.code == 1
    assert "Traceback" in run("--debug", "doctor").err


def test_folders(logged_in: LocalAlyx, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("ALYX_CACHE_DIR", str(file / "data"))
    assert f"{file} is no folder that you can write to" in lines_of(run("doctor"))["FAIL data files"]
    monkeypatch.setenv("ALYX_CACHE_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5))
    assert "5 B free Make room on the disk." in lines_of(run("doctor"))["warn data files"]

    def unknown(_: object) -> None:
        raise OSError

    monkeypatch.setattr("shutil.disk_usage", unknown)
    assert "ok data files" in lines_of(run("doctor"))


def test_settings_that_are_not_the_default(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_TIMEOUT", "77")
    assert "timeout (ALYX_TIMEOUT)" in lines_of(run("doctor"))["ok settings"]


def test_missing_libraries(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.cli.checks._LIBRARIES", ("no-such-library",))
    assert "no-such-library missing" in lines_of(run("doctor"))["ok versions"]


def test_socks_and_invalid_proxies(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer(then=alyx_at()) as server:
        address = server.url.partition("//")[2].rstrip("/")
        monkeypatch.setenv("HTTP_PROXY", f"socks5://{address}")
        monkeypatch.setenv("ALYX_TOKEN", "1" * 40)
        lines = lines_of(run("--timeout", "1", "--url", "http://alyx.example.org", "doctor"))
        assert lines["ok port"] == f"{address} accepts connections"
        assert "ok alyx" not in lines  # it needs a library for the way through it
    monkeypatch.setenv("HTTP_PROXY", "ftp://proxy.example.org")
    assert "Correct the variable" in lines_of(run("--url", "http://alyx.example.org", "doctor"))["FAIL proxy"]


def test_unfinished_responses(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.cli.response_checks.TIMEOUT", 0.2)
    with FaultServer(then=silent()) as server:
        assert "none within 0.2 s" in lines_of(run("--url", server.url, "doctor"))["FAIL response"]
        monkeypatch.setenv("HTTP_PROXY", server.url)
        lines = lines_of(run("--url", "http://alyx.example.org", "doctor"))
        assert "Correct HTTP_PROXY, or exempt the server in NO_PROXY" in lines["FAIL proxy"]


def test_servers_that_break_after_the_login_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_TOKEN", "1" * 40)

    def serve(request: Received, connection: object) -> bool:
        step = alyx_at() if request.path == "/auth-token" else json_response({"detail": "x"}, status=500)
        return step(request, connection)  # type: ignore[arg-type]

    with FaultServer(then=serve) as server:
        lines = lines_of(run("--timeout", "1", "--url", server.url, "doctor"))
        assert "ask who runs it" in lines["FAIL login"]
