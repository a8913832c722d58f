"""rcf-rdb-stat: totals are what the keys add up to, partials merge to the answer of one run, what is damaged is said."""
import collections
import csv
import glob
import io
import json
import os
import re
import struct
import tempfile

from support import BUILD, expect, finish, run, run_json, same, validate

TABLES = ('types', 'encodings', 'prefixes', 'slots', 'dbs', 'expiry', 'sizes', 'biggest', 'files')
STORY = 'fixtures/story-redis-7.0.15/06-stale-restarted'
SUMS = ('keys', 'expires', 'elements', 'bytes', 'memory')


def table(name, *words):
    code, out, err = run('rcf-rdb-stat', '--csv', '--table=' + name, *words)
    expect(code in (0, 1), '%s: exit %d: %s' % (name, code, err))
    return list(csv.DictReader(io.StringIO(out)))


# ---------------------------------------------------------------- dumps made here

def length(number):
    return bytes([number]) if number < 64 else struct.pack('>H', 0x4000 | number) if number < 16384 else b'\x80' + struct.pack('>I', number)


def text(content):
    return length(len(content)) + content


def string(name, value=b'v'):
    return b'\0' + text(name) + text(value)


def collection(kind, name, words, each=1):
    return bytes([kind]) + text(name) + length(len(words) // each) + b''.join(map(text, words))


def aux(name, value):
    return b'\xfa' + text(name) + text(value)


HEAD = b'REDIS0010' + aux(b'redis-ver', b'7.0.15') + aux(b'ctime', b'1700000000') + aux(b'used-mem', b'2000000')
END = b'\xff' + bytes(8)
HOSTILE = [b'', b'\0', b'\xff\xfe:\xfd', b'=cmd|\x27 /C calc\x27!A0', b'-1', b'a\nb:c', b'\x1b[31mred:', b'{}:', b'{{a}:b', b'"q":1', b"'+1:", b'x' * 5000,
           'schl\u00fcssel:\u202e1'.encode(), b'(none)', b'(other):1', b'a,b:c', b':' * 100]


def dumps(folder):
    """Paths of several dumps, some with keys in the same slots."""
    made = []
    for number in range(4):
        body = HEAD + b'\xfe\0'
        for i in range(300):
            if i % 7 == 0:
                body += b'\xfc' + struct.pack('<q', 1700000000000 + (i - 20) * 10 ** 7)
            body += string(b'user:%d:%d' % (number, i), b'x' * (i * number))
        body += collection(2, b'set-%d' % number, [b'm%d' % i for i in range(50 + number)])
        body += collection(4, b'hash.%d' % number, [b'w%d' % i for i in range(80)], 2)
        body += b'\xfe\x05' + string(b'other:%d' % number)
        if number == 3:
            body += b''.join(string(name) for name in HOSTILE)
        made.append('%s/dump-%d.rdb' % (folder, number))
        with open(made[-1], 'wb') as file:
            file.write(body + END)
    return made


# ---------------------------------------------------------------- checks

def check_truth():
    """Keys per database are those that the servers stated."""
    for path in sorted(glob.glob('tests/truth/story-*/06-stale-restarted/truth/*/keyspace.txt')):
        story, stage, host = path.split('/')[2], path.split('/')[3], path.split('/')[5]
        ip, port = host.split('_')
        dump = 'fixtures/%s/%s/hosts/%s/%s/dump_%s.rdb' % (story, stage, ip, port, port)
        if not os.path.exists(dump):
            continue
        with open(path) as file:
            wanted = {db: (keys, expires) for db, keys, expires in re.findall(r'db(\d+):keys=(\d+),expires=(\d+)', file.read())}
        same({row['db']: (row['keys'], row['expires']) for row in table('dbs', dump)}, wanted, dump)


def check_sums(paths):
    """Every table adds up to the same total, and to what rcf-rdb-keys shows key by key."""
    code, document = run_json('rcf-rdb-stat', '--json', *paths)
    same(code, 0, 'exit code')
    validate(document, 'rcf-rdb-stat')
    total = {name: int(document['total'][name]) for name in SUMS}
    for name in TABLES:
        if name == 'biggest':
            continue
        rows = document[name]
        for column in ('keys', 'bytes', 'memory') if name == 'slots' else SUMS:
            same(sum(int(row[column]) for row in rows), total[column], '%s: %s' % (name, column))
        same([{key: value for key, value in row.items()} for row in table(name, *paths)] != [], True, name)
    same(document['slots_with_keys'], len(document['slots']), 'slots')
    same(document['slots_in_several_files'], sum(int(row['files']) > 1 for row in document['slots']), 'shared slots')
    if not os.path.exists(os.path.join(BUILD, 'rcf-rdb-keys')):
        return
    code, out, err = run('rcf-rdb-keys', '--csv', *paths)
    keys = list(csv.DictReader(io.StringIO(out)))
    same(len(keys), total['keys'], 'keys by rcf-rdb-keys')
    for column in ('elements', 'bytes'):
        same(sum(int(row[column]) for row in keys), total[column], '%s by rcf-rdb-keys' % column)
    for name, column in (('types', 'type'), ('dbs', 'db'), ('slots', 'slot')):
        counted = collections.Counter(row[column] for row in keys)
        same({str(row[column]): int(row['keys']) for row in document[name]}, dict(counted), '%s by rcf-rdb-keys' % name)


def check_merge(paths, folder):
    """Partials, in any order, with dumps besides, and partials of partials: byte for byte the answer of one run."""
    partials = []
    for number, path in enumerate(paths):
        partials.append('%s/part-%d.json' % (folder, number))
        code, out, err = run('rcf-rdb-stat', '-q', '--partial', partials[-1], path)
        same((code, out, err), (0, '', ''), 'saving')
        with open(partials[-1]) as file:
            validate(json.load(file), 'rcf-rdb-stat-partial')
    both = folder + '/both.json'
    same(run('rcf-rdb-stat', '-q', '--merge', '--partial', both, partials[0], partials[1])[0], 0, 'saving what was merged')
    code, out, err = run('rcf-rdb-stat', partials[0])
    expect(code == 2 and 'saved totals, no dump' in err and '--merge' in err, 'totals without --merge: exit %d: %s' % (code, err))
    for words in ([], ['--json'], *(['--csv', '--table=' + name] for name in TABLES), ['-v'], ['--format=jsonl', '--table=biggest', '--top=100']):
        wanted = run('rcf-rdb-stat', *words, *paths)
        same(wanted[0], 0, 'one run')
        for operands in (partials, partials[::-1], [paths[0], *partials[1:]], [both, *partials[2:]], [partials[3], paths[2], both]):
            same(run('rcf-rdb-stat', *words, '--merge', *operands), wanted, '--merge %s %s' % (' '.join(words), operands))
    code, out, err = run('rcf-rdb-stat', '--partial', '-', paths[0])
    with open(partials[0]) as file:
        same(out, file.read(), '--partial -')
    for words, why in ((['--top=101'], 'top: it keeps the 100 biggest keys, and 101 are wanted'), (['--prefix-depth=3'], 'prefix_depth'),
                       (['--type=set'], 'selection: made of all keys, not of --type=set')):
        code, out, err = run('rcf-rdb-stat', '--merge', *words, partials[0])
        expect(code == 2 and why in err, '%s: exit %d: %s' % (words, code, err))
    code, out, err = run('rcf-rdb-stat', '--partial', paths[0], paths[1])
    expect(code == 2 and 'left as it is' in err, 'evidence as --partial: exit %d: %s' % (code, err))
    with open(paths[0], 'rb') as file:
        same(file.read(9), b'REDIS0010', 'evidence is not replaced')


def check_hostile(paths):
    names = {json.dumps(row['key']) for row in run_json('rcf-rdb-stat', '--json', '--top=1000', paths[3])[1]['biggest'] if row['by'] == 'bytes'}
    same(len(names), 303 + len(HOSTILE), 'different names')
    for words in (['--csv', '--table=prefixes'], ['--csv', '--table=biggest', '--top=1000'], []):
        out = run('rcf-rdb-stat', *words, paths[3])[1]
        expect(all(c == '\n' or c.isprintable() for c in out.replace('\r\n', '\n')), '%s: not printable' % words)
    special = {row['prefix']: row['keys'] for row in table('prefixes', paths[3])}
    expect('(none)' in special and '(other)' not in special and '(other):' in special, 'prefixes in parentheses: %s' % special)


def check_damaged(paths, folder):
    """What was read is counted and said; what is no dump counts nothing."""
    with open(paths[1], 'rb') as file:
        whole = file.read()
    broken = folder + '/broken.rdb'
    for at in (len(whole) // 2, len(whole) - 9):
        with open(broken, 'wb') as file:
            file.write(whole[:at])
        code, out, err = run('rcf-rdb-stat', broken)
        same(code, 1, 'a dump that was cut')
        expect('incomplete' in out and err, 'a dump that was cut: %s %s' % (out[:300], err))
        code, document = run_json('rcf-rdb-stat', '--json', broken, paths[0])
        same((code, [row['read'] for row in document['files']]), (1, ['partly', 'whole']), 'a dump that was cut')
        expect(int(document['files'][0]['keys']) > 10 and document['files'][0]['modelled'] is None, 'what was read of it')
        saved = folder + '/cut.json'
        run('rcf-rdb-stat', '-q', '--partial', saved, broken)
        same(run('rcf-rdb-stat', '--merge', saved, paths[0])[:2], run('rcf-rdb-stat', broken, paths[0])[:2], 'merged')
    with open(broken, 'wb') as file:
        file.write(b'no dump')
    code, document = run_json('rcf-rdb-stat', '--json', broken, paths[0])
    same((code, [row['read'] for row in document['files']]), (2, ['not', 'whole']), 'no dump')
    for nothing in (folder, '/dev/null'):
        code, out, err = run('rcf-rdb-stat', nothing)
        same((code, out, nothing in err), (2, '', True), 'zeros are no answer where nothing was read')
    for content in ('{}', '{', '{"schema": "rcf-rdb-stat-partial", "version": 9}', '{"a": 1, "a": 2}', '{' + '[' * 5000):
        with open(broken, 'w') as file:
            file.write(content)
        code, out, err = run('rcf-rdb-stat', '--merge', broken)
        expect(code == 2 and 'not merged: ' in err, '%s: exit %d: %s' % (content[:20], code, err))


def check_many_prefixes(folder):
    """More prefixes than are told apart, whatever the threads: the sums hold, and what fell away is said."""
    path = folder + '/many.rdb'
    with open(path, 'wb') as file:
        file.write(HEAD + b'\xfe\0')
        for i in range(90000):
            name = ''.join(chr(ord('a') + i // 26 ** n % 26) for n in range(4))
            file.write(string(name.encode() + b':' + name.encode(), b'x' * (i % 50)))
        file.write(END)
    rows = table('prefixes', path)
    same(len(rows), 4097, 'prefixes')
    same(rows[-1]['prefix'], '(other)', 'the last row')
    same(sum(int(row['keys']) for row in rows), 90000, 'keys')


def check_filters(paths):
    rows = table('types', '--type=set', '--type=hash', *paths)
    same({row['type']: row['keys'] for row in rows}, {'hash': '4', 'set': '4'}, '--type')
    code, document = run_json('rcf-rdb-stat', '--json', '--db=5', *paths)
    same((document['total']['keys'], document['selection']), (str(4 + len(HOSTILE)), '--db=5'), '--db')
    same(document['memory']['error_percent'], None, 'memory is not compared when keys are filtered')


with tempfile.TemporaryDirectory() as work:
    made_dumps = dumps(work)
    check_truth()
    check_sums(made_dumps)
    check_sums(sorted(glob.glob(STORY + '/hosts/*/*/*.rdb')))
    check_merge(made_dumps, work)
    check_hostile(made_dumps)
    check_damaged(made_dumps, work)
    check_many_prefixes(work)
    check_filters(made_dumps)
finish()
