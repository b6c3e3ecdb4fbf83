"""Words and phrases that readers search for, with the pages that they look for, which come first.

The search of a built site knows the words of pages and the names of objects. Readers type others, or words that are on
every page, and numbers are not searched for at all.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

WORDS = {
    "start/install": "install, pip",
    "start/first-five-minutes": "begin, jupyter, notebook, tutorial",
    "guides/logging-in": "certificate, environment variable, login, password, "
    "proxy, settings, token, token expired, vpn",
    "guides/finding-records": "condition, date, filter, month, query, range, search, subject sessions, where",
    "guides/reading-and-writing": "create, delete, delete record, json, narrative, none, null, qc, unset, update",
    "guides/many-records": "batch, bulk",
    "guides/lists": "page, pagination",
    "guides/on-a-cluster": "cluster, dask, parallel, slurm",
    "guides/files": "checksum, download, file, hash, register, register file, upload, upload file, verify",
    "guides/tables": "arrow, dataframe, excel, pandas, parquet, polars, table",
    "guides/offline": "cache, offline",
    "guides/outbox": "outbox, rig",
    "guides/command-line": "csv, shell, terminal",
    "guides/your-own-server": "generate, mypy, pyright, upgrade",
    "guides/testing-your-pipeline": "ci, local, mock, mock server, pytest, test",
    "guides/async": "async, asyncio, thread",
    "guides/limits": "limit, rate, slow, timeout",
    "guides/errors": "400, 401, 403, 404, 429, 500, error, exception, traceback, warning",
    "guides/coming-from-one": "ibllib, one",
    "guides/coming-from-alyx-matlab": "matlab",
    "reference/endpoints/sessions": "session",
    "reference/endpoints/subjects": "animal, mouse, subject",
    "reference/endpoints/weighings": "weighing, weight",
    "reference/endpoints/water_administrations": "water",
    "reference/endpoints/water_restriction": "water restriction",
}
_LOGGER = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("doctree-read", _add)
    app.connect("env-check-consistency", _check)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def words_of(page: str) -> list[str]:
    """Return the words and phrases of a page."""
    return [word for word in WORDS.get(page, "").split(", ") if word]


def _add(app: Sphinx, doctree: nodes.document) -> None:
    if words := words_of(app.env.docname):
        doctree.insert(0, addnodes.index(entries=[("single", word, "", "main", None) for word in words]))


def _check(app: Sphinx, env: Any) -> None:
    for page in sorted(WORDS.keys() - env.all_docs.keys()):
        _LOGGER.warning("search_words: there is no page %s", page)
