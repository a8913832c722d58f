"""rcf-log as users run it: every fixture, forms of logs, filters, zones, years, totals, unknown messages, damage, many files."""
import csv
import glob
import gzip
import io
import json
import os
import re
import subprocess
import tempfile

from support import BUILD, expect, finish, run, run_json, same, validate

STORY = 'fixtures/story-redis-7.0.15/06-stale-restarted'
LOGS = sorted(glob.glob(STORY + '/hosts/*/*/redis_*.log'))
STALE = STORY + '/hosts/127.0.4.6/7002/redis_7002.log'
OLD = 'fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7002/redis_7002.log'
PREFIX = '1:M 22 Nov 2026 15:05:%02d.820 * '
ID = 'c7482a602b74ca798cc9048a9fb4d5b9d0169f77'


def events(*words, code=0, stdin=None):
    found, out, err = run('rcf-log', '--format=jsonl', *words, stdin=stdin)
    same(found, code, 'exit of %s (%s)' % (' '.join(words), err.strip()))
    return [json.loads(line) for line in out.splitlines()]


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, 'wb') as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    return path


def fixtures_are_known():
    """No message of a real log is unknown, and each line of interest is an event where grep finds it."""
    paths = sorted(glob.glob('fixtures/**/*.log', recursive=True))
    expect(len(paths) > 100, 'few logs: %d' % len(paths))
    same(run('rcf-log', '--unknown', *paths)[:2], (0, ''), 'unknown messages')
    found = events('--event=cluster-state', *paths)
    lines = sum(open(path, errors='replace').read().count('Cluster state changed: ') for path in paths)
    same(len(found), lines, 'cluster-state')
    for event in found[:50]:
        with open(event['file'], 'rb') as file:
            text = file.read()[int(event['offset']):int(event['offset']) + int(event['length'])].decode()
        expect(text.endswith(event['message']) and event['fields']['state'] in ('ok', 'fail'), text)
        with open(event['file']) as file:
            same(file.read().split('\n')[event['line'] - 1], text, 'line')


def forms():
    same(len(LOGS), 7, 'logs')
    document = run_json('rcf-log', '--json', *LOGS)[1]
    validate(document, 'rcf-log')
    lines = events(*LOGS)
    same(document['events'], lines, 'json and jsonl')
    table = list(csv.DictReader(io.StringIO(run('rcf-log', '--csv', *LOGS)[1])))
    same(len(table), len(lines), 'csv')
    for row, line in zip(table, lines):
        same((row['file'], row['line'], row['event'], row['local'], row['own_id']),
             (line['file'], str(line['line']), line['event'], line['local'], line['own_id'] or ''), 'row')
        same(row['fields'].count('=') >= len(line['fields']), True, row['fields'])
    same([line['file'] for line in lines], sorted(line['file'] for line in lines), 'files in their order')
    text = run('rcf-log', '--tz=UTC', STALE)[1]
    expect(re.search(r'^2026-11-2\dT[0-9:.]{12}Z +\d+  [0-9a-f-]{8}  node-loaded +node=[0-9a-f]{8}$', text, re.M), text[:400])
    code, summary = run_json('rcf-log', '--json', '--summary', *LOGS)
    validate(summary, 'rcf-log-summary')
    totals = {row['event']: int(row['count']) for row in summary['totals']}
    for word in {line['event'] for line in lines}:
        same(totals[word], sum(line['event'] == word for line in lines), word)


