"""Comments, line breaks, alignment and imports around calls that are rewritten."""

from __future__ import annotations

import pytest

from alyx_client.one.migrate.module import migrate
from alyx_client.one.migrate.surface import read_surface

SURFACE = read_surface()

CASES = {
    "comments and blank lines": (
        "# one\n\nx = one.alyx.rest('labs', 'list')  # two\n# three\n",
        "# one\n\nx = one.alyx.labs.list()  # two\n# three\n",
    ),
    "an argument on each line": (
        "x = one.alyx.rest(\n    'sessions',\n    'list',\n    subject='a',  # whose\n    number=1,\n)\n",
        "x = one.alyx.sessions.list(\n    subject='a',  # whose\n    number=1,\n)\n",
    ),
    "aligned with the parenthesis": (
        "if x:\n    y = one.alyx.rest('sessions', 'list', subject='a',\n                      number=1)\n",
        "if x:\n    y = one.alyx.sessions.list(subject='a',\n                               number=1)\n",
    ),
    "aligned, and made text": (
        "f(one.alyx.rest('sessions', 'list', subject='a',\n                number=1)[0]['id'])\n",
        "f(str(one.alyx.sessions.list(subject='a',\n                             number=1)[0]['id']))\n",
    ),
    "aligned within an argument": (
        "one.alyx.rest('sessions', 'list',\n              django=('a,b,'\n                      'c,d'))\n",
        "one.alyx.sessions.list(django=('a,b,'\n                               'c,d'))\n",
    ),
    "fields on lines of their own": (
        "one.alyx.rest('tasks', 'partial_update', id=x, data={\n    'status': 'Held',  # why\n    'log': 'y',\n})\n",
        "one.alyx.tasks.partial_update(x, \n    status='Held',  # why\n    log='y',\n)\n".replace(", \n", ",\n"),
    ),
    "fields that are aligned": (
        "one.alyx.rest('tasks', 'partial_update', x, data={'status': 'Held',\n"
        "                                                  'log': 'y'})\n",
        "one.alyx.tasks.partial_update(x, status='Held',\n                              log='y')\n",
    ),
    "a record on lines of its own": (
        "one.alyx.rest(\n    'tags', 'create',\n    data={\n        'name': 'x',\n        'public': True,\n    },\n)\n",
        "from alyx_client.models import Tag\n\n"
        "one.alyx.tags.create(\n    Tag(\n        name='x',\n        public=True,\n    ),\n)\n",
    ),
    "a block for the cache": (
        "def f():\n  # before\n  x = one.alyx.rest('labs', 'read', 'a', no_cache=True)  # after\n  return x['name']\n",
        "def f():\n  # before\n  with one.alyx.cache_disabled():\n    x = one.alyx.labs.read('a')  # after\n"
        "  return x['name']\n",
    ),
    "after the imports": (
        '"""Text."""\nfrom __future__ import annotations\n\nimport os\n\none.alyx.rest("tags", "create", '
        'data={"name": "x"})\n',
        '"""Text."""\nfrom __future__ import annotations\n\nimport os\nfrom alyx_client.models import Tag\n\n'
        'one.alyx.tags.create(Tag(name="x"))\n',
    ),
    "into an import": (
        "from alyx_client.models import Lab\n\none.alyx.rest('tags', 'create', data={'name': Lab})\n",
        "from alyx_client.models import Lab, Tag\n\none.alyx.tags.create(Tag(name=Lab))\n",
    ),
    "imported already": (
        "from alyx_client.models import Tag as T\n\none.alyx.rest('tags', 'create', data={'name': T})\n",
        "from alyx_client.models import Tag as T\n\none.alyx.tags.create(T(name=T))\n",
    ),
    "name that is taken": (
        "from other import Tag\none.alyx.rest('tags', 'create', data={'name': Tag})\n",
        "from other import Tag\nfrom alyx_client.models import Tag as AlyxTag\n"
        "one.alyx.tags.create(AlyxTag(name=Tag))\n",
    ),
    "calls in calls": (
        "one.alyx.rest('sessions', 'list', id=one.alyx.rest('insertions', 'read', p)['session_info']['id'])\n",
        "one.alyx.sessions.list(id=one.alyx.insertions.read(p)['session_info']['id'])\n",
    ),
    "other line endings": ("x = one.alyx.rest('labs', 'list')\r\ny = 1\r\n", "x = one.alyx.labs.list()\r\ny = 1\r\n"),
    "any client": (
        "AlyxClient(base_url=url).rest('labs', 'list')\nself.one.alyx.rest('labs', 'list')\nac.rest('labs', 'list')\n",
        "AlyxClient(base_url=url).labs.list()\nself.one.alyx.labs.list()\nac.labs.list()\n",
    ),
    "what is no Alyx": (
        "server.rest('labs')\nserver.rest(3)\nrest('labs', 'list')\nx = ax.rest('thing', 'make')\n",
        "server.rest('labs')\nserver.rest(3)\nrest('labs', 'list')\nx = ax.rest('thing', 'make')\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_formatting(name: str) -> None:
    before, after = CASES[name]
    result = migrate(before, SURFACE)
    assert result.code == after
    assert not result.left


def test_names_that_other_modules_import_are_left() -> None:
    code = "labs = one.alyx.rest('labs', 'list')\n"
    assert migrate(code, SURFACE).code == "labs = one.alyx.labs.list()\n"
    for exported in ({"labs"}, {"*"}):
        result = migrate(code, SURFACE, frozenset(exported))
        assert result.code == code
        assert "which other modules" in result.left[0].detail
