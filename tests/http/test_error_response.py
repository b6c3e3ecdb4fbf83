from __future__ import annotations

import copy
import json
import pickle

import pytest

from alyx_client import errors
from alyx_client.errors import AlyxError, AlyxHTTPError
from alyx_client.http.error_response import error_from_response
from alyx_client.http.message import Request, Response

URL = "https://alyx.example.org/subjects/flowers"
READ = Request("GET", "/subjects/flowers", endpoint="subjects", action="read")
EVERY_ERROR = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AlyxError)),
    key=lambda kind: kind.__name__,
)


def answer(status: int, body: object, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers, content, "GET", URL)


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("duplicate", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_errors_survive_pickling_whole(kind: type[AlyxError], duplicate: object) -> None:
    error = kind(
        "It broke.",
        status_code=400,
        method="POST",
        url=URL,
        detail="no",
        fields={"lab": ["unknown"]},
        retry_after=2.5,
        body={"lab": ["unknown"]},
    )
    error.add_note("seen twice")
    restored = duplicate(error)  # type: ignore[operator]
    assert type(restored) is kind
    assert vars(restored) == vars(error)
    assert (str(restored), restored.args) == ("It broke.", ("It broke.",))


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.AlyxConnectionError, ConnectionError),
        (errors.AlyxTimeoutError, TimeoutError),
        (errors.BadRequestError, ValueError),
        (errors.AuthenticationError, PermissionError),
        (errors.PermissionDeniedError, PermissionError),
        (errors.NotFoundError, LookupError),
        (errors.RequestTooLongError, ValueError),
        (errors.MissingCredentialsError, PermissionError),
        (errors.UnexpectedAnswerError, ValueError),
        (errors.SchemaDriftError, ValueError),
        (errors.ForeignURLError, ValueError),
        (errors.InvalidKeyError, ValueError),
    ],
)
def test_errors_are_caught_as_the_builtin(kind: type[AlyxError], builtin: type[Exception]) -> None:
    with pytest.raises(builtin, match=r"^what happened$"):
        raise kind("what happened")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"lab": ["No such lab."]}, errors.BadRequestError),
        (401, {"detail": "Invalid token."}, errors.AuthenticationError),
        (403, {"detail": "Invalid token."}, errors.AuthenticationError),
        (403, {"detail": "Authentication credentials were not provided."}, errors.AuthenticationError),
        (403, {"detail": "You do not have permission to perform this action."}, errors.PermissionDeniedError),
        (404, {"detail": "Not found."}, errors.NotFoundError),
        (405, {"detail": 'Method "PUT" not allowed.'}, errors.MethodNotAllowedError),
        (409, {"detail": "It is in use."}, errors.ConflictError),
        (413, b"<h1>Too large</h1>", errors.RequestTooLongError),
        (414, b"<h1>Too long</h1>", errors.RequestTooLongError),
        (429, {"detail": "Request was throttled."}, errors.RateLimitError),
        (500, {"detail": "boom"}, errors.ServerError),
        (502, b"<h1>Bad gateway</h1>", errors.ServerError),
        (599, b"", errors.ServerError),
        (418, b"", AlyxHTTPError),
        (304, b"", AlyxHTTPError),
    ],
)
def test_status_and_body_decide_the_error(status: int, body: object, kind: type[AlyxHTTPError]) -> None:
    error = error_from_response(answer(status, body), READ)
    assert type(error) is kind
    assert (error.status_code, error.method, error.url) == (status, "GET", URL)


@pytest.mark.parametrize("path", ["/cache/info/", "/cache/info/tag"])
def test_404_of_cache_tables_says_that_there_are_none(path: str) -> None:
    request = Request("GET", path, endpoint="cache_info", action="read")
    for body in ({"detail": "Not found."}, b"<h1>Not Found</h1>"):
        error = error_from_response(answer(404, body), request)
        assert str(error).startswith("The server has no cache tables")
        assert "list()" not in str(error)


