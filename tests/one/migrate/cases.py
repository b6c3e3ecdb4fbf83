"""Calls by name, and the typed calls that they become; they run on a local Alyx, and type checkers look at them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LEFT", "MOVED", "Left"]


@dataclass(frozen=True)
class Left:
    """A call that is left as it is."""

    code: str
    reason: str
    detail: str = ""


# Each leaves its result in "out". "one", "eid", "pid", "tid" and "nid" are set: a client, and the ids of a session, an
# insertion, a task and a note.
MOVED = {
    "no filters": (
        "out = len(one.alyx.rest('tags', 'list'))",
        "out = len(one.alyx.tags.list())",
    ),
    "filters": (
        "out = [s['url'] for s in one.alyx.rest('sessions', 'list', subject='flowers', lab='cortexlab', number=1)]",
        "out = [s['url'] for s in one.alyx.sessions.list(subject='flowers', lab='cortexlab', number=1)]",
    ),
    "date range": (
        "out = len(one.alyx.rest('sessions', 'list', date_range=['2020-01-01', '2020-01-31']))",
        "out = len(one.alyx.sessions.list(date_range=('2020-01-01', '2020-01-31')))",
    ),
    "date range of a day, as text": (
        "out = len(one.alyx.rest('sessions', 'list', date_range='2020-01-07,2020-01-07'))",
        "out = len(one.alyx.sessions.list(date_range='2020-01-07,2020-01-07'))",
    ),
    "several values": (
        "out = len(one.alyx.rest('sessions', 'list', dataset_types=['trials.table', 'spikes.times']))",
        "out = len(one.alyx.sessions.list(dataset_types=['trials.table', 'spikes.times']))",
    ),
    "django": (
        "out = [s['subject'] for s in one.alyx.rest('sessions', 'list', django=f'pk,{eid}')]",
        "out = [s['subject'] for s in one.alyx.sessions.list(django=f'pk,{eid}')]",
    ),
    "id of a list": (
        "out = one.alyx.rest('sessions', 'list', id=eid)[0]['subject']",
        "out = one.alyx.sessions.list(id=eid)[0]['subject']",
    ),
    "URL as id of a list": (
        "url = one.alyx.rest('sessions', 'read', id=eid)['url']\n"
        "out = [len(one.alyx.rest('sessions', 'list', id=url)), len(one.alyx.rest('sessions', 'list', id=[url]))]",
        "url = one.alyx.sessions.read(eid)['url']\n"
        "out = [len(one.alyx.sessions.list(id=url)), len(one.alyx.sessions.list(id=[url]))]",
    ),
    "ids of a list": (
        "out = len(one.alyx.rest('sessions', 'list', id=[eid]))",
        "out = len(one.alyx.sessions.list(id=[eid]))",
    ),
    "None is no filter": (
        "out = len(one.alyx.rest('subjects', 'list', django=None, lab='cortexlab'))",
        "out = len(one.alyx.subjects.list(django=None, lab='cortexlab'))",
    ),
    "page size": (
        "out = [s['nickname'] for s in one.alyx.rest('subjects', 'list', limit=3)]",
        "out = [s['nickname'] for s in one.alyx.subjects.list(page_size=3)]",
    ),
    "spaces in a value": (
        "out = len(one.alyx.rest('trajectories', 'list', provenance='Ephys aligned histology track', alyx=None)) if 0"
        " else len(one.alyx.rest('trajectories', 'list', provenance='Histology track', probe_insertion=pid))",
        "out = len(one.alyx.rest('trajectories', 'list', provenance='Ephys aligned histology track', alyx=None)) if 0"
        " else len(one.alyx.trajectories.list(provenance='Histology track', probe_insertion=pid))",
    ),
    "read": (
        "out = one.alyx.rest('sessions', 'read', id=eid)['extended_qc']",
        "out = one.alyx.sessions.read(eid)['extended_qc']",
    ),
    "read by name, positional": (
        "out = one.alyx.rest('labs', 'read', 'cortexlab')['timezone']",
        "out = one.alyx.labs.read('cortexlab')['timezone']",
    ),
    "read by URL": (
        "url = one.alyx.rest('sessions', 'list', id=eid)[0]['url']\n"
        "out = one.alyx.rest('sessions', 'read', id=url)['subject']",
        "url = one.alyx.sessions.list(id=eid)[0]['url']\nout = one.alyx.sessions.read(url)['subject']",
    ),
    "number as id": (
        "out = one.alyx.rest('brain-regions', 'read', id=997)['acronym']",
        "out = one.alyx.brain_regions.read(997)['acronym']",
    ),
    "keywords in any order": (
        "out = one.alyx.rest(id=eid, action='read', url='sessions')['subject']",
        "out = one.alyx.sessions.read(eid)['subject']",
    ),
    "slash and hyphen": (
        "out = one.alyx.rest('/data-repository', 'partial-update', id='attic', data={'timezone': 'UTC'})['timezone']",
        "out = one.alyx.data_repository.partial_update('attic', timezone='UTC')['timezone']",
    ),
    "UUID as text": (
        "i = one.alyx.rest('insertions', 'list', session=eid)\nout = [i[0]['id'], i[0]['session_info']['id'][:8]]",
        "i = one.alyx.insertions.list(session=eid)\nout = [str(i[0]['id']), str(i[0]['session_info']['id'])[:8]]",
    ),
    "UUID where text or a UUID will do": (
        "s = one.alyx.rest('sessions', 'list', subject='flowers')[0]\n"
        "out = f\"{s['id']}\" + one.alyx.rest('sessions', 'read', id=s['id'])['subject'] + str(s['id'])",
        "s = one.alyx.sessions.list(subject='flowers')[0]\n"
        "out = f\"{s['id']}\" + one.alyx.sessions.read(s['id'])['subject'] + str(s['id'])",
    ),
    "UUID of nested records": (
        "s = one.alyx.rest('sessions', 'read', id=eid)\n"
        "out = [d['id'] for d in s['data_dataset_session_related'] if d['name']]",
        "s = one.alyx.sessions.read(eid)\nout = [str(d['id']) for d in s['data_dataset_session_related'] if d['name']]",
    ),
    "time whose text is used": (
        "out = [s['start_time'][:10] for s in one.alyx.rest('sessions', 'list', subject='flowers')]",
        "out = [s['start_time'].isoformat()[:10] for s in one.alyx.sessions.list(subject='flowers')]",
    ),
    "time that is parsed": (
        "from datetime import datetime\n"
        "s = one.alyx.rest('sessions', 'list', id=eid)[0]\n"
        "out = datetime.fromisoformat(s['start_time']).day if s['start_time'] else None",
        "from datetime import datetime\n"
        "s = one.alyx.sessions.list(id=eid)[0]\n"
        "out = datetime.fromisoformat(s['start_time'].isoformat()).day if s['start_time'] else None",
    ),
    "two loops over a variable": (
        "rows = one.alyx.rest('sessions', 'list', subject='flowers')\n"
        "out = [r['start_time'][:10] for r in rows] + [r['id'] for r in rows]\n"
        "for r in rows:\n    out.append(r['id'])\n"
        "for r in rows[1:]:\n    out.append(r['start_time'][11:])",
        "rows = one.alyx.sessions.list(subject='flowers')\n"
        "out = [r['start_time'].isoformat()[:10] for r in rows] + [str(r['id']) for r in rows]\n"
        "for r in rows:\n    out.append(str(r['id']))\n"
        "for r in rows[1:]:\n    out.append(r['start_time'].isoformat()[11:])",
    ),
    "no value beside it": (
        "x = one.alyx.rest('sessions', 'list', id=eid)[0] if eid else None\n"
        "y = next(iter(one.alyx.rest('sessions', 'list', id=eid)), None)\n"
        "out = [x['id'] if x else '', y['id'] if y else '']",
        "x = one.alyx.sessions.list(id=eid)[0] if eid else None\n"
        "y = next(iter(one.alyx.sessions.list(id=eid)), None)\n"
        "out = [str(x['id']) if x else '', str(y['id']) if y else '']",
    ),
    "variable that is narrowed": (
        "rows = one.alyx.rest('sessions', 'list', subject='flowers')\n"
        "few = [r for r in rows if r['number'] == 1]\n"
        "few = sorted(few, key=lambda r: r['start_time'].replace('-', ''))[:3]\n"
        "out = [r['id'] for r in few]",
        "rows = one.alyx.sessions.list(subject='flowers')\n"
        "few = [r for r in rows if r['number'] == 1]\n"
        "few = sorted(few, key=lambda r: r['start_time'].isoformat().replace('-', ''))[:3]\n"
        "out = [str(r['id']) for r in few]",
    ),
    "get and in": (
        "s = one.alyx.rest('subjects', 'read', id='flowers')\nout = [s.get('lab'), 'nickname' in s, s is None, not s]",
        "s = one.alyx.subjects.read('flowers')\nout = [s.get('lab'), 'nickname' in s, s is None, not s]",
    ),
    "conditions": (
        "found = one.alyx.rest('tags', 'list', name='no such tag')\n"
        "out = 'none' if not found else found[0]['name'] if len(found) else found == []",
        "found = one.alyx.tags.list(name='no such tag')\n"
        "out = 'none' if not found else found[0]['name'] if len(found) else found == []",
    ),
    "unpacking": (
        "first, *others = one.alyx.rest('labs', 'list')\nout = [first['name'], [o['name'] for o in others[:2]]]",
        "first, *others = one.alyx.labs.list()\nout = [first['name'], [o['name'] for o in others[:2]]]",
    ),
    "loops": (
        "out = []\n"
        "for i, lab in enumerate(one.alyx.rest('labs', 'list')):\n"
        "    out.append((i, lab['name']))\n"
        "for lab in reversed(one.alyx.rest('labs', 'list')):\n"
        "    out.append(lab['timezone'])",
        "out = []\n"
        "for i, lab in enumerate(one.alyx.labs.list()):\n"
        "    out.append((i, lab['name']))\n"
        "for lab in reversed(one.alyx.labs.list()):\n"
        "    out.append(lab['timezone'])",
    ),
    "functions of items": (
        "labs = one.alyx.rest('labs', 'list')\n"
        "out = [x['name'] for x in sorted(labs, key=lambda x: x['timezone'])]\n"
        "out += [next(filter(lambda x: x['name'] == 'cortexlab', labs))['timezone']]",
        "labs = one.alyx.labs.list()\n"
        "out = [x['name'] for x in sorted(labs, key=lambda x: x['timezone'])]\n"
        "out += [next(filter(lambda x: x['name'] == 'cortexlab', labs))['timezone']]",
    ),
    "walrus and or": (
        "out = ''\nif rows := one.alyx.rest('labs', 'list'):\n    out = rows[0]['name']\n"
        "out += (one.alyx.rest('labs', 'list') or one.alyx.rest('labs', 'list'))[0]['name']",
        "out = ''\nif rows := one.alyx.labs.list():\n    out = rows[0]['name']\n"
        "out += (one.alyx.labs.list() or one.alyx.labs.list())[0]['name']",
    ),
    "create": (
        "out = one.alyx.rest('subjects', 'create', data={'nickname': 'violet', 'lab': 'cortexlab',\n"
        "                                                'responsible_user': 'olivier'})['nickname']",
        "from alyx_client.models import Subject\n\n"
        "out = one.alyx.subjects.create(Subject(nickname='violet', lab='cortexlab',\n"
        "                                       responsible_user='olivier'))['nickname']",
    ),
    "create with dict()": (
        "out = one.alyx.rest('tags', 'create', data=dict(name='new', protected=True))['protected']",
        "from alyx_client.models import Tag\n\n"
        "out = one.alyx.tags.create(Tag(name='new', protected=True))['protected']",
    ),
    "create from a variable": (
        "note = {'user': 'olivier', 'content_type': 'session', 'object_id': eid, 'text': 'x'}\n"
        "out = one.alyx.rest('notes', 'create', data=note)['text']",
        "from alyx_client.models import Note\n\n"
        "note = Note(user='olivier', content_type='session', object_id=eid, text='x')\n"
        "out = one.alyx.notes.create(note)['text']",
    ),
    "create several": (
        "t = one.alyx.rest('trajectories', 'list')[0]['id']\n"
        "c = one.alyx.rest('channels', 'create', data=[{'x': 1.5, 'axial': 2.0, 'trajectory_estimate': t}, {\n"
        "    'x': 2.5, 'axial': 3.0, 'trajectory_estimate': t}])\n"
        "out = [x['x'] for x in c]",
        "from alyx_client.models import Channel\n\n"
        "t = str(one.alyx.trajectories.list()[0]['id'])\n"
        "c = one.alyx.channels.create([Channel(x=1.5, axial=2.0, trajectory_estimate=t), Channel(\n"
        "    x=2.5, axial=3.0, trajectory_estimate=t)])\n"
        "out = [x['x'] for x in c]",
    ),
    "update": (
        "out = one.alyx.rest('subjects', 'update', id='flowers', data={'nickname': 'flowers', 'lab': 'cortexlab',"
        " 'responsible_user': 'olivier'})['lab']",
        "from alyx_client.models import Subject\n\n"
        "out = one.alyx.subjects.update('flowers', Subject(nickname='flowers', lab='cortexlab',"
        " responsible_user='olivier'))['lab']",
    ),
    "partial_update": (
        "one.alyx.rest('tasks', 'partial_update', id=tid, data={'status': 'Held', 'log': None})\n"
        "out = one.alyx.rest('tasks', 'read', id=tid)['status']",
        "one.alyx.tasks.partial_update(tid, status='Held', log=None)\nout = one.alyx.tasks.read(tid)['status']",
    ),
    "partial_update, data first": (
        "out = one.alyx.rest('sessions', 'partial_update', data={'qc': 'PASS'}, id=eid)['qc']",
        "out = one.alyx.sessions.partial_update(eid, qc='PASS')['qc']",
    ),
    "partial_update that keeps what the server would lose": (
        "out = one.alyx.rest('notes', 'partial_update', id=nid, data={'text': 'y'})['text']",
        "out = one.alyx.notes.partial_update(nid, text='y')['text']",
    ),
    "delete": (
        "one.alyx.rest('notes', 'delete', id=nid)\nout = len(one.alyx.rest('notes', 'list'))",
        "one.alyx.notes.delete(nid)\nout = len(one.alyx.notes.list())",
    ),
    "JSON fields": (
        "out = [one.alyx.json_field_write('sessions', eid, 'json', {'a': 1}),\n"
        "       one.alyx.json_field_update('sessions', eid, data={'b': 2}),\n"
        "       one.alyx.json_field_update(endpoint='sessions', uuid=eid, field_name='json', data={'c': 3}),\n"
        "       one.alyx.json_field_remove_key('sessions', eid, key='a')]\n"
        "one.alyx.json_field_delete('sessions', eid, 'json')",
        "out = [one.alyx.sessions.json_field_write(eid, 'json', {'a': 1}),\n"
        "       one.alyx.sessions.json_field_update(eid, 'json', data={'b': 2}),\n"
        "       one.alyx.sessions.json_field_update(uuid=eid, field_name='json', data={'c': 3}),\n"
        "       one.alyx.sessions.json_field_remove_key(eid, 'json', key='a')]\n"
        "one.alyx.sessions.json_field_delete(eid, 'json')",
    ),
    "past the cache": (
        "ses = one.alyx.rest('sessions', 'read', id=eid, no_cache=True)\n"
        "pid = one.alyx.rest('insertions', 'list', session=eid, no_cache=True)[0]['name']  # the first\n"
        "rows = one.alyx.rest('labs', 'list', no_cache=True)\n"
        "out = [ses['subject'], pid, rows[0]['name']]",
        "with one.alyx.cache_disabled():\n"
        "    ses = one.alyx.sessions.read(eid)\n"
        "with one.alyx.cache_disabled():\n"
        "    pid = one.alyx.insertions.list(session=eid)[0]['name']  # the first\n"
        "with one.alyx.cache_disabled():\n"
        "    rows = list(one.alyx.labs.list())\n"
        "out = [ses['subject'], pid, rows[0]['name']]",
    ),
    "no_cache of a write": (
        "out = one.alyx.rest('sessions', 'partial_update', id=eid, data={'qc': 'FAIL'}, no_cache=True)['qc']",
        "out = one.alyx.sessions.partial_update(eid, qc='FAIL')['qc']",
    ),
    "time limit": (
        "out = one.alyx.rest('sessions', 'read', id=eid, timeout=20)['lab']",
        "out = one.alyx.sessions.read(eid, timeout=20)['lab']",
    ),
}

LEFT = {
    "endpoint": Left("one.alyx.rest(endpoint, 'list')", "NOT_LITERAL"),
    "action": Left("one.alyx.rest('sessions', action)", "NOT_LITERAL"),
    "endpoint of a JSON field": Left("one.alyx.json_field_update(endpoint, eid, 'json', {})", "NOT_LITERAL"),
    "no arguments": Left("one.alyx.rest()", "NO_ACTION"),
    "no action": Left("one.alyx.rest('sessions')", "NO_ACTION"),
    "query": Left("one.alyx.rest('sessions?subject=x', 'list')", "PATH"),
    "path": Left("one.alyx.rest('subjects/flowers', 'list')", "PATH"),
    "own class": Left("class Client:\n    def f(self):\n        self.rest('labs', 'list')", "OWN_CLASS"),
    "base class": Left("class Client:\n    def f(self):\n        super().rest('labs', 'list')", "OWN_CLASS"),
    "boolean for a number": Left("one.alyx.rest('sessions', 'partial_update', '1', {'number': True})", "VALUE"),
    "tuple for a list": Left("one.alyx.rest('sessions', 'partial_update', '1', {'projects': ('x',)})", "VALUE"),
    "awaited": Left("async def f():\n    await alyx.rest('labs', 'read', id='x')", "AWAITED"),
    "unpacked filters": Left("one.alyx.rest('sessions', 'list', **filters)", "UNPACKED"),
    "unpacked arguments": Left("one.alyx.rest(*arguments)", "UNPACKED"),
    "no such endpoint": Left("one.alyx.rest('sesions', 'list')", "ENDPOINT", "Did you mean 'sessions'"),
    "no such action": Left("one.alyx.rest('weighings', 'update', id='1')", "ACTION", "weighings has no 'update'"),
    "no such filter": Left("one.alyx.rest('insertions', 'list', dataset_type='x')", "FILTER", "'dataset_types'"),
    "no filters at all": Left("one.alyx.rest('locations', 'list', lab='x')", "FILTER", "It has no filters."),
    "no such field": Left("one.alyx.rest('tasks', 'partial_update', id='1', data={'state': 'x'})", "FIELD", "'status'"),
    "no such JSON field": Left("one.alyx.json_field_update('sessions', 1, 'extended', {})", "FIELD", "'extended_qc'"),
    "no JSON field": Left("one.alyx.json_field_update('weighings', 1, 'json', {})", "FIELD", "It has no JSON fields."),
    "no such value": Left("one.alyx.rest('sessions', 'list', qc='PAS')", "CHOICE", "Did you mean 'PASS'?"),
    "no such value of a field": Left(
        "one.alyx.rest('tasks', 'partial_update', id='1', data={'status': 'waiting'})", "CHOICE", "'Waiting'"
    ),
    "read-only field": Left("one.alyx.rest('tasks', 'partial_update', id='1', data={'id': 2})", "READ_ONLY", "id"),
    "data of a list": Left("one.alyx.rest('tasks', 'list', data={})", "ARGUMENT"),
    "positional path": Left("one.alyx.rest('weighings', 'list', '?nickname=x')", "ARGUMENT"),
    "limit as text": Left("one.alyx.rest('labs', 'list', limit='5')", "VALUE", "limit"),
    "data of a read": Left("one.alyx.rest('sessions', 'read', id='x', data={})", "ARGUMENT", "takes no data"),
    "unknown argument": Left("one.alyx.rest('sessions', 'read', id='x', fresh=1)", "ARGUMENT", "'fresh'"),
    "lifetime of a record": Left("one.alyx.rest('sessions', 'read', id='x', expires=day)", "CACHE_TIME"),
    "empty data": Left("one.alyx.rest('tags', 'create', data={})", "MISSING", "data"),
    "unknown argument of a JSON field": Left("one.alyx.json_field_update('sessions', 1, 'json', {}, x=1)", "ARGUMENT"),
    "no record of a JSON field": Left("one.alyx.json_field_update('sessions')", "MISSING", "uuid"),
    "no name of a JSON field": Left("one.alyx.json_field_delete('sessions', eid)", "MISSING", "field_name"),
    "JSON field by variable": Left("one.alyx.json_field_update('sessions', eid, name, {})", "NOT_LITERAL"),
    "too many arguments": Left("one.alyx.rest('labs', 'read', 'x', {}, None, True, 5)", "ARGUMENT", "7 positional"),
    "variable in a function": Left("d = {'name': 'x'}\ndef f():\n    one.alyx.rest('tags', 'create', data=d)", "DATA"),
    "variable beside another": Left("a = 1; d = {'name': 'x'}\none.alyx.rest('tags', 'create', data=d)", "DATA"),
    "two variables": Left("c = d = {'name': 'x'}\none.alyx.rest('tags', 'create', data=d)", "DATA"),
    "variable of a later line": Left("one.alyx.rest('tags', 'create', data=d)\nd = {'name': 'x'}", "DATA"),
    "no time": Left("one.alyx.rest('sessions', 'partial_update', id='x', data={'start_time': 'soon'})", "VALUE"),
    "unpacked record": Left("x, y = one.alyx.rest('labs', 'read', id='a')", "ESCAPES", "x, y = …"),
    "field by attribute": Left("x = one.alyx.rest('labs', 'read', id='a')\nx.name", "ESCAPES", "x.name"),
    "method as a value": Left("x = one.alyx.rest('labs', 'read', id='a')\nf(x.get)", "ESCAPES", "x.get"),
    "field by variable in get": Left("x = one.alyx.rest('labs', 'read', id='a')\nx.get(name)", "FIELD_NAME"),
    "comment beside a field": Left("one.alyx.rest('tags', 'create', data={'name'  # why\n : 'x'})", "DATA"),
    "no id": Left("one.alyx.rest('sessions', 'read')", "MISSING", "id"),
    "no data": Left("one.alyx.rest('tags', 'create')", "MISSING", "data"),
    "required field": Left("one.alyx.rest('notes', 'create', data={'text': 'x'})", "MISSING", "user"),
    "variable": Left("def f(data):\n    one.alyx.rest('tags', 'create', data=data)", "DATA"),
    "variable that is changed": Left(
        "data = {'name': 'x'}\ndata['public'] = True\none.alyx.rest('tags', 'create', data=data)", "DATA"
    ),
    "variable of changes": Left("d = {'public': True}\none.alyx.rest('tags', 'partial_update', '1', d)", "DATA"),
    "unpacked data": Left("one.alyx.rest('tags', 'create', data={**base, 'name': 'x'})", "DATA"),
    "field twice": Left("one.alyx.rest('tags', 'create', data={'name': 'x', 'name': 'y'})", "DATA"),
    "files": Left("one.alyx.rest('notes', 'create', data={'text': 'x'}, files={'image': f})", "FILES"),
    "lifetime": Left("one.alyx.rest('labs', 'list', expires=day)", "CACHE_TIME"),
    "offset": Left("one.alyx.rest('labs', 'list', offset=5)", "PAGE"),
    "no_cache in a loop": Left("for lab in one.alyx.rest('labs', 'list', no_cache=True):\n    pass", "NO_CACHE"),
    "no_cache beside others": Left("x = f(one.alyx.rest('labs', 'read', 'x', no_cache=True)['name'])", "NO_CACHE"),
    "no_cache of a call": Left("ONE().alyx.rest('labs', 'list', no_cache=True)", "NO_CACHE"),
    "no_cache of a variable": Left("one.alyx.rest('labs', 'list', no_cache=fresh)", "NO_CACHE"),
    "list for one value": Left("one.alyx.rest('sessions', 'list', lab=['a', 'b'])", "VALUE", "lab"),
    "text for a boolean": Left("one.alyx.rest('subjects', 'list', alive='True')", "VALUE", "alive"),
    "one day": Left("one.alyx.rest('sessions', 'list', date_range='2020-01-01')", "VALUE", "two days"),
    "lookups in parts": Left("one.alyx.rest('sessions', 'list', django=['a', 'b'])", "VALUE", "django"),
    "time zone": Left(
        "one.alyx.rest('sessions', 'partial_update', id='1', data={'start_time': '2020-01-01T10:00Z'})", "VALUE"
    ),
    "number as id": Left("one.alyx.rest('sessions', 'read', id=1)", "VALUE", "id"),
    "path as id": Left("one.alyx.rest('sessions', 'read', id='/sessions/1')", "VALUE"),
    "comment": Left("one.alyx.rest(\n    'labs',  # the endpoint\n    'list',\n)", "COMMENT"),
    "returned": Left("def f():\n    return one.alyx.rest('labs', 'list')", "ESCAPES"),
    "passed on": Left("x = one.alyx.rest('labs', 'list')\nplot(x)", "ESCAPES", "plot(x)"),
    "kept": Left("self.labs = one.alyx.rest('labs', 'list')", "ESCAPES", "self.labs"),
    "class attribute": Left("class A:\n    labs = one.alyx.rest('labs', 'list')", "ESCAPES", "labs"),
    "table": Left("pd.DataFrame(one.alyx.rest('labs', 'list'))", "ESCAPES"),
    "captured and returned": Left(
        "x = one.alyx.rest('labs', 'list')\ndef f():\n    return [y for y in x if y]", "ESCAPES"
    ),
    "changed": Left("x = one.alyx.rest('labs', 'read', id='a')\nx['name'] = 'b'", "CHANGED", "x['name']"),
    "changed in a loop": Left("for x in one.alyx.rest('labs', 'list'):\n    del x['name']", "CHANGED"),
    "updated": Left("x = one.alyx.rest('labs', 'read', id='a')\nx.update(y)", "CHANGED", ".update()"),
    "sorted in place": Left("x = one.alyx.rest('labs', 'list')\nx.sort(key=f)", "LIST_ONLY", ".sort()"),
    "added": Left("x = one.alyx.rest('labs', 'list') + one.alyx.rest('labs', 'list')", "LIST_ONLY"),
    "nothing": Left("x = one.alyx.rest('notes', 'delete', id='1')", "DIFFERS", "None"),
    "time": Left("t = one.alyx.rest('sessions', 'read', id='1')['start_time']\nf(t)", "DIFFERS", "datetime or None"),
    "optional UUID": Left("f(one.alyx.rest('channels', 'list')[0]['trajectory_estimate'])", "DIFFERS", "UUID or None"),
    "list of UUIDs": Left("f(one.alyx.rest('insertions', 'list')[0]['datasets'])", "DIFFERS", "list of"),
    "variable with other values": Left(
        "x = {'id': None}\nif y:\n    x = one.alyx.rest('sessions', 'read', id='1')\nf(x['id'])", "DIFFERS"
    ),
    "variable with the result of a call that is left": Left(
        "if y:\n    x = one.alyx.rest('sessions', 'read', id='1')\nelse:\n"
        "    x = one.alyx.rest('sessions', 'read', id='2', expires=day)\nf(x['start_time'][:10])",
        "DIFFERS,CACHE_TIME",
    ),
    "other value beside it": Left(
        "f((cached or one.alyx.rest('sessions', 'list'))[0]['start_time'][:10])", "DIFFERS", "from elsewhere"
    ),
    "variable with a value or another": Left(
        "x = one.alyx.rest('sessions', 'list') if y else cached\nf(x[0]['start_time'][:10])", "DIFFERS"
    ),
    "other value at the end": Left(
        "f(next(iter(one.alyx.rest('sessions', 'list')), default)['id'])", "DIFFERS", "from elsewhere"
    ),
    "variable with a part of a result": Left(
        "x = one.alyx.rest('sessions', 'read', id='1')\nx = x['json']\nf(x['id'])", "DIFFERS", "from elsewhere"
    ),
    "parameter": Left("def f(x):\n    x = x or one.alyx.rest('sessions', 'read', id='1')\n    f(x['id'])", "DIFFERS"),
    "loops with other values": Left(
        "for x in one.alyx.rest('sessions', 'list'):\n    f(x['start_time'][:10])\n"
        "for x in others:\n    f(x['start_time'][:10])",
        "DIFFERS",
        "from elsewhere",
    ),
    "field by variable": Left("x = one.alyx.rest('labs', 'read', id='a')\nf(x[name])", "FIELD_NAME"),
    "fields": Left("x = one.alyx.rest('labs', 'read', id='a')\nfor name in x:\n    pass", "FIELD_NAME"),
}
