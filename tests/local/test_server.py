from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest

from alyx_client.testing import LocalAlyx
from alyx_client.testing.pytest_plugin import new_local_alyx


def client_of(local: LocalAlyx, user: str = "admin") -> httpx2.Client:
    return httpx2.Client(base_url=local.url, headers={"Authorization": f"Token {local.token(user)}"}, timeout=30)


def test_reset_restores_the_initial_state(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    http.delete("/subjects/flowers")
    local_alyx.faults.add("*", "status")
    local_alyx.revoke()
    local_alyx.reset()
    assert local_alyx.requests == []
    assert http.get("/subjects/flowers").status_code == 403, (
        "responses cached under the old token belong to other records"
    )
    assert http.get("/subjects/flowers", headers={"Authorization": f"Token {local_alyx.token()}"}).status_code == 200


def test_session_fixture_uses_a_server_of_its_own(local_alyx: LocalAlyx, local_alyx_session: LocalAlyx) -> None:
    assert local_alyx.url != local_alyx_session.url


def test_database_file_persists_the_records(tmp_path: Path, local_alyx: LocalAlyx) -> None:
    raw, database = local_alyx.published.raw, tmp_path / "alyx.sqlite"
    with LocalAlyx(raw, database=database) as local, client_of(local) as http:
        assert http.post("/labs", json={"name": "stored"}).status_code == 201
        http.delete("/tasks/" + http.get("/tasks").json()["results"][0]["id"])
        token = local.token()
    with LocalAlyx(raw, database=database) as local, client_of(local) as http:
        assert http.get("/labs/stored").status_code == 200
        assert http.get("/tasks").json()["count"] == 11
        assert local.token() == token


def test_empty_server_has_users_and_vocabularies(local_alyx: LocalAlyx) -> None:
    raw = local_alyx.published.raw
    with LocalAlyx(raw, seed=False, users={"me": "secret"}) as local, client_of(local, "me") as http:
        assert [http.get(path).json()["count"] for path in ("/subjects", "/labs", "/users")] == [0, 0, 1]
        assert http.get("/brain-regions").json()["count"] == 20
        assert http.post("/labs", json={"name": "first"}).status_code == 201
        assert http.post("/subjects", json={"nickname": "one", "lab": "first"}).status_code == 201


def test_occupied_port_is_an_error(local_alyx: LocalAlyx) -> None:
    port = int(local_alyx.url.rsplit(":", 1)[-1])
    other = LocalAlyx(local_alyx.published.raw, port=port)
    with pytest.raises(OSError, match="in use"):
        other.start()
    other.close()


def test_url_is_available_only_while_running(local_alyx: LocalAlyx) -> None:
    with LocalAlyx(local_alyx.published.raw) as local:
        url = local.url
        assert repr(local) == f"<LocalAlyx {url}>"
    with pytest.raises(RuntimeError, match="not running"):
        _ = local.url
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/labs")


def test_threads_write_and_read_concurrently(local_alyx: LocalAlyx) -> None:
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with client_of(local_alyx) as http:
                for round_ in range(5):
                    body = {"subject": "flowers", "weight": number + round_ / 10}
                    assert http.post("/weighings", json=body).status_code == 201
                    assert http.get("/weighings", params={"limit": 5}).status_code == 200
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with client_of(local_alyx) as http:
        assert http.get("/weighings").json()["count"] == 70


def test_importing_the_plugin_imports_no_web_framework() -> None:
    code = (
        "import sys, alyx_client.testing.pytest_plugin; "
        "print([name for name in ('starlette', 'uvicorn', 'httpx2', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    for name in ("local", "http_server"):
        monkeypatch.delitem(sys.modules, f"alyx_client.testing.server.{name}")
    with pytest.raises(
        pytest.fail.Exception, match=r'needs uvicorn: install it with `pip install "alyx-client\[local\]"`'
    ):
        new_local_alyx(pytestconfig)


def test_command_serves_until_interrupted(tmp_path: Path, local_alyx: LocalAlyx) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(local_alyx.published.raw))
    command = [sys.executable, "-m", "alyx_client.testing", "--port", "0", "--schema", str(schema), "--empty"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", first)
        assert url is not None
        login = httpx2.post(f"{url[0]}/auth-token", json={"username": "admin", "password": "admin"})
        assert login.status_code == 200
        process.send_signal(signal.SIGINT)
        out = process.stdout.read()
        assert process.stderr is not None
        err = process.stderr.read()
        process.wait(timeout=20)
    assert process.returncode == 0
    assert "Stop it with Ctrl-C." in out
    assert out.endswith("Stopped.\n")
    assert err == ""


def test_command_reports_a_missing_schema(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "alyx_client.testing", "--schema", str(tmp_path / "nothing.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no schema document" in done.stderr
    assert "Traceback" not in done.stderr
