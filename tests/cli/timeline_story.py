#!/usr/bin/python3
"""rcf-timeline against the truth of the stories: every episode that STORY.txt tells of, in its order, at its time, with its evidence; and
what the last capture alone can say of it."""
import datetime
import json
import re

from support import expect, finish, run, same

BEFORE_MS, AFTER_MS = 9000, 3000  # a line of STORY.txt is written when its step is over; a step takes some seconds


def when(text):
    moment = datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ' if '.' in text else '%Y-%m-%dT%H:%M:%SZ')
    return round((moment - datetime.datetime(1970, 1, 1)).total_seconds() * 1000)


def story_of(case):
    """Pairs of time and text: what the maker of the fixture wrote down."""
    stage = case if case.endswith('10-recovered') else case + '/10-recovered'
    with open(stage.replace('fixtures/', 'tests/truth/') + '/STORY.txt') as file:
        return [(when(line.split()[0]), line.split(None, 1)[1].strip()) for line in file if line.strip()]


def told(case):
    code, out, err = run('rcf-timeline', '--format=jsonl', case)
    same(code, 0, '%s: exit code (%s)' % (case, err))
    return [r for r in map(json.loads, out.splitlines()) if r['record'] == 'episode']


# What is told, in the order of the story: a name, the kind, what its summary says, other fields, and the line of STORY.txt.
R = r'127\.\d+\.\d+\.\d+:'
WHOLE = [
    ('creation', 'creation', r'a cluster of 6 nodes was created, config epochs 1 to 6', {'epoch': 6}, 'cluster created'),
    ('first failover', 'manual-failover', R + '8001 took over from ' + R + '7000 as asked, epoch 7', {'epoch': 7}, 'manual failover'),
    ('join', 'membership', R + '7002 joined the cluster$', {}, '7002 added, empty'),
    ('first reshard', 'slot-move', r'100 slots went from .* to ' + R + '7002, epoch 8', {'slots': '0-32,5461-5494,10923-10955', 'epoch': 8}, '100 slots resharded to 7002'),
    ('second failover', 'manual-failover', R + '7000 took over from ' + R + '8001 as asked, epoch 9', {'epoch': 9}, '7002 replicate 7000 refused'),
    ('second reshard', 'slot-move', r'100 slots went from ' + R + '7002 to ' + R + '7000', {'slots': '0-32,5461-5494,10923-10955'}, '100 slots resharded from 7002'),
    ('removal', 'membership', R + '7002 was removed from the cluster', {}, '7002 deleted'),
    ('return', 'membership', R + '7002 came back with its old nodes.conf', {}, '7002 started again'),
    ('reset', 'reset', R + '7002 was reset soft', {'certainty': 'inferred'}, '7002: flushall, cluster reset'),
    ('second join', 'membership', R + '7002 joined the cluster again', {}, '7002 added again'),
    ('join of 8002', 'membership', R + '8002 joined the cluster', {}, '8002 added'),
    ('third reshard', 'slot-move', r'300 slots went from ' + R + '7000 to ' + R + '7002, epoch 10', {'slots': '0-299', 'epoch': 10}, '300 slots 0-299'),
    ('outage', 'outage', r'slots 5495-10922 not served for \d+\.\d s', {'slots': '5495-10922', 'epoch': 11}, 'host .* lost'),
    ('cluster down', 'cluster-down', r'the cluster was down as 5 instances saw it, for ', {}, 'writes during the outage'),
    ('election', 'election', R + '7001 won the election for epoch 11', {'epoch': 11}, 'writes during the outage'),
    ('recovery', 'lifetime', R + '8000 started again', {}, 'host .* back'),
]

LAST = [
    WHOLE[0], WHOLE[1], WHOLE[2],
    ('first import', 'slot-move', R + '7002 imported slot 0, and perhaps more, epoch 8', {'epoch': 8}, '100 slots resharded to 7002'),
    WHOLE[4],
    ('removal', 'membership', R + '7002 was removed from the cluster', {'certainty': 'inferred'}, '7002 deleted'),
    ('return', 'membership', R + '7002 came back with its old nodes.conf', {'certainty': 'inferred'}, '7002 started again'),
    WHOLE[8],
    ('second join', 'membership', R + '7002 joined the cluster again', {'certainty': 'inferred'}, '7002 added again'),
    WHOLE[10],
    ('second import', 'slot-move', R + '7002 imported slot 0, and perhaps more, epoch 10', {'slots': '0-299', 'epoch': 10, 'certainty': 'inferred'}, '300 slots 0-299'),
    WHOLE[12], WHOLE[13], WHOLE[14], WHOLE[15],
]

