"""The pages of the site: every Python example runs, in the order of its page, on a local Alyx."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AlyxError, AlyxWarning, errors
from alyx_client.testing import LocalAlyx

from .site_pages import DOCS, written_pages

ROOT = Path(__file__).parents[1]
# Their examples need more than a local Alyx.
RUN_ELSEWHERE = {
    "guides/coming-from-one.md": "tests/one/test_coming_from_one.py",
    "guides/on-a-cluster.md": "tests/bulk/test_dask.py",
}
_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+?) -->\n+)?"
    r"```(?:python|py|\{code-cell\}.*|\{code-block\} python)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """A Python block of a page, or a cell of a notebook."""

    code: str
    line: int
    reason: str | None
    raises: bool = False

    @classmethod
    def of(cls, page: Path) -> list[Example]:
        """Return the examples of a page, in order."""
        text = page.read_text(encoding="utf-8")
        return [
            cls(
                _without_options(match["code"]),
                text.count("\n", 0, match.start("code")),
                match["reason"],
                raises="raises-exception" in match["code"],
            )
            for match in _BLOCK.finditer(text)
        ]


def _without_options(code: str) -> str:
    """Return a cell without the lines of options that it begins with (`:tags: [hide-input]`)."""
    return re.sub(r"\A(?::[\w-]+:.*\n)+", "", code)


PAGES = {path.relative_to(DOCS).as_posix(): Example.of(path) for path in written_pages()}
WITH_EXAMPLES = [page for page, examples in PAGES.items() if examples and page not in RUN_ELSEWHERE]


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_examples_run_in_order(
    page: str, local_alyx: LocalAlyx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for example in PAGES[page]:
            if example.reason is None:
                # Empty lines in front, so that a traceback has the line of the page.
                code = "\n" * example.line + example.code.replace("http://127.0.0.1:8000", local_alyx.url)
                compiled = compile(code, str(DOCS / page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                expected = pytest.raises(AlyxError) if example.raises else nullcontext()
                with warnings.catch_warnings(), expected:
                    warnings.simplefilter("error")
                    # Examples leave their clients open.
                    warnings.simplefilter("ignore", ResourceWarning)
                    done = eval(compiled, names)
                    if inspect.iscoroutine(done):
                        runner.run(done)
                assert names.get("files") != [], f"{page}, line {example.line}: nothing was downloaded"
    for client in names.values():
        if isinstance(client, AlyxClient):
            client.close()


@pytest.mark.parametrize("page", RUN_ELSEWHERE)
def test_examples_that_need_more_have_a_test_of_their_own(page: str) -> None:
    assert PAGES[page]
    assert Path(page).name in (ROOT / RUN_ELSEWHERE[page]).read_text(encoding="utf-8")


def test_examples_that_do_not_run_have_a_reason() -> None:
    """A comment before a block that is not `not run: …` does not keep it from running."""
    for page in written_pages():
        marked = re.findall(r"<!-- not run(.*?)-->", page.read_text(encoding="utf-8"))
        used = sum(example.reason is not None for example in PAGES[page.relative_to(DOCS).as_posix()])
        assert len(marked) == used, page


def test_page_of_errors_has_each_class_with_a_cause_and_a_remedy() -> None:
    classes = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, (AlyxError, AlyxWarning))
    }
    described = set()
    for line in (DOCS / "guides" / "errors.md").read_text(encoding="utf-8").splitlines():
        if name := re.match(r"\| `(\w+(?:Error|Warning))`", line):
            cells = line.strip("| ").split(" | ")
            assert len(cells) == (2 if name[1].endswith("Warning") else 3), line
            assert all(cells), line
            described.add(name[1])
    assert described == classes - {"AlyxError", "AlyxWarning"}
