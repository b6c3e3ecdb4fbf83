# fmt: off
# ruff: noqa
# pyright: basic
"""Calls by name, rewritten by ``python -m alyx_client.one.migrate``; the cases of tests/one/migrate."""
from __future__ import annotations
from typing import Any
from alyx_client import AlyxClient
class ONE:
    alyx: AlyxClient
def case_0(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """no filters"""
    out = len(one.alyx.tags.list())
    return out
def case_1(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """filters"""
    out = [s['url'] for s in one.alyx.sessions.list(subject='flowers', lab='cortexlab', number=1)]
    return out
def case_2(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """date range"""
    out = len(one.alyx.sessions.list(date_range=('2020-01-01', '2020-01-31')))
    return out
def case_3(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """date range of a day, as text"""
    out = len(one.alyx.sessions.list(date_range='2020-01-07,2020-01-07'))
    return out
def case_4(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """several values"""
    out = len(one.alyx.sessions.list(dataset_types=['trials.table', 'spikes.times']))
    return out
def case_5(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """django"""
    out = [s['subject'] for s in one.alyx.sessions.list(django=f'pk,{eid}')]
    return out
def case_6(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """id of a list"""
    out = one.alyx.sessions.list(id=eid)[0]['subject']
    return out
def case_7(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """URL as id of a list"""
    url = one.alyx.sessions.read(eid)['url']
    out = [len(one.alyx.sessions.list(id=url)), len(one.alyx.sessions.list(id=[url]))]
    return out
def case_8(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """ids of a list"""
    out = len(one.alyx.sessions.list(id=[eid]))
    return out
def case_9(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """None is no filter"""
    out = len(one.alyx.subjects.list(django=None, lab='cortexlab'))
    return out
def case_10(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """page size"""
    out = [s['nickname'] for s in one.alyx.subjects.list(page_size=3)]
    return out
def case_11(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """spaces in a value"""
    out = len(one.alyx.rest('trajectories', 'list', provenance='Ephys aligned histology track', alyx=None)) if 0 else len(one.alyx.trajectories.list(provenance='Histology track', probe_insertion=pid))
    return out
def case_12(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """read"""
    out = one.alyx.sessions.read(eid)['extended_qc']
    return out
def case_13(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """read by name, positional"""
    out = one.alyx.labs.read('cortexlab')['timezone']
    return out
def case_14(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """read by URL"""
    url = one.alyx.sessions.list(id=eid)[0]['url']
    out = one.alyx.sessions.read(url)['subject']
    return out
def case_15(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """number as id"""
    out = one.alyx.brain_regions.read(997)['acronym']
    return out
def case_16(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """keywords in any order"""
    out = one.alyx.sessions.read(eid)['subject']
    return out
def case_17(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """slash and hyphen"""
    out = one.alyx.data_repository.partial_update('attic', timezone='UTC')['timezone']
    return out
def case_18(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """UUID as text"""
    i = one.alyx.insertions.list(session=eid)
    out = [str(i[0]['id']), str(i[0]['session_info']['id'])[:8]]
    return out
def case_19(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """UUID where text or a UUID will do"""
    s = one.alyx.sessions.list(subject='flowers')[0]
    out = f"{s['id']}" + one.alyx.sessions.read(s['id'])['subject'] + str(s['id'])
    return out
def case_20(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """UUID of nested records"""
    s = one.alyx.sessions.read(eid)
    out = [str(d['id']) for d in s['data_dataset_session_related'] if d['name']]
    return out
def case_21(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """time whose text is used"""
    out = [s['start_time'].isoformat()[:10] for s in one.alyx.sessions.list(subject='flowers')]
    return out
def case_22(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """time that is parsed"""
    from datetime import datetime
    s = one.alyx.sessions.list(id=eid)[0]
    out = datetime.fromisoformat(s['start_time'].isoformat()).day if s['start_time'] else None
    return out
def case_23(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """two loops over a variable"""
    rows = one.alyx.sessions.list(subject='flowers')
    out = [r['start_time'].isoformat()[:10] for r in rows] + [str(r['id']) for r in rows]
    for r in rows:
        out.append(str(r['id']))
    for r in rows[1:]:
        out.append(r['start_time'].isoformat()[11:])
    return out
def case_24(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """no value beside it"""
    x = one.alyx.sessions.list(id=eid)[0] if eid else None
    y = next(iter(one.alyx.sessions.list(id=eid)), None)
    out = [str(x['id']) if x else '', str(y['id']) if y else '']
    return out
def case_25(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """variable that is narrowed"""
    rows = one.alyx.sessions.list(subject='flowers')
    few = [r for r in rows if r['number'] == 1]
    few = sorted(few, key=lambda r: r['start_time'].isoformat().replace('-', ''))[:3]
    out = [str(r['id']) for r in few]
    return out
def case_26(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """get and in"""
    s = one.alyx.subjects.read('flowers')
    out = [s.get('lab'), 'nickname' in s, s is None, not s]
    return out
def case_27(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """conditions"""
    found = one.alyx.tags.list(name='no such tag')
    out = 'none' if not found else found[0]['name'] if len(found) else found == []
    return out
def case_28(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """unpacking"""
    first, *others = one.alyx.labs.list()
    out = [first['name'], [o['name'] for o in others[:2]]]
    return out
def case_29(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """loops"""
    out = []
    for i, lab in enumerate(one.alyx.labs.list()):
        out.append((i, lab['name']))
    for lab in reversed(one.alyx.labs.list()):
        out.append(lab['timezone'])
    return out
def case_30(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """functions of items"""
    labs = one.alyx.labs.list()
    out = [x['name'] for x in sorted(labs, key=lambda x: x['timezone'])]
    out += [next(filter(lambda x: x['name'] == 'cortexlab', labs))['timezone']]
    return out
def case_31(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """walrus and or"""
    out = ''
    if rows := one.alyx.labs.list():
        out = rows[0]['name']
    out += (one.alyx.labs.list() or one.alyx.labs.list())[0]['name']
    return out
def case_32(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """create"""
    from alyx_client.models import Subject
    out = one.alyx.subjects.create(Subject(nickname='violet', lab='cortexlab',
                                           responsible_user='olivier'))['nickname']
    return out
def case_33(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """create with dict()"""
    from alyx_client.models import Tag
    out = one.alyx.tags.create(Tag(name='new', protected=True))['protected']
    return out
def case_34(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """create from a variable"""
    from alyx_client.models import Note
    note = Note(user='olivier', content_type='session', object_id=eid, text='x')
    out = one.alyx.notes.create(note)['text']
    return out
def case_35(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """create several"""
    from alyx_client.models import Channel
    t = str(one.alyx.trajectories.list()[0]['id'])
    c = one.alyx.channels.create([Channel(x=1.5, axial=2.0, trajectory_estimate=t), Channel(
        x=2.5, axial=3.0, trajectory_estimate=t)])
    out = [x['x'] for x in c]
    return out
def case_36(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """update"""
    from alyx_client.models import Subject
    out = one.alyx.subjects.update('flowers', Subject(nickname='flowers', lab='cortexlab', responsible_user='olivier'))['lab']
    return out
def case_37(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """partial_update"""
    one.alyx.tasks.partial_update(tid, status='Held', log=None)
    out = one.alyx.tasks.read(tid)['status']
    return out
def case_38(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """partial_update, data first"""
    out = one.alyx.sessions.partial_update(eid, qc='PASS')['qc']
    return out
def case_39(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """partial_update that keeps what the server would lose"""
    out = one.alyx.notes.partial_update(nid, text='y')['text']
    return out
def case_40(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """delete"""
    one.alyx.notes.delete(nid)
    out = len(one.alyx.notes.list())
    return out
def case_41(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """JSON fields"""
    out = [one.alyx.sessions.json_field_write(eid, 'json', {'a': 1}),
           one.alyx.sessions.json_field_update(eid, 'json', data={'b': 2}),
           one.alyx.sessions.json_field_update(uuid=eid, field_name='json', data={'c': 3}),
           one.alyx.sessions.json_field_remove_key(eid, 'json', key='a')]
    one.alyx.sessions.json_field_delete(eid, 'json')
    return out
def case_42(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """past the cache"""
    with one.alyx.cache_disabled():
        ses = one.alyx.sessions.read(eid)
    with one.alyx.cache_disabled():
        pid = one.alyx.insertions.list(session=eid)[0]['name']  # the first
    with one.alyx.cache_disabled():
        rows = list(one.alyx.labs.list())
    out = [ses['subject'], pid, rows[0]['name']]
    return out
def case_43(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """no_cache of a write"""
    out = one.alyx.sessions.partial_update(eid, qc='FAIL')['qc']
    return out
def case_44(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:
    """time limit"""
    out = one.alyx.sessions.read(eid, timeout=20)['lab']
    return out