def test_404_of_a_record_names_endpoint_and_key() -> None:
    request = Request("GET", "/subjects/a%2Fb", endpoint="subjects", action="read")
    error = error_from_response(answer(404, {"detail": "No Subject matches the given query."}), request)
    assert str(error).startswith("subjects has no record 'a/b'")
    assert URL in str(error)
    assert error.detail == "No Subject matches the given query."


def test_404_of_another_call_gives_the_hint_of_its_endpoint() -> None:
    request = Request("GET", "/subjects/flowers", endpoint="subjects", action="weights", hint="Pass a nickname.")
    error = error_from_response(answer(404, {"detail": "Not found."}), request)
    assert str(error) == f"There is no record at GET {URL} (status 404). Pass a nickname."


@pytest.mark.parametrize(
    ("body", "fields", "detail"),
    [
        ({"lab": ["No such lab."], "status_code": 400}, {"lab": ["No such lab."]}, "lab: No such lab."),
        ({"error": "Unknown user"}, {}, "Unknown user"),
        ({"non_field_errors": ["Not unique."]}, {"non_field_errors": ["Not unique."]}, "Not unique."),
        ({"detail": "JSON parse error"}, {}, "JSON parse error"),
        (["Just a list."], {"non_field_errors": ["Just a list."]}, "Just a list."),
        ([{}, {"axial_um": ["Required."]}], {"1.axial_um": ["Required."]}, "1.axial_um: Required."),
        ({"json": {"a": ["Bad."]}}, {"json.a": ["Bad."]}, "json.a: Bad."),
        ("plain text", {}, "plain text"),
        (7, {}, None),
    ],
)
def test_400_in_every_form_is_read(body: object, fields: dict[str, list[str]], detail: str | None) -> None:
    error = error_from_response(answer(400, body))
    assert error.fields == fields
    assert error.detail == detail
    assert error.body == body


def test_wrong_password_is_an_authentication_error() -> None:
    login = Request("POST", "/auth-token", authenticate=False)
    body = {"non_field_errors": ["Unable to log in with provided credentials."], "status_code": 400}
    error = error_from_response(answer(400, body), login)
    assert type(error) is errors.AuthenticationError
    assert "did not accept the username and password" in str(error)


def test_stale_token_says_how_to_log_in_again() -> None:
    assert "Log in again with username=" in str(error_from_response(answer(403, {"detail": "Invalid token."})))


def test_500_says_that_it_may_be_the_users_mistake() -> None:
    error = error_from_response(answer(500, {"detail": "Cannot resolve keyword 'nam' into field.", "status_code": 500}))
    assert "Cannot resolve keyword 'nam'" in str(error)
    assert "unknown name in `django=`" in str(error)


def test_429_says_how_long_to_wait() -> None:
    error = error_from_response(answer(429, {"detail": "throttled"}), READ, retry_after=37.0)
    assert error.retry_after == 37.0
    assert "wait 37 s" in str(error)


@pytest.mark.parametrize(
    "page",
    [
        b"<html><head><title>Server Error\n(500)</title></head><body>" + b"<p>secret filler</p>" * 5000,
        b"<html><style>p{}</style><body>Server Error (500)" + b"<p>filler</p>" * 5000 + b"</body>",
        b"\xff\xfe" * 50_000,
    ],
)
def test_pages_are_cut_to_a_few_words(page: bytes) -> None:
    error = error_from_response(answer(500, page))
    assert error.detail is not None
    assert len(error.detail) <= 200
    assert len(str(error)) < 700
    assert error.body is None


def test_page_title_stands_for_the_page() -> None:
    page = b"<html><head><title>Bad Request\n (400)</title></head><body>more</body></html>"
    assert error_from_response(answer(400, page)).detail == "Bad Request (400)"


def test_redirect_target_is_shown_without_secrets() -> None:
    error = error_from_response(answer(301, b"", location="https://me:pw@alyx.example.org/x?token=abc"))
    assert "https://alyx.example.org/x," in str(error)
    assert "pw" not in str(error)
    assert "abc" not in str(error)


def test_long_urls_are_cut_in_the_message_only() -> None:
    response = Response(500, {}, b"{}", "GET", f"{URL}?django=" + "x" * 5000)
    error = error_from_response(response)
    assert len(str(error)) < 1000
    assert error.url == response.url
