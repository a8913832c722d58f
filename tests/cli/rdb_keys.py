"""rcf-rdb-keys as users run it: rows of the fixtures against what servers counted; every type and encoding that a live server
writes, with its full value, against what that server returns; filters; hostile names; damaged dumps; memory."""
import base64
import csv
import datetime
import glob
import io
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from commands import check_output
from support import BUILD, expect, finish, same, validate

SERVER = shutil.which('redis-server')
TOOL = os.path.join(os.path.abspath(BUILD), 'rcf-rdb-keys')
FORMATS = ('text', 'csv', 'json', 'jsonl')


def run(*words, data=None):
    process = subprocess.run([TOOL, *words], input=data, stdin=None if data is not None else subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=300)
    return process.returncode, process.stdout, process.stderr.decode('utf-8')


def rows(*words, data=None, valid=False):
    """Exit code and records; the document is valid by its schema when that is asked for, which takes long."""
    code, out, err = run('--json', *words, data=data)
    try:
        document = json.loads(out)
    except ValueError as error:
        expect(False, '%r: no JSON (%s): %s' % (words, error, err))
        return code, []
    if valid:
        validate(document, 'rcf-rdb-keys')
    return code, document['keys']


def word(record, name):
    """The bytes of a word of evidence."""
    if name + '_base64' in record:
        return base64.b64decode(record[name + '_base64'])
    return record[name].encode('utf-8')