def filters():
    everything = events('--tz=UTC', *LOGS)
    middle = everything[len(everything) // 2]['time']
    late = events('--tz=UTC', '--since=' + middle, *LOGS)
    early = events('--tz=UTC', '--until=' + middle, *LOGS)
    same(len(late) + len(early), len(everything), 'since and until')
    expect(all(event['time'] >= middle for event in late) and all(event['time'] < middle for event in early), 'times')
    same({event['event'] for event in events('-e', 'node-loaded', '--event=node-new', *LOGS)}, {'node-loaded', 'node-new'}, 'events')
    same({event['level'] for event in events('--level=warning', *LOGS)}, {'warning'}, 'level')
    node = next(event['own_id'] for event in everything if event['file'] == STALE and event['own_id'])
    named = events('--node=' + node[:8], *LOGS)
    expect(named, 'node')
    for event in named:
        expect(event['own_id'] == node or node in event['fields'].values(), event)
    address = next(event['fields']['replica'] for event in everything if event['event'] == 'sync-asked')
    expect(all(address in event['fields'].values() for event in events('--node=' + address, *LOGS)), 'address')
    same(run('rcf-log', '--event=nothing', STALE)[0], 2, 'an event that is none')
    same(run('rcf-log', '--since=yesterday', STALE)[0], 2, 'a time that is none')
    same(run('rcf-log', '--tz=Nowhere/Land', STALE)[0], 2, 'a zone that is none')


def zones_and_years(folder):
    log = write(folder, 'a.log', PREFIX % 25 + 'DB saved on disk\n')
    event = events('-e', 'saved', log)[0]
    same((event['time'], event['local'], event['about_time']), (None, '2026-11-22T15:05:25.820', ['zone-unknown']), 'no zone')
    event = events('-e', 'saved', '--tz=+05:30', log)[0]
    same((event['time'], event['local'], event['about_time']), ('2026-11-22T09:35:25.820Z', '2026-11-22T15:05:25.820', []), 'offset')
    same(events('-e', 'saved', '--tz=x=Z', '--tz=%s=+01:00' % os.path.basename(folder), log)[0]['time'], '2026-11-22T14:05:25.820Z', 'host')
    if os.path.exists('/usr/share/zoneinfo/Europe/Berlin'):
        same(events('-e', 'saved', '--tz=Europe/Berlin', log)[0]['time'], '2026-11-22T14:05:25.820Z', 'Berlin')
    environment = dict(os.environ, TZ='Asia/Tokyo', LC_ALL='C')
    same(run('rcf-log', '--csv', log, env=environment)[1], run('rcf-log', '--csv', log)[1], 'TZ')
    old = write(folder, 'old.log', '1:M 31 Dec 23:00:00.000 * DB saved on disk\n1:M 01 Jan 01:00:00.000 * DB saved on disk\n')
    os.utime(old, (1767312000, 1767312000))  # 2026-01-02
    found = events('-e', 'saved', '--tz=Z', old)
    same([event['time'] for event in found], ['2025-12-31T23:00:00.000Z', '2026-01-01T01:00:00.000Z'], 'inferred years')
    same(found[0]['about_time'], ['year-inferred'], 'marked')
    same(events('-e', 'saved', '--tz=Z', '--year=2019', old)[1]['time'], '2020-01-01T01:00:00.000Z', '--year')
    with open(old) as file:
        piped = events('-e', 'saved', '--tz=Z', '-', stdin=file.read().encode())
    same((piped[0]['time'], piped[0]['local']), (None, '-----12-31T23:00:00.000'), 'standard input')
    wrapped = write(folder, 'cri.log', '2026-11-22T14:05:25.821123456Z stdout F ' + PREFIX % 25 + 'DB saved on disk\n')
    event = events('-e', 'saved', wrapped)[0]
    same((event['time'], event['about_time']), ('2026-11-22T14:05:25.821Z', ['received']), 'the time of the logging system')


def hostile(folder):
    text = (PREFIX % 25 + 'Currently unable to failover: \x1b[2J=cmd|\u202e\n').encode() + b'1:M 22 Nov 2026 15:05:26.820 * Cluster state changed: \xff\xfe\n'
    log = write(folder, 'h.log', text)
    for words in ([], ['--csv'], ['--json'], ['--format=jsonl'], ['--summary'], ['--all'], ['--unknown']):
        code, out, _ = run('rcf-log', *words, log)
        same(code, 0, 'hostile %s' % words)
        expect('\x1b' not in out and '\u202e' not in out, 'escape in %s' % words)
    same(events('-e', 'cluster-state', log)[0]['fields'], {'state': '\\xff\\xfe'}, 'not UTF-8')
    same(run('rcf-log', write(folder, 'empty.log', ''))[:2], (0, ''), 'an empty log')
    code, out, err = run('rcf-log', write(folder, 'other.txt', 'hello\nworld\n'))
    same((code, out), (2, ''), 'not a log')
    expect('no line is one of a server' in err, err)
    same(run('rcf-log', folder + '/missing')[0], 2, 'missing')
    same(run('rcf-log', folder)[0], 2, 'a folder')
    many = (PREFIX % 25 + 'DB saved on disk\n').encode() * 20000
    whole = gzip.compress(many)
    same(len(events('-e', 'saved', write(folder, 'a.log.gz', whole))), 20000, 'gzip')
    cut = events('-e', 'saved', write(folder, 'cut.log.gz', whole[:len(whole) // 2]), code=1)
    expect(0 < len(cut) < 20000, 'what stands before the fault: %d' % len(cut))
    long = PREFIX % 25 + 'y' * 200000 + '\n' + PREFIX % 26 + 'DB saved on disk\n'
    same([event['line'] for event in events('-e', 'saved', write(folder, 'long.log', long))], [2], 'a long line')


def unknown(folder):
    log = write(folder, 'u.log', ''.join(PREFIX % 25 + text + '\n' for text in ['Something unheard of: 1', 'Something unheard of: 2', 'DB saved on disk']))
    code, document = run_json('rcf-log', '--json', '--unknown', log)
    validate(document, 'rcf-log-unknown')
    same([(row['line'], row['count'], row['message']) for row in document['unknown']], [(1, '2', 'Something unheard of: 1')], 'unknown')
    same([event['event'] for event in events('--all', log)], ['process', 'unknown', 'unknown', 'saved'], '--all')
    same(run('rcf-log', '--unknown', '--summary', log)[0], 2, 'two answers')


def documented():
    """The document lists the events and fields of the tables, with their meanings."""
    text = open('docs/formats/log.md', encoding='utf-8').read()
    for word, meaning in re.findall(r'LOG_EVENT\(\w+, "([^"]*)", "([^"]*)\."\)', open('parsers/log/log_events.def', encoding='utf-8').read()):
        expect('| `%s` | %s |' % (word, meaning) in text, 'docs/formats/log.md: %s: %s' % (word, meaning))
    for word, kind, meaning in re.findall(r'LOG_FIELD\(\w+, "(\w+)", (\w+), "([^"]*)"\)', open('parsers/log/log_fields.def', encoding='utf-8').read()):
        expect('| `%s` | %s | %s |' % (word, kind.lower(), meaning) in text, 'docs/formats/log.md: %s' % word)


def many_files(folder):
    """The order is that of the operands, however many threads read, and what waits is bounded."""
    paths = []
    for i in range(40):
        lines = 60000 if i % 7 == 1 else 5
        text = ''.join('1:M 22 Nov 2026 15:05:25.820 * New configEpoch set to %d\n' % (i * 100000 + n) for n in range(lines))
        paths.append(write(folder, 'm%02d.log' % i, text))
    rows = list(csv.DictReader(io.StringIO(run('rcf-log', '--csv', '-e', 'epoch-bumped', *paths)[1])))
    numbers = [int(row['fields'].split('=')[1]) for row in rows]
    same(len(numbers), 6 * 60000 + 34 * 5, 'rows')
    same(numbers, sorted(numbers), 'order')
    script = 'import resource, subprocess, sys; subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); ' \
             'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)'
    words = [os.path.join(BUILD, 'rcf-log'), '--quiet', '--csv', *paths]
    peak = int(subprocess.run(['python3', '-c', script, *words], stdout=subprocess.PIPE, check=True).stdout)
    if 'sanitize' not in BUILD:
        expect(peak < 128 * 1024, 'peak memory %d KiB' % peak)


documented()
fixtures_are_known()
forms()
filters()
with tempfile.TemporaryDirectory() as scratch:
    zones_and_years(scratch)
    hostile(scratch)
    unknown(scratch)
    many_files(scratch)
finish()
