"""The routes table."""

from __future__ import annotations

import pytest

from alyx_client.schema.routes import ACTIONS, action_of, action_rank, is_endpoint, path_keys, route


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/labs", "list"),
        ("GET", "/labs/{name}", "read"),
        ("POST", "/labs", "create"),
        ("PUT", "/labs/{name}", "update"),
        ("PATCH", "/labs/{name}", "partial_update"),
        ("DELETE", "/labs/{name}", "delete"),
    ],
)
def test_method_and_path_give_the_action(method: str, path: str, action: str) -> None:
    assert action_of(method, path) == action


def test_actions_of_other_names_come_last() -> None:
    assert sorted(["lock", "delete", "list"], key=action_rank) == ["list", "delete", "lock"]
    assert action_rank("lock") == len(ACTIONS)


@pytest.mark.parametrize("path", ["/api/schema", "/auth-token", "/docs", "/docs/"])
def test_schema_login_and_pages_are_not_endpoints(path: str) -> None:
    assert not is_endpoint(path)
    assert is_endpoint(f"/labs{path}")


def test_route_does_not_depend_on_the_names_of_keys() -> None:
    assert route("get", "/labs/{lab}/members/{id}") == route("GET", "/labs/{a}/members/{b}")
    assert path_keys("/labs/{lab}/members/{id}") == ["lab", "id"]