def ms(text):
    moment = datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=datetime.timezone.utc)
    return int((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(milliseconds=1))


# ---------------------------------------------------------------- a live server

class Server:
    """A redis-server on a socket in a folder of its own, and as much of RESP as it takes to ask it."""

    def __init__(self, *settings):
        self.folder = tempfile.mkdtemp()
        path = os.path.join(self.folder, 's')
        self.process = subprocess.Popen([SERVER, '--port', '0', '--unixsocket', path, '--dir', self.folder, '--save', '', '--dbfilename',
                                         'dump.rdb', '--enable-debug-command', 'yes', '--daemonize', 'no', *settings],
                                        stdout=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(200):
            try:
                self.socket.connect(path)
                break
            except OSError:
                time.sleep(0.05)
        self.stream = self.socket.makefile('rwb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def __call__(self, *words):
        words = [each if isinstance(each, bytes) else str(each).encode() for each in words]
        self.stream.write(b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(each), each) for each in words))
        self.stream.flush()
        answer = self.reply()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def reply(self):
        line = self.stream.readline()
        mark, rest = line[:1], line[1:-2]
        if mark == b'-':
            return OSError(rest.decode())
        if mark == b'$':
            return None if rest == b'-1' else self.stream.read(int(rest) + 2)[:-2]
        if mark == b'*':
            return None if rest == b'-1' else [self.reply() for _ in range(int(rest))]
        return int(rest) if mark == b':' else rest

    def dump(self):
        self('SAVE')
        return os.path.join(self.folder, 'dump.rdb')


def pairs(flat):
    return list(zip(flat[::2], flat[1::2]))


def fields_of(flat):
    return {name.decode(): value for name, value in pairs(flat)}


# What the server returns for a key, and the same from its record: in one form.

def server_stream(server, key):
    full = fields_of(server('XINFO', 'STREAM', key, 'FULL', 'COUNT', '0'))
    groups = []
    for group in map(fields_of, full['groups']):
        consumers = [(each['name'], each['seen-time'], sorted(pending[0].decode() for pending in each['pending']))
                     for each in map(fields_of, group['consumers'])]
        groups.append((group['name'], group['last-delivered-id'].decode(), group['entries-read'],
                       [(each[0].decode(), each[2], each[3]) for each in group['pending']], sorted(consumers)))
    return {'entries': [(each.decode(), pairs(entry)) for each, entry in server('XRANGE', key, '-', '+')], 'length': full['length'],
            'last_id': full['last-generated-id'].decode(), 'max_deleted_id': full['max-deleted-entry-id'].decode(),
            'entries_added': full['entries-added'], 'first_id': full['recorded-first-entry-id'].decode(), 'groups': sorted(groups)}


def record_stream(value):
    groups = []
    for group in value['groups']:
        consumers = [(word(each, 'name'), ms(each['seen']), sorted(each['pending'])) for each in group['consumers']]
        read = None if group['entries_read'] is None else int(group['entries_read'])
        groups.append((word(group, 'name'), group['last_delivered_id'], read,
                       [(each['id'], ms(each['delivered']), int(each['deliveries'])) for each in group['pending']], sorted(consumers)))
    entries = [(each['id'], [(word(pair, 'field'), word(pair, 'value')) for pair in each['fields']])
               for each in value['entries'] if not each['deleted']]
    return {'entries': entries, 'length': int(value['length']), 'last_id': value['last_id'], 'max_deleted_id': value['max_deleted_id'],
            'entries_added': int(value['entries_added']), 'first_id': value['first_id'], 'groups': sorted(groups)}


def scored(flat):
    return sorted((member, float(score)) for member, score in flat)


VALUES = {
    'string': (lambda server, key: server('GET', key), lambda value: word(value, 'string')),
    'list': (lambda server, key: server('LRANGE', key, 0, -1), lambda value: [word(each, 'item') for each in value['items']]),
    'set': (lambda server, key: sorted(server('SMEMBERS', key)), lambda value: sorted(word(each, 'member') for each in value['members'])),
    'zset': (lambda server, key: scored(pairs(server('ZRANGE', key, 0, -1, 'WITHSCORES'))),
             lambda value: scored((word(each, 'member'), each['score']) for each in value['members'])),
    'hash': (lambda server, key: sorted(pairs(server('HGETALL', key))),
             lambda value: sorted((word(each, 'field'), word(each, 'value')) for each in value['fields'])),
    'stream': (server_stream, record_stream),
}
COUNTS = {'string': None, 'list': 'LLEN', 'set': 'SCARD', 'zset': 'ZCARD', 'hash': 'HLEN', 'stream': 'XLEN'}

BINARY = [b'', b'\0', b'\xff\xfe', b'a\r\nb', b'"quoted"\\', 'caf\u00e9 \u2028\u202e\U0001f600'.encode(), b'\xed\xa0\x80', b'x' * 63, b'x' * 64,
          b'y' * 16383, b'z' * 16384, b'abc' * 30000, bytes(range(256)), b'\\xff', b'12 ', b' 12', b'+12', b'-0', b'012', b'1e3']
NUMBERS = [0, 1, -1, 12, 13, 127, 128, -128, -129, 4095, 4096, -4096, -4097, 32767, 32768, -32768, -32769, 8388607, 8388608, -8388608, -8388609,
           2 ** 31 - 1, 2 ** 31, -2 ** 31, -2 ** 31 - 1, 2 ** 63 - 1, -2 ** 63, 2 ** 63, -2 ** 63 - 1, 9999, 10000]
SCORES = ['0', '-0', '1', '-1', '0.1', '1e100', '-1e-300', 'inf', '-inf', '3.141592653589793', '1e17', '123456789.125', '5e-324', '0.3333333333333333']


def fill(server):
    """Keys of every type, in the forms that the server's settings make of them."""
    for index, content in enumerate(BINARY + NUMBERS):
        server('SET', 'string:%d' % index, content)
    for index, name in enumerate(BINARY + NUMBERS):
        server('SET', name, index)
    server('SET', 'long', os.urandom(1 << 20))
    server('SET', 'long and dull', b'0' * (1 << 20))
    server('PFADD', 'hll', *range(3000))
    for name, words in (('numbers', NUMBERS[:27]), ('small numbers', [1, 2, 3]), ('binary', BINARY), ('mixed', BINARY + NUMBERS),
                        ('many', ['word %d' % i for i in range(3000)]), ('many numbers', range(-2000, 2000)), ('one', ['x'])):
        server('RPUSH', 'list ' + name, *words)
        server('SADD', 'set ' + name, *words)
        server('HSET', 'hash ' + name, *(each for i, member in enumerate(words) for each in (member, words[-i])))
        server('ZADD', 'zset ' + name, *(each for i, member in enumerate(words) for each in (SCORES[i % len(SCORES)] if i < 50 else i, member)))
    now = int(time.time() * 1000)
    server('SET', 'expires', 'later', 'PXAT', now + 10 ** 9)
    server('SET', 'expires in 9999', 'v', 'PXAT', 253402300799999)
    server('HSET', 'expiring hash', 'f', 'v')
    server('PEXPIREAT', 'expiring hash', now + 12345678)
    server('DEBUG', 'SET-ACTIVE-EXPIRE', '0')
    server('XADD', 'stream small', '1-1', 'f', 'v')
    for i in range(1, 300):
        server('XADD', 'stream', '%d-%d' % (i, i % 3), 'same', i, 'fields', 'v%d' % i)
        server('XADD', 'stream', '%d-9' % i, *BINARY[:6], '5', i)
    server('XDEL', 'stream', '5-2', '7-1', '299-9')
    server('XADD', 'stream empty', '1-1', 'f', 'v')
    server('XDEL', 'stream empty', '1-1')
    server('XGROUP', 'CREATE', 'stream empty', 'g', '0')
    for group in ('g', b'\xff\x00', 'idle'):
        server('XGROUP', 'CREATE', 'stream', group, '0')
    for consumer in ('c', b'\xfe', 'other'):
        server('XREADGROUP', 'GROUP', 'g', consumer, 'COUNT', 20, 'STREAMS', 'stream', '>')
    server('XACK', 'stream', 'g', '1-1', '2-2')
    server('XCLAIM', 'stream', 'g', 'other', 0, '3-0', 'RETRYCOUNT', 7)
    server('XREADGROUP', 'GROUP', b'\xff\x00', 'c', 'COUNT', 1, 'STREAMS', 'stream', '>')
    server('XGROUP', 'CREATECONSUMER', 'stream', 'idle', 'nobody')
    server('SELECT', 9)
    server('SET', 'in nine', 1)
    server('SELECT', 0)


def same_metadata(server, record, about, policy):
    key = word(record, 'key')
    expiry = server('PEXPIRETIME', key)
    same(None if record['expires'] is None else ms(record['expires']), None if expiry < 0 else expiry, about + ': expiry')
    if COUNTS[record['type']]:
        same(int(record['elements']), server(COUNTS[record['type']], key), about + ': elements')
    else:
        same(record['elements'], '1', about + ': elements')
    encoding = server('OBJECT', 'ENCODING', key).decode()
    if (record['type'], encoding) == ('list', 'listpack'):
        encoding = 'quicklist'  # newer servers keep short lists in one listpack and save it as a quicklist
    if record['type'] == 'string':  # the dump has integers of 32 bits as such, and all else as text
        integer = encoding == 'int' and -1 << 31 <= int(server('GET', key)) < 1 << 31
        encoding = 'int' if integer else 'raw'
    same(record['encoding'], encoding, about + ': encoding')
    same(record['freq'] is not None, policy == 'allkeys-lfu', about + ': freq')
    same(record['idle'] is not None, policy == 'allkeys-lru', about + ': idle')


def same_values(server, policy):
    """Every key of the dump, name and value and all else, and none besides."""
    path = server.dump()
    frequencies = {}
    for db in (0, 9):
        server('SELECT', db)
        for key in server('KEYS', '*'):
            frequencies[db, key] = server('OBJECT', 'FREQ', key) if policy == 'allkeys-lfu' else None
    code, records = rows('--values', path, valid=True)
    same(code, 0, 'exit code')
    same(sorted((each['db'], word(each, 'key')) for each in records), sorted(frequencies), policy + ': names')
    for record in records:
        key = word(record, 'key')
        about = '%s: %r' % (policy, key[:60])
        server('SELECT', record['db'])
        same_metadata(server, record, about, policy)
        of_server, of_record = VALUES[record['type']]
        found, expected = of_record(record['value']), of_server(server, key)
        expect(found == expected, '%s (%s, %s): expected %.300r, found %.300r' % (about, record['type'], record['encoding'], expected, found))
        expect(record['sound'] is True, about + ': sound')
        if policy == 'allkeys-lfu':
            expect(abs(record['freq'] - frequencies[record['db'], key]) <= 1, '%s: freq %r' % (about, record['freq']))
        if key == b'old':
            expect(5000 <= int(record['idle']) <= 5060, about + ': idle')
    code, plain = rows(path, valid=True)
    for record in records:
        del record['value'], record['sound']
    same(plain, records, policy + ': rows without and with values')
    server('SELECT', 0)
    return path


def check_formats(path, *options):
    """All formats say the same of each key."""
    _, records = rows(*options, path)
    lines = [json.loads(line) for line in run('--format=jsonl', *options, path)[1].decode().splitlines()]
    same(lines, records, 'jsonl and json')
    table = list(csv.DictReader(io.StringIO(run('--csv', *options, path)[1].decode(), newline='')))
    same(len(table), len(records), 'rows of csv')
    for row, record in zip(table, records):
        for name, cell in row.items():
            if name not in ('key', 'file'):
                same(cell, '' if record[name] is None else str(record[name]), 'csv and json: %s' % name)
    same(len(run(*options, path)[1].splitlines()), len(records) + 1, 'lines of text')


LIVE = [
    # maxmemory-policy, settings
    ('noeviction', ()),
    ('allkeys-lfu', ('--rdbcompression', 'no', '--set-max-intset-entries', '0', '--hash-max-listpack-entries', '0',
                     '--zset-max-listpack-entries', '0', '--list-max-listpack-size', '1', '--stream-node-max-entries', '1')),
    ('allkeys-lru', ('--hash-max-listpack-value', '100000', '--zset-max-listpack-value', '100000', '--hash-max-listpack-entries', '5000',
                     '--zset-max-listpack-entries', '5000', '--set-max-intset-entries', '5000', '--list-max-listpack-size', '-5',
                     '--rdbchecksum', 'no')),
]


def check_live():
    for policy, settings in LIVE:
        with Server('--maxmemory-policy', policy, *settings) as server:
            if policy == 'noeviction': # list nodes that hold one large item as it is
                server('DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '20000b')
            fill(server)
            if policy == 'allkeys-lru':
                server('RESTORE', 'old', 0, server('DUMP', 'string:0'), 'IDLETIME', 5000)
            path = same_values(server, policy)
            check_formats(path)
            if policy == 'noeviction':
                check_filters(path)
                check_input(path)
                check_damage(path)
                check_globs(server)


def check_globs(server):
    """Patterns at random, decided by the server."""
    dice = random.Random(1)
    server('FLUSHALL')
    for _ in range(400):
        server('SET', ''.join(dice.choice('ab-]^*?\\[c') for _ in range(dice.randrange(5))), 1)
    path = server.dump()
    for _ in range(400):
        pattern = ''.join(dice.choice('aab-]^*?\\[[c') for _ in range(dice.randrange(1, 8)))
        found = [word(each, 'key') for each in map(json.loads, run('--format=jsonl', '--match', pattern, path)[1].splitlines())]
        same(sorted(found), sorted(server('KEYS', pattern)), '--match %r' % pattern)


def check_filters(path):
    _, records = rows(path)
    trials = {
        ('--type=set', '--type=hash'): lambda each: each['type'] in ('set', 'hash'),
        ('--slot=0-8191',): lambda each: each['slot'] < 8192,
        ('--slot=1-100,5000-9000', '--slot=16383'): lambda each: 1 <= each['slot'] <= 100 or 5000 <= each['slot'] <= 9000 or each['slot'] == 16383,
        ('--db=9',): lambda each: each['db'] == 9,
        ('--db=1-8,10-15',): lambda each: False,
        ('--expires=ever',): lambda each: each['expires'] is not None,
        ('--expires=never',): lambda each: each['expires'] is None,
        ('--expires=after:9000-01-01',): lambda each: (each['expires'] or '') > '9000',
        ('--expires=before:9000-01-01',): lambda each: '' < (each['expires'] or '') < '9000',
        ('--min-size=1K',): lambda each: int(each['bytes']) >= 1024,
        ('--max-size=10',): lambda each: int(each['bytes']) <= 10,
        ('--min-size=10', '--max-size=1M', '--type=string'): lambda each: 10 <= int(each['bytes']) <= 1 << 20 and each['type'] == 'string',
    }
    for options, wanted in trials.items():
        expected = [each for each in records if wanted(each)]
        same(rows(*options, path), (0, expected), ' '.join(options))
        _, valued = rows('--values', *options, path)
        same([each['key'] for each in valued], [each['key'] for each in expected], '--values ' + ' '.join(options))


def check_input(path):
    _, records = rows(path)
    with open(path, 'rb') as file:
        same(rows('-', data=file.read()), (0, records), 'standard input')
    code, twice = rows(path, path)
    same((code, twice), (0, [dict(each, file=path) for each in records * 2]), 'the same file twice')
    check_formats(path)
    for words, expected in ((['--values', path], '--values goes with'), (['--type=x', path], '--type: expected string'),
                            (['--slot=16384', path], '--slot: expected slots'), (['--expires=soon', path], '--expires: expected never'),
                            (['--min-size=x', path], '--min-size: expected a number')):
        code, out, err = run(*words)
        expect(code == 2 and not out and expected in err, '%r: exit code %d, %r' % (words[0], code, err))


def check_damage(path):
    """A dump that ends early: what stands before is given, in whole documents, and the end is said."""
    with open(path, 'rb') as file:
        whole = file.read()
    with tempfile.TemporaryDirectory() as folder:
        cut = os.path.join(folder, 'cut.rdb')
        for length in [0, 5, 9, 10, 100, *range(200, len(whole), len(whole) // 16)]:
            with open(cut, 'wb') as file:
                file.write(whole[:length])
            for options in ([], ['--values']):
                code, _ = rows(*options, cut, valid=length < 1000)
                same(code, 1, 'cut at %d' % length)
            for form in FORMATS:
                code, out, err = run('--format=' + form, cut)
                check_output('cut at %d' % length, form, out, err.encode())
                expect(code == 1 and cut + ':' in err and str(length) in err, 'cut at %d: %r' % (length, err))
        broken = bytearray(whole)
        broken[-1] ^= 1
        with open(cut, 'wb') as file:
            file.write(broken)
        code, records = rows(cut)
        expect(code == 1 and records, 'a wrong checksum: exit code %d' % code)
        with open(cut, 'wb') as file:
            file.write(b'this is no dump\n')
        same(rows(cut), (2, []), 'no dump')


HOSTILE = [b'\x1b[2J\x1b]0;x\x07', b'=cmd|calc', b'+1', b'-1+1', b'@x', b'a,b\r\nc', b'"', b'\\', b'\\x1b', b' ', b'\t=1', '\u202egnp.exe'.encode(),
           '\u200b\ufeff'.encode(), b'\xff', b'\xc0\xaf', b'</script>', b"';--", b'line\nline', b'\x7f', b'\xe2\x28', 'x\u2029y'.encode()]


def check_hostile_names():
    with Server() as server:
        for name in HOSTILE:
            server('HSET', name, name, name)
            server('XADD', b'stream' + name, '1-1', name, name)
            server('XGROUP', 'CREATE', b'stream' + name, name, '0')
        path = server.dump()
        for options in ([], ['--values']):
            for form in FORMATS:
                if not options or form.startswith('json'):
                    code, out, err = run('--format=' + form, *options, path)
                    same(code, 0, 'hostile names')
                    check_output('hostile names', form, out, err.encode())
        _, records = rows(path)
        same(sorted(word(each, 'key') for each in records), sorted(server('KEYS', '*')), 'hostile names')


def peak(*words):
    """Kilobytes that the tool needed at most. A process is charged with what its parent needed before: hence a small one between."""
    script = ('import resource, subprocess, sys; code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); '
              'print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)')
    code, used = map(int, subprocess.run([sys.executable, '-c', script, TOOL, *words], stdout=subprocess.PIPE, check=True).stdout.split())
    same(code, 0, ' '.join(words))
    return used


def check_memory():
    """One value of 60 MB in elements of 1 kB, of which no more than a piece is held."""
    with Server('--rdbcompression', 'no') as server:
        for start in range(0, 60000, 1000):
            server('RPUSH', 'list', *(b'%01000d' % i for i in range(start, start + 1000)))
            server('HSET', 'hash', *(each for i in range(start, start + 1000) for each in (i, b'%01000d' % i)))
        path = server.dump()
        for options in ([], ['--values'], ['--values', '--min-size=100']):
            used = peak('--json', *options, path)
            expect(used < 64 * 1024, '%s: %d kB for values of 60 MB' % (' '.join(options), used))


def check_fixtures():
    """INFO keyspace was taken right after SAVE, on every instance that was up."""
    judged = 0
    for path in sorted(glob.glob('tests/truth/**/keyspace.txt', recursive=True)):
        capture, instance = re.fullmatch(r'tests/truth/(.*)/truth/([0-9.]+_[0-9]+)/keyspace.txt', path).groups()
        ip, port = instance.split('_')
        dump = 'fixtures/%s/hosts/%s/%s/dump_%s.rdb' % (capture, ip, port, port)
        if not os.path.exists(dump):
            continue
        with open(path) as file:
            expected = {int(db): int(keys) for db, keys in re.findall(r'^db(\d+):keys=(\d+)', file.read(), re.M)}
        code, records = rows(dump)
        found = {}
        for record in records:
            found[record['db']] = found.get(record['db'], 0) + 1
        same((code, found), (0, expected), dump)
        judged += 1
    expect(judged > 20, 'only %d dumps were compared' % judged)


check_fixtures()
if SERVER:
    check_live()
    check_hostile_names()
    if not os.environ.get('RCF_SANITIZE'):
        check_memory()
else:
    print('rdb_keys: redis-server is not installed, most is skipped')
finish()
