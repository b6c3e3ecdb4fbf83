"""Tokens as each server takes them: from its security schemes to the header that is sent."""

from __future__ import annotations

import base64
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from alyx_client.errors import AuthenticationError

from ..faults import FaultServer, json_response, redirect
from ..faults import page as page_of
from .conftest import Generate
from .foreign_parts import JSON, TEXT, things
from .inline import key, ref, returns

SECRET = "s3cr3t"
LOGIN = base64.b64encode(b"ada:s3cr3t").decode()


def secured(*requirements: JSON, **schemes: JSON) -> JSON:
    schema = {**things(), "security": list(requirements)}
    schema["components"]["securitySchemes"] = schemes
    return schema


def header(name: str = "Authorization", description: str = "") -> JSON:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
BASIC = {"type": "http", "scheme": "basic"}
COOKIE = {"type": "apiKey", "in": "cookie", "name": "sessionid"}
QUERY = {"type": "apiKey", "in": "query", "name": "key"}
OAUTH = {"type": "oauth2", "flows": {}}

# The security scheme, and the header that is sent for the token.
SCHEMES: list[tuple[JSON, str, str]] = [
    (header(), "authorization", f"Token {SECRET}"),
    (header("authorization"), "authorization", f"Token {SECRET}"),
    (
        header(description='Token-based authentication with required prefix "Bearer"'),
        "authorization",
        f"Bearer {SECRET}",
    ),
    (header(description="`JWT <token>`"), "authorization", f"JWT {SECRET}"),
    (header(description="`Token <token>` (v1) or `Bearer <token>` (v2)"), "authorization", f"Token {SECRET}"),
    (header("X-API-Key"), "x-api-key", SECRET),
    (header("X-Auth", 'with required prefix "Key"'), "x-auth", f"Key {SECRET}"),
    (header("a\r\nb"), "authorization", f"Token {SECRET}"),
    (BEARER, "authorization", f"Bearer {SECRET}"),
    ({"type": "http", "scheme": "Bearer"}, "authorization", f"Bearer {SECRET}"),
    ({"type": "http", "scheme": "token"}, "authorization", f"Token {SECRET}"),
    (BASIC, "authorization", f"Basic {SECRET}"),
    (OAUTH, "authorization", f"Bearer {SECRET}"),
    ({"type": "openIdConnect", "openIdConnectUrl": "x"}, "authorization", f"Bearer {SECRET}"),
]


@pytest.mark.parametrize(("scheme", "name", "value"), SCHEMES)
async def test_token_is_sent_as_the_schema_says(generate: Generate, scheme: JSON, name: str, value: str) -> None:
    generated = generate(secured({"login": []}, login=scheme))
    module = generated.module("client")
    with FaultServer(then=page_of([])) as server:
        alyx = module.AlyxClient(server.url, token=SECRET, cache_rest=None)
        list(pickle.loads(pickle.dumps(alyx)).things.list())
        alyx.get("/things")
        async with module.AsyncAlyxClient(server.url, token=SECRET, cache_rest=None) as aio:
            await aio.things.list()
        assert [request.headers.get(name) for request in server.requests] == [value] * 3
        assert all(SECRET not in str({**one.headers, name: ""}) for one in server.requests)


@pytest.mark.parametrize(
    ("requirements", "sent"),
    [
        ([{"cookie": []}, {"basic": []}, {"token": []}], f"Token {SECRET}"),
        ([{"basic": []}, {"bearer": []}], f"Bearer {SECRET}"),
        ([{"cookie": [], "bearer": []}, {"basic": []}], f"Basic {SECRET}"),
        ([{}], f"Token {SECRET}"),
    ],
)
def test_one_of_several_logins_is_chosen(generate: Generate, requirements: list[JSON], sent: str) -> None:
    schemes = {"cookie": COOKIE, "basic": BASIC, "bearer": BEARER, "token": header()}
    generated = generate(secured(*requirements, **schemes))
    assert generated.findings == []
    with FaultServer(then=page_of([])) as server:
        generated.module("client").AlyxClient(server.url, token=SECRET).things.list()
        assert server.requests[0].headers["authorization"] == sent


