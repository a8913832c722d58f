#!/usr/bin/python3
"""rcf-timeline: stories in their order, one clock whatever the hosts show, what is said about times, formats, filters."""
import csv
import datetime
import glob
import gzip
import io
import json
import os
import re
import shutil
import tempfile

from commands import places, raw
from support import expect, finish, run, run_json, same, validate

STORIES = ('fixtures/story-redis-7.0.15', 'fixtures/story-redis-4.0.1', 'fixtures/story-redis-3.0.7', 'fixtures/story-valkey-8.0.1')
LAST = STORIES[0] + '/10-recovered'
MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()
STAMP = re.compile(rb'(\d\d) (%s) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)\.(\d{3})' % '|'.join(MONTHS).encode())
SHIFTS = (-2, 2, 61.5, 3600, -7 * 3600, 172800, -172800.25, 4321)


def shift_file(path, seconds):
    """Moves every timestamp of a log, whether it has a year or not."""
    def moved(match):
        day, month, year, *clock = match.groups()
        when = datetime.datetime(int(year or 2026), MONTHS.index(month.decode()) + 1, int(day), *map(int, clock[:3]), int(clock[3]) * 1000)
        when += datetime.timedelta(seconds=seconds)
        date = '%02d %s%s' % (when.day, MONTHS[when.month - 1], ' %d' % when.year if year else '')
        return ('%s %s.%03d' % (date, when.strftime('%H:%M:%S'), when.microsecond // 1000)).encode()
    with open(path, 'rb') as file:
        text = file.read()
    with open(path, 'wb') as file:
        file.write(STAMP.sub(moved, text))


def copy(case, folder, seconds=0, host=None):
    """The case, with the logs of one host (or all) moved."""
    shutil.copytree(case, folder)
    for path in glob.glob(folder + '/**/*.log', recursive=True):
        if host is None or '/%s/' % host in path:
            shift_file(path, seconds)
    return folder


def told(*words):
    """Clocks by host, and the other records."""
    code, out, err = run('rcf-timeline', '--format=jsonl', *words)
    same(code, 0, 'rcf-timeline %s: exit code (%s)' % (' '.join(words), err))
    records = [json.loads(line) for line in out.splitlines()]
    return {r['host']: r for r in records if r['record'] == 'clock'}, [r for r in records if r['record'] != 'clock']


def events_of_logs(records):
    return [(r['instance'], r['kind'], r['summary'], r['line']) for r in records if r['record'] == 'event' and r['clock'] == 'log']


def episodes_of(records):
    return [(r['kind'], r['node_id'], r['peer_id'], r['epoch'], r['slots']) for r in records if r['record'] == 'episode']


def check_shift(case, host, seconds, before):
    what = '%s, logs of %s moved by %s s' % (case, host, seconds)
    with tempfile.TemporaryDirectory() as folder:
        clocks, records = told(copy(case, folder + '/case', seconds, host))
    for name, clock in clocks.items():
        wanted = before[0][name]['offset_ms'] + (1000 * seconds if name == host else 0)
        expect(abs(clock['offset_ms'] - wanted) <= 1000, '%s: clock of %s is %s' % (what, name, clock['offset']))
        expect(clock['error_ms'] is not None and clock['error_ms'] <= 1000, '%s: error of %s' % (what, name))
        expect(re.fullmatch(r'[+-][0-9]+\.[0-9]{2} s', clock['offset']) and abs(float(clock['offset'][:-2]) - clock['offset_ms'] / 1000) < 0.006,
               '%s: %s for %d ms' % (what, clock['offset'], clock['offset_ms']))
    same(events_of_logs(records), events_of_logs(before[1]), what + ': order of events')
    same(episodes_of(records), episodes_of(before[1]), what + ': episodes')


def check_shifts():
    for story in STORIES:
        case = story + '/10-recovered'
        before = told(case)
        hosts = sorted(before[0])
        same(len(hosts), 3, case)
        for at, seconds in enumerate(SHIFTS):
            check_shift(case, hosts[at % 3], seconds, before)
            check_shift(case, hosts[(at + 1) % 3], seconds, before)


def check_layouts():
    """Every host wrong by another amount; one flat folder of compressed logs; logs whose first half has been rotated away."""
    for story in STORIES:
        case = story + '/10-recovered'
        clocks, records = told(case)
        hosts = sorted(clocks)
        wrong = dict(zip(hosts, (-2, 61.5, 172800.25)))
        with tempfile.TemporaryDirectory() as folder:
            copy(case, folder + '/all')
            for path in glob.glob(folder + '/all/hosts/*/*/*.log'):
                shift_file(path, wrong[path.split('/')[-3]])
            found, moved = told(folder + '/all')
            for host in hosts[1:]:
                apart = found[host]['offset_ms'] - found[hosts[0]]['offset_ms']
                expect(abs(apart - 1000 * (wrong[host] + 2)) <= 1000, '%s: all wrong: %s is %s' % (case, host, found[host]['offset']))
            same(events_of_logs(moved), events_of_logs(records), '%s: all wrong: order' % case)

            os.mkdir(folder + '/flat')
            for path in glob.glob(case + '/hosts/*/*/*'):
                place = shutil.copy(path, folder + '/flat')
                if path.endswith('.log'):
                    if '/%s/' % hosts[0] in path:
                        shift_file(place, 4321)
                    with open(place, 'rb') as file, gzip.open(place + '.gz', 'wb') as packed:
                        packed.write(file.read())
                    os.remove(place)
            found, moved = told(folder + '/flat')
            expect(abs(found[hosts[0]]['offset_ms'] - 4321000) <= 1000, '%s: flat: %r' % (case, found))
            same(events_of_logs(moved), events_of_logs(records), '%s: flat: order' % case)

            copy(case, folder + '/half', -25200, hosts[1])
            for path in glob.glob(folder + '/half/hosts/*/*/*.log'):
                with open(path, 'rb') as file:
                    lines = file.read().splitlines(keepends=True)
                with open(path, 'wb') as file:
                    file.write(b''.join(lines[len(lines) // 2:]))
            found, _ = told(folder + '/half')
            expect(abs(found[hosts[1]]['offset_ms'] + 25200000) <= 1000, '%s: half: %r' % (case, found))


def check_few_pairs():
    """The logs of few instances, and of one host alone."""
    with tempfile.TemporaryDirectory() as folder:
        case = copy(LAST, folder + '/few', 3600.5, '127.0.4.7')
        for path in glob.glob(case + '/hosts/*/*/*.log'):
            if os.path.basename(path) not in ('redis_7000.log', 'redis_8001.log'):
                os.remove(path)
        clocks, _ = told(case)
        expect(abs(clocks['127.0.4.7']['offset_ms'] - clocks['127.0.4.6']['offset_ms'] - 3600500) <= 1000, 'two logs: %r' % clocks)
        case = copy(LAST, folder + '/alone', -7200, '127.0.4.7')
        for path in glob.glob(case + '/hosts/*/*/*.log'):
            if '/127.0.4.7/' not in path:
                os.remove(path)
        clocks, _ = told(case)
        same(list(clocks), ['127.0.4.7'], 'logs of one host')
        expect(abs(clocks['127.0.4.7']['offset_ms'] + 7200000) <= 1000, 'one host: %r' % clocks)
        same(clocks['127.0.4.7']['zone'], 'inferred', 'one host')
        for path in glob.glob(folder + '/alone/hosts/*/*/*'):
            if not path.endswith('.log'):
                os.remove(path)
        clocks, _ = told(case)
        same([(c['offset_ms'], c['error_ms'], c['basis'], c['zone']) for c in clocks.values()], [(0, None, 'unknown', 'unknown')],
             'logs and nothing else')


def check_zones():
    """All hosts in one zone; a zone that is given; a wrong host among right ones."""
    with tempfile.TemporaryDirectory() as folder:
        case = copy(LAST, folder + '/all', 19800)
        clocks, records = told(case)
        same({(c['offset'], c['zone']) for c in clocks.values()}, {('+19800.00 s', 'inferred')}, 'all hosts at +05:30')
        marks = {mark for r in records for mark in r['marks'] or []}
        expect('zone-inferred' in marks and 'zone-unknown' not in marks, 'marks at +05:30: %r' % marks)
        clocks, given = told('--tz=+05:30', case)
        same({(c['offset'], c['zone']) for c in clocks.values()}, {('+19800.00 s', 'given')}, 'zone of all given')
        same([r['time'] for r in given], [r['time'] for r in records], 'times with the zone given')
        clocks, _ = told('--tz=127.0.4.7=+05:30', case)
        same([clocks[h]['zone'] for h in sorted(clocks)], ['inferred', 'given', 'inferred'], 'zone of a host given')
        shifted, _ = told('--tz=Z', case)
        same({c['offset'] for c in shifted.values()}, {'+19800.00 s'}, 'a wrong zone given')


def check_raw_times():
    with tempfile.TemporaryDirectory() as folder:
        case = copy(LAST, folder + '/case', 61.5, '127.0.4.7')
        _, records = told('--kind=election-won', '--node=127.0.4.7:8001', case)
        wins = [r for r in records if r['record'] == 'event']
        same([(r['raw_time'], r['clock']) for r in wins], [('2026-11-22T15:05:24.795', 'log')], 'raw time of a moved log')
        expect(wins[0]['time'].startswith('2026-11-22T15:04:23.29'), 'corrected: %s' % wins[0]['time'])
        expect('skew-applied' in wins[0]['marks'], 'marks: %r' % wins[0]['marks'])
        same(wins[0]['line'], 35, 'line')


def check_years():
    """Lines without a year take it from the files of the same instance, whatever the age of the log."""
    with tempfile.TemporaryDirectory() as folder:
        case = copy(STORIES[1] + '/10-recovered', folder + '/case')
        for path in glob.glob(case + '/hosts/*/*/*'):
            os.utime(path, (1956000000, 1956000000))
        _, records = told(case)
        logs = [r for r in records if r['record'] == 'event' and r['clock'] == 'log']
        same({r['time'][:4] for r in logs}, {'2026'}, 'inferred years')
        expect(all('year-inferred' in r['marks'] for r in logs), 'years are marked')


def check_backwards():
    with tempfile.TemporaryDirectory() as folder:
        case = copy(LAST, folder + '/case')
        path = case + '/hosts/127.0.4.8/9000/redis_9000.log'
        with open(path, 'rb') as file:
            lines = file.read().splitlines(keepends=True)
        with open(path, 'wb') as file:
            file.write(b''.join(lines[:-4]))
        shift_file(path, 7.5)
        with open(path, 'ab') as file:
            file.write(b''.join(lines[-4:]))
        _, records = told('--kind=clock-back', case)
        backs = [r for r in records if r['record'] == 'event']
        expect(not backs or backs[0]['instance'] == '127.0.4.8:9000', 'who goes back')
        _, records = told(copy_back(folder, lines))
        backs = [r for r in records if r['kind'] == 'clock-back']
        same([(r['instance'], r['line']) for r in backs], [('127.0.4.8:9000', 11)], 'a log that goes back')
        expect(re.search(r'goes back by \d+\.\d+ s: line 11 .*, line 10 above it ', backs[0]['summary']) if backs else False, 'both lines')


def copy_back(folder, lines):
    """The first ten lines of a log are an hour ahead."""
    case = copy(LAST, folder + '/back')
    path = case + '/hosts/127.0.4.8/9000/redis_9000.log'
    with open(path, 'wb') as file:
        file.write(b''.join(lines[:10]))
    shift_file(path, 3600)
    with open(path, 'ab') as file:
        file.write(b''.join(lines[10:]))
    return case


# Truth: what was done when, each as an event that must be there at that second (UTC) or the one after.
TRUTH = {
    STORIES[0]: [
        ('15:04:14', 'epoch-set', 'configEpoch set to 1 '), ('15:04:14', 'epoch-set', 'configEpoch set to 2 '),
        ('15:04:14', 'epoch-set', 'configEpoch set to 3 '),
        ('15:04:23', 'failover-requested', 'Manual failover user request accepted'), ('15:04:23', 'election-won', None),
        ('15:04:24', 'node-new', 'No cluster configuration found'), ('15:04:27', 'shutdown-requested', 'User requested shutdown'),
        ('15:05:30', 'node-loaded', 'Node configuration loaded'), ('15:05:47', 'failed-by-quorum', None),
        ('15:05:48', 'election-won', None), ('15:05:51', 'node-loaded', None)],
    STORIES[1]: [
        ('14:52:14', 'epoch-set', 'configEpoch set to 1 '), ('14:52:19', 'election-won', None),
        ('14:52:25', 'shutdown-requested', None), ('14:53:28', 'node-loaded', None), ('14:53:50', 'node-loaded', None)],
}


def check_story(case, truth):
    _, records = told(*case)
    at = -1
    rows = [r for r in records if r['record'] == 'event']
    for clock, kind, beginning in truth:
        found = [i for i, r in enumerate(rows) if i > at and r['kind'] == kind and r['time'] and r['time'][11:19] == clock and
                 (beginning is None or r['summary'].startswith(beginning))]
        if expect(found, '%s: no %s at %s behind the one before' % (case[0], kind, clock)):
            at = found[0]
    times = [r['time'] for r in rows if r['time']]
    same(times, sorted(times), '%s: times in order' % case[0])
    for row in rows:
        expect(row['file'] and (row['line'] or row['kind'] in ('dump-written', 'view-saved') or row['clock'] == 'epoch'), 'no place: %r' % row)


def check_stories():
    for story, truth in TRUTH.items():
        check_story((story + '/10-recovered',), truth)
        check_story(tuple(sorted(glob.glob(story + '/*'))), truth)
    stages = sorted(glob.glob(STORIES[0] + '/*'))
    _, one = told(LAST)
    _, ten = told(*stages)
    lines = [r for r in one if r['record'] == 'event' and r['clock'] == 'log']
    same(len([r for r in ten if r['record'] == 'event' and r['clock'] == 'log']), len(lines), 'lines of logs that were collected ten times')
    kinds = {r['kind'] for r in ten}
    for kind in ('member-new', 'member-gone', 'slots-changed', 'epoch-raised', 'role-changed', 'view-saved', 'last-sighting', 'dump-written'):
        expect(kind in kinds, 'ten stages: no %s' % kind)
    moved = {(r['slots'], r['node_id'][:4]) for r in ten if r['kind'] == 'slots-changed' and r['instance'] == '127.0.4.6:7000' and r['node_id']}
    expect(('0-299', '29b0') in moved, 'slots 0-299 went to 7002: %r' % moved)
    expect(any(slots == '5461-10922' or slots.startswith('5495') for slots, _ in moved), 'slots of 8000: %r' % moved)


def check_formats():
    code, document = run_json('rcf-timeline', '--json', LAST)
    same(code, 0, 'json')
    validate(document, 'rcf-timeline')
    same(document['reference'], '127.0.4.6', 'reference')
    code, out, _ = run('rcf-timeline', '--plaso', LAST)
    same(code, 0, 'plaso')
    expect(out.startswith('message,timestamp,datetime,timestamp_desc,'), 'plaso header: %r' % out[:80])
    rows = list(csv.DictReader(io.StringIO(out, newline='')))
    stamps = [int(row['timestamp']) for row in rows]
    same(stamps, sorted(stamps), 'plaso: in order')
    for row in rows:
        when = datetime.datetime.fromisoformat(row['datetime'].replace('Z', '+00:00'))
        same(round(when.timestamp() * 1000) * 1000, int(row['timestamp']), 'plaso: two times of a row')
        expect(row['message'] and row['timestamp_desc'], 'plaso: %r' % row)
    code, out, _ = run('rcf-timeline', '--csv', LAST)
    rows = list(csv.DictReader(io.StringIO(out, newline='')))
    same({row['record'] for row in rows} - {'episode'}, {'clock', 'event'}, 'csv')
    code, out, _ = run('rcf-timeline', LAST)
    expect(re.search(r'127\.0\.4\.7 +\+0\.00 s ', out), 'clocks first: %r' % out[:300])


def check_filters():
    def rows(*words):
        return [r for r in told(*words, LAST)[1] if r['record'] == 'event']
    everything = rows()
    since, until = '2026-11-22T15:05:44Z', '2026-11-22T15:05:50Z'
    part = rows('--since=' + since, '--until=' + until)
    same(part, [r for r in everything if r['time'] and '2026-11-22T15:05:44' <= r['time'] < '2026-11-22T15:05:50'], 'since and until')
    same(rows('--around=2026-11-22T15:05:47Z', '--within=3'),
         [r for r in everything if '2026-11-22T15:05:44.000Z' <= r['time'] <= '2026-11-22T15:05:50.000Z'], 'around')
    wins = rows('--kind=election-won', '--kind=vote-granted')
    same({r['kind'] for r in wins}, {'election-won', 'vote-granted'}, 'kinds')
    same(wins, [r for r in everything if r['kind'] in ('election-won', 'vote-granted')], 'kinds')
    node = next(r['node_id'] for r in everything if r['instance'] == '127.0.4.6:7001' and r['kind'] == 'node-new')
    named = rows('--node=127.0.4.6:7001')
    expect(all(node in (r['node_id'], r['peer_id']) or r['instance'] == '127.0.4.6:7001' or '127.0.4.6:7001' in r['summary'] for r in named), 'node')
    same(rows('--node=' + node[:8]), [r for r in everything if node in (r['node_id'], r['peer_id'])], 'node by its beginning')
    for words in (['--kind=nothing'], ['--slot=16384'], ['--slot=x'], ['--since=yesterday'], ['--tz=Nowhere/Never'],
                  ['--plaso', '--json'], ['--around=2026-11-22', '--since=2026-11-21']):
        code, _, err = run('rcf-timeline', *words, LAST)
        same(code, 2, 'usage: %r' % words)
        expect(err, 'usage: %r is explained' % words)
    code, out, err = run('rcf-timeline', 'tests/cli/timeline.py')
    same((code, out), (2, ''), 'nothing to tell of')


def check_storm():
    """What repeats itself without end is a few lines and a run; nothing else is lost among it."""
    with tempfile.TemporaryDirectory() as folder:
        path = folder + '/redis_7000.log'
        start = datetime.datetime(2026, 11, 22, 10, 0, 0)
        with open(path, 'w') as file:
            file.write('1:M 22 Nov 2026 09:59:59.000 * No cluster configuration found, I\'m %s\n' % ('a' * 40))
            for second in range(40000):
                clock = (start + datetime.timedelta(seconds=second)).strftime('%d %b %Y %H:%M:%S')
                file.write('1:S %s.100 * Connecting to MASTER 10.0.0.1:7000\n1:S %s.100 * MASTER <-> REPLICA sync started\n'
                           '1:S %s.101 # Error condition on socket for SYNC: Connection refused\n' % (clock, clock, clock))
                if second in (100, 20000):
                    file.write('1:S %s.200 # Cluster state changed: fail\n' % clock)
        _, records = told(path)
        rows = [r for r in records if r['record'] == 'event']
        expect(len(rows) < 200, 'a storm gives %d rows' % len(rows))
        same(sum(int(r['count']) for r in rows if r['kind'] == 'sync-failed'), 40000, 'lines of a storm')
        same(max(r['last'] or '' for r in rows if r['kind'] == 'sync-failed'), '2026-11-22T21:06:39.101Z', 'last of a storm')
        same([r['line'] for r in rows if r['kind'] == 'cluster-state'], [305, 60006], 'events within a storm')


def check_hostile():
    """Cut logs and other bytes: an answer or a refusal, never a crash."""
    with tempfile.TemporaryDirectory() as folder:
        case = copy(LAST, folder + '/case')
        path = case + '/hosts/127.0.4.6/7001/redis_7001.log'
        with open(path, 'rb') as file:
            text = file.read()
        for size in range(0, len(text), 997):
            with open(path, 'wb') as file:
                file.write(text[:size])
            raw('rcf-timeline', '--json', case)
        with open(path, 'wb') as file:
            file.write(text.replace(b'2026', b'9999').replace(b'epoch 11', b'epoch 18446744073709551615'))
        raw('rcf-timeline', '--json', case)
        raw('rcf-timeline', '--plaso', case)
        same(places(LAST, '127.0.4.6:7001')['log'].split('/')[-1], os.path.basename(path), 'the log')


def check_quorum():
    """Who fell silent before the others lost the majority is compared on one clock."""
    for host in ('127.0.1.6', '127.0.1.7', '127.0.1.8'):
        for seconds in (-7200, -100, 100, 7200):
            with tempfile.TemporaryDirectory() as folder:
                case = copy('fixtures/incidents-redis-7.0.15/lost-quorum', folder + '/case', seconds, host)
                found = [f['summary'] for f in run_json('rcf-check', '--json', case)[1]['findings'] if f['finding'] == 'no-quorum']
                expect(found and '2 of 3 voting primaries (127.0.1.6:7000, 127.0.1.7:8000)' in found[0],
                       'lost quorum with the logs of %s moved by %d s: %s' % (host, seconds, found))


def check_damaged():
    """What is cut is told as far as it goes, and said to be cut."""
    with tempfile.TemporaryDirectory() as folder:
        case = copy(LAST, folder + '/case')
        for name in ('nodes_7001.conf', 'dump_7001.rdb'):
            os.truncate(case + '/hosts/127.0.4.6/7001/' + name, 400)
        for command in ('rcf-timeline', 'rcf-topology'):
            code, out, err = run(command, case)
            same((code, bool(out)), (0, True), command + ' of damaged files')
            same(sorted(re.findall(r'note: \S+/(\S+): damaged', err)), ['dump_7001.rdb', 'nodes_7001.conf'], command + ' names damaged files')
            same(run(command, LAST)[2].count('damaged'), 0, command + ' of whole files')


for check in (check_shifts, check_layouts, check_few_pairs, check_zones, check_raw_times, check_years, check_backwards, check_stories, check_formats,
              check_filters, check_storm, check_hostile, check_quorum, check_damaged):
    check()
finish()
