"""What rcf-rdb-stat estimates for keys of many shapes is what Debian's redis-server says that it used for them."""
import csv
import io
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, 'tests/cli')
from support import expect, finish, run  # noqa: E402

# Name, keys, script that makes keys ARGV[1] to ARGV[2] - 1, and by how many percent the estimate of all of them may be off.
SHAPES = [
    ('int', 20000, "redis.call('SET', 'int:' .. i, 20000 + i)", 4),
    ('embstr', 20000, "redis.call('SET', 'embstr:' .. i, string.rep('x', i % 40))", 3),
    ('raw', 20000, "redis.call('SET', 'raw:' .. i, string.rep('x', 50 + i % 200) .. i)", 3),
    ('large', 200, "redis.call('SET', 'large:' .. i, string.rep('x', 20000 + i * 100))", 3),
    ('expiring', 20000, "redis.call('SET', 'expiring:' .. i, 'value ' .. i, 'PXAT', 4102444800000 + i)", 2),
    ('long-name', 5000, "redis.call('SET', string.rep('name', 20) .. i, 'v')", 2),
    ('hash-listpack', 10000, "redis.call('HSET', 'h:' .. i, 'name', 'n' .. i, 'age', i % 90, 'mail', i .. '@example.org')", 3),
    ('hash-table', 40, "for n = 1, 1000 do redis.call('HSET', 'hh:' .. i, 'field' .. n, 'value ' .. n * i) end", 4),
    ('hash-long', 200, "for n = 1, 20 do redis.call('HSET', 'hl:' .. i, 'field' .. n, string.rep('v', 70 + n * 5)) end", 4),
    ('set-intset', 10000, "redis.call('SADD', 's:' .. i, i, i * 3, i * 7, i * 70001)", 3),
    ('set-table', 40, "for n = 1, 1000 do redis.call('SADD', 'ss:' .. i, 'member' .. n) end", 4),
    ('set-integers', 40, "for n = 1, 1000 do redis.call('SADD', 'si:' .. i, n * 1001) end", 20),
    ('zset-listpack', 10000, "redis.call('ZADD', 'z:' .. i, i, 'first', i / 3, 'second', -i, 'third')", 3),
    ('zset-skiplist', 40, "for n = 1, 1000 do redis.call('ZADD', 'zz:' .. i, n * 1.25, 'member' .. n) end", 4),
    ('list-small', 10000, "redis.call('RPUSH', 'l:' .. i, i, 'job', i + 1, 'job of ' .. i)", 4),
    ('list-long', 20, "for n = 1, 5000 do redis.call('RPUSH', 'll:' .. i, 'job ' .. n) end", 4),
    ('stream-small', 2000, "for n = 1, 4 do redis.call('XADD', 'x:' .. i, i .. '-' .. n, 'kind', n % 2, 'value', i * n) end", 4),
    ('stream-long', 10, "for n = 1, 5000 do redis.call('XADD', 'xx:' .. i, n .. '-1', 'kind', n % 2, 'value', i * n) end", 5),
    ('stream-group', 50, """for n = 1, 200 do redis.call('XADD', 'xg:' .. i, n .. '-1', 'value', i * n) end
        redis.call('XGROUP', 'CREATE', 'xg:' .. i, 'group', '0')
        redis.call('XREADGROUP', 'GROUP', 'group', 'consumer', 'COUNT', 200, 'STREAMS', 'xg:' .. i, '>')""", 15),
]


class Client:
    def __init__(self, port):
        self.stream = socket.create_connection(('127.0.0.1', port)).makefile('rwb')

    def reply(self):
        line = self.stream.readline().rstrip()
        if line[:1] == b'-' or not line:
            raise OSError(line.decode())
        if line[:1] == b'$':
            return self.stream.read(int(line[1:]) + 2)[:-2].decode() if line != b'$-1' else None
        if line[:1] == b'*':
            return [self.reply() for _ in range(int(line[1:]))]
        return line[1:].decode()

    def command(self, *words):
        words = [str(word).encode() for word in words]
        self.stream.write(b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(word), word) for word in words))
        self.stream.flush()
        return self.reply()

    def used(self):
        lines = self.command('INFO', 'memory').splitlines()
        return next(int(line.split(':')[1]) for line in lines if line.startswith('used_memory:'))


def start(folder):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(['redis-server', '--bind', '127.0.0.1', '--port', str(port), '--dir', folder, '--save', '',
                                '--appendonly', 'no'], stdout=subprocess.DEVNULL)
    for _ in range(200):
        try:
            return process, Client(port)
        except OSError:
            time.sleep(0.05)
    process.kill()
    process.wait()
    sys.exit('redis-server did not start')


def save(client, folder, name):
    client.command('SAVE')
    os.replace(folder + '/dump.rdb', '%s/%s.rdb' % (folder, name))


def mark(client):
    """A key in another database shows that this is no server in cluster mode, which would need more memory."""
    client.command('FLUSHALL')
    client.command('SELECT', 1)
    client.command('SET', 'mark', 'this server')
    client.command('SELECT', 0)


def measure(client, folder, name, keys, script, most):
    """Both numbers without what an empty server needs; the estimate with the buckets of the database."""
    mark(client)
    time.sleep(0.1)
    before = client.used()
    for first in range(1, keys + 1, 1000):
        client.command('EVAL', 'for i = ARGV[1], ARGV[2] do %s end' % script, 0, first, min(first + 999, keys))
    client.command('SCRIPT', 'FLUSH')
    time.sleep(0.3)
    used = client.used() - before
    save(client, folder, name)
    code, out, err = run('rcf-rdb-stat', '--csv', '--table=files', '--allocator=system', os.path.join(folder, name + '.rdb'))
    expect(code == 0, '%s: exit %d: %s' % (name, code, err))
    row = next(csv.DictReader(io.StringIO(out)))
    empty = run('rcf-rdb-stat', '--csv', '--table=files', '--allocator=system', os.path.join(folder, 'empty.rdb'))[1]
    estimated = int(row['modelled']) - int(next(csv.DictReader(io.StringIO(empty)))['modelled'])
    error = 100.0 * (estimated - used) / used
    if os.environ.get('RCF_SHOW'):
        print('%-14s %6d keys  server %10d  model %10d  per key %9.1f %9.1f  %+.1f %%' % (
            name, keys, used, estimated, used / keys, estimated / keys, error))
    expect(abs(error) <= most, '%s: the server used %d, the model says %d: %+.1f %%' % (name, used, estimated, error))


with tempfile.TemporaryDirectory() as work:
    server, live = start(work)
    try:
        live.command('EVAL', "return redis.call('PING')", 0)
        mark(live)
        save(live, work, 'empty')
        for shape in SHAPES:
            measure(live, work, *shape)
    finally:
        server.terminate()
        server.wait()
finish()