@pytest.mark.parametrize("scheme", [COOKIE, QUERY, {"type": "http", "scheme": "digest"}, {"type": "mutualTLS"}, {}])
def test_login_that_is_not_sent_is_named(generate: Generate, scheme: JSON) -> None:
    assert generate(secured({"login": []}, login=scheme)).findings == [
        "things.GET /things: requires login; this client sends its token as Authorization: Token … only"
    ]


def test_operation_with_another_login_is_named(generate: Generate) -> None:
    schema = secured({"bearer": []}, bearer=BEARER, token=header("X-Key"))
    for name in ("a", "b"):
        schema["paths"][f"/{name}"] = {"get": {**returns(TEXT), "security": [{"token": []}]}}
    schema["paths"]["/things/{id}"] = {"get": {**key(), **returns(ref("Thing"))}}
    schema["paths"]["/c"] = {"get": {**returns(TEXT), "security": []}}
    schema["paths"]["/d"] = {"get": {**returns(TEXT)}}
    assert generate(schema).findings == [
        "a.GET /a: requires token, as does another operation; "
        "this client sends its token as Authorization: Bearer … only"
    ]


def test_login_in_several_steps_is_named(generate: Generate) -> None:
    assert generate(secured({"sso": []}, sso=OAUTH)).findings == [
        "logins: sso (oauth2) is not performed: get a token, and pass it as token="
    ]


def basic(generate: Generate) -> Any:
    return generate(secured({"basic": []}, basic=BASIC)).module("client")


async def test_name_and_password_are_sent_themselves_where_there_are_no_tokens(
    generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    module = basic(generate)
    with FaultServer(then=page_of([])) as server:
        with module.AlyxClient(server.url, "ada", SECRET, stay_logged_in=True) as alyx:
            alyx.things.list()
            assert (alyx.user, bool(alyx.is_logged_in)) == ("ada", True)
            alyx.authenticate("ada", SECRET)
            assert alyx.user == "ada"
            alyx.get("/things")
        async with module.AsyncAlyxClient(server.url, "ada", SECRET) as aio:
            await aio.authenticate(force=True)
            await aio.things.list()
        assert {request.headers.get("authorization") for request in server.requests} == {f"Basic {LOGIN}"}
        assert {request.path for request in server.requests} == {"/things"}
    stored = [file.read_bytes() for file in tmp_path.rglob("home/**/*") if file.is_file()]
    assert not any(text.encode() in content for content in stored for text in (SECRET, LOGIN))


def test_refused_password_is_sent_once(generate: Generate) -> None:
    with FaultServer(then=json_response({"detail": "no"}, status=401)) as server:
        alyx = basic(generate).AlyxClient(server.url, "ada", SECRET, silent=True)
        for count in (1, 2):
            with pytest.raises(AuthenticationError):
                alyx.things.list()
            assert len(server.requests) == count


def test_token_of_another_kind_is_adopted_unchecked(generate: Generate) -> None:
    module = generate(secured({"bearer": []}, bearer=BEARER)).module("client")
    with FaultServer(then=page_of([])) as server:
        alyx = module.AlyxClient(server.url, silent=True)
        alyx.authenticate("ada", token=SECRET, cache_token=False)
        assert (server.requests, alyx.user) == ([], "ada")
        alyx.things.list()
        assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("scheme", [BEARER, header("X-API-Key"), BASIC])
def test_token_is_neither_logged_nor_shown_nor_sent_elsewhere(
    generate: Generate, scheme: JSON, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    module = generate(secured({"login": []}, login=scheme)).module("client")
    with FaultServer(then=page_of([])) as other, FaultServer() as server:
        alyx = module.AlyxClient(server.url, token=SECRET, silent=True)
        with pytest.raises(Exception, match="things") as caught:  # a 500
            alyx.things.list()
        text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        assert SECRET not in text
        assert SECRET not in caplog.text + repr(alyx)
        server.script("/things", redirect(f"{other.url}/things"))
        with pytest.raises(Exception, match="redirect"):
            alyx.get("/things")
        assert other.requests == []


def test_own_header_cannot_replace_the_token(generate: Generate) -> None:
    module = generate(secured({"login": []}, login=header("X-API-Key"))).module("client")
    with pytest.raises(ValueError, match="pass token= for it") as caught:
        module.AlyxClient("https://x.example.org", headers={"x-api-key": SECRET})
    assert SECRET not in str(caught.value)
