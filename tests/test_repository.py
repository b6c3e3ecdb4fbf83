"""The repository's own files: workflows, forms, citation, changelog and the table of dependencies."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import alyx_client

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (step for job in workflow["jobs"].values() for step in job["steps"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_is_pinned_and_has_least_permissions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    triggers = workflow[True]  # YAML 1.1 reads the key "on" as a truth value
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers)
    assert workflow["permissions"] == {}
    assert "secrets." not in text
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 120
        assert set(job["permissions"].values()) - {"read"} <= {"write"}
        assert "write" not in job["permissions"].values() or path.stem in {"release", "codeql", "docs"}
    for step in steps(workflow):
        # What a workflow is given must not become part of a shell's command.
        assert "${{" not in step.get("run", "")
        assert not step.get("uses", "").startswith("actions/checkout@") or step["with"]["persist-credentials"] is False
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert [use for use, tag in used if not re.search("@[0-9a-f]{40}$", use) or not re.match(r" # v\d+\.", tag)] == []


def test_actions_are_pinned_at_one_commit_everywhere() -> None:
    used = {use for path in WORKFLOWS for use in re.findall(r"uses: (\S+@\S+ # \S+)", path.read_text(encoding="utf-8"))}
    pins = [re.sub("^(github/codeql-action)/[a-z]+", r"\1", use) for use in used]
    names = {pin.partition("@")[0] for pin in pins}
    assert len(set(pins)) == len(names)


def test_workflows_call_targets_that_exist() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    for path in WORKFLOWS:
        called = set(re.findall(r"run: make ([a-z-]+)", path.read_text(encoding="utf-8")))
        assert called <= targets


@pytest.mark.parametrize("name", ["bug", "schema", "feature"])
def test_issue_form_has_required_questions(name: str) -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text(encoding="utf-8"))
    questions = [item for item in form["body"] if item["type"] != "markdown"]
    assert len({item["id"] for item in questions}) == len(questions)
    assert any(item.get("validations", {}).get("required") for item in questions)
    assert name != "bug" or "doctor" in {item["id"] for item in questions}


def test_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == alyx_client.__version__
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


def test_changelog_has_this_version() -> None:
    headings = re.findall(r"(?m)^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert next(heading for heading in headings if heading != "Unreleased") == alyx_client.__version__


def test_table_of_dependencies_has_every_requirement() -> None:
    listed = set(re.findall(r"(?m)^\| \[([\w-]+)\]", (ROOT / "DEPENDENCIES.md").read_text(encoding="utf-8")))
    extras = PROJECT["optional-dependencies"].values()
    requirements = [*PROJECT["dependencies"], *(text for extra in extras for text in extra)]
    names = {re.match(r"[\w-]+", text)[0].lower() for text in requirements}  # type: ignore[index]
    assert names - {"alyx-client"} - listed == set()


def test_support_states_the_tested_pythons() -> None:
    text = (ROOT / "SUPPORT.md").read_text(encoding="utf-8")
    classified = [match[1] for item in PROJECT["classifiers"] if (match := re.search(r":: (3\.\d+)$", item))]
    assert f"| Python | {classified[0]} to {classified[-2]}; {classified[-1]} is tested" in text


def test_code_that_coverage_leaves_out_has_a_reason_of_the_documented_ones() -> None:
    page = (ROOT / "docs" / "how-it-works" / "coverage.md").read_text(encoding="utf-8")
    reasons = set(re.findall(r"(?m)^\| `(.+?)` \|", page.partition("| reason |")[2].partition("##")[0]))
    folders = (ROOT / "alyx_client", ROOT / "generator")
    marks = {
        match[1]
        for path in sorted(path for folder in folders for path in folder.rglob("*.py"))
        for match in re.finditer(r"# pragma: no (?:cover|branch)(.*)", path.read_text(encoding="utf-8"))
    }
    assert {mark.removeprefix(" - ") for mark in marks} == reasons