# Valkey writes each slot, so that the last capture tells of all moves.
VALKEY = LAST[:3] + WHOLE[3:6] + LAST[5:8] + WHOLE[9:12] + LAST[11:]


def find(records, kind, summary, fields):
    for record in records:
        if record['kind'] == kind and re.match(summary, record['summary']) and all(record[f] == v for f, v in fields.items()):
            return record
    return None


def check_evidence(record, what):
    expect(record['evidence'], what + ': no evidence')
    for place in record['evidence']:
        expect(place['file'] and (place['line'] or place['kind'] in ('dump-written', 'aof-stamp')), '%s: %s without file and line' % (what, place['kind']))
    if record['certainty'] != 'stated':
        expect(record['basis'], what + ': inferred without a basis')


def check_case(case, wanted):
    records = told(case)
    story = story_of(case)
    before = None
    for name, kind, summary, fields, line in wanted:
        what = '%s: %s' % (case, name)
        record = find(records, kind, summary, fields)
        if not expect(record, what + ': not told'):
            continue
        check_evidence(record, what)
        time = when(record['time'])
        if before:
            expect(before[1] <= time, '%s: told before %s' % (what, before[0]))
        before = (name, time)
        times = [moment for moment, text in story if re.match(line, text)]
        if times:
            expect(times[0] - BEFORE_MS <= time <= times[0] + AFTER_MS, '%s: at %s' % (what, record['time']))
    for record in records:
        check_evidence(record, '%s: %s' % (case, record['summary']))
    return records


def check_loss(case, records):
    """The failure drill: who was lost, who noticed, who voted, when the slots were served again."""
    failover = find(records, 'failover', R + '7001 took over from ' + R + '8000, epoch 11', {'slots': '5495-10922', 'epoch': 11})
    outage = find(records, 'outage', 'slots 5495-10922', {})
    if not expect(failover and outage, case + ': failover and outage of 8000'):
        return
    same((failover['time'], failover['end']), (outage['time'], outage['end']), case + ': window of the outage')
    same([len([r for r in records if r['kind'] == kind]) for kind in ('failover', 'outage')], [1, 1], case + ': replicas that fail leave no slots')
    details = '\n'.join(failover['details'])
    for text in ('quorum reached, by', 'FAIL told to', 'delayed for', '3 votes: ', '8000 became its replica'):
        expect(text in details, '%s: failover says nothing of "%s"' % (case, text))
    lost = [m for m, text in story_of(case) if re.match('host .* lost', text)]
    expect(not lost or abs(when(outage['time']) - lost[0]) <= 1500, '%s: the outage began at %s' % (case, outage['time']))
    for port in ('8000', '8001', '8002'):
        life = find(records, 'lifetime', R + port + ' started; ended without a word', {'certainty': 'inferred'})
        if expect(life, '%s: end of %s' % (case, port)):
            expect(re.match('host .* was lost.*8000.*8001.*8002', life['cause']), '%s: why %s ended: %s' % (case, port, life['cause']))
        expect(find(records, 'lifetime', R + port + ' started again', {}), '%s: %s came back' % (case, port))
        expect(any(r['kind'] == 'resync' and r['summary'].split()[0].endswith(':' + port) and r['time'] > failover['end'] for r in records),
               '%s: %s synchronised when it was back' % (case, port))


def check_quiet():
    """A cluster to which nothing has happened has no failover, no outage, no move."""
    for record in told('fixtures/incidents-redis-7.0.15/clean-cluster'):
        expect(record['kind'] in ('lifetime', 'creation', 'resync', 'save'), 'clean-cluster: %s' % record['summary'])


for name in ('fixtures/story-redis-7.0.15', 'fixtures/story-redis-4.0.1'):
    check_loss(name, check_case(name, WHOLE))
for name, list_ in (('redis-7.0.15', LAST), ('redis-4.0.1', LAST), ('redis-3.0.7', LAST), ('valkey-8.0.1', VALKEY)):
    name = 'fixtures/story-%s/10-recovered' % name
    check_loss(name, check_case(name, list_))
check_quiet()
finish()
