"""Findings about what is on disk and what a start makes of it: dumps in the wrong place, replicas behind their primaries,
appendonly over a dump, leftovers of forks, primaries without persistence, Sentinels: each rule, and what it must not take for it."""
import itertools

from made_cluster import Cluster, Node, check, ids, judge, one
from rdb_bytes import aux, dump, key, string
from slots import key_slot
from support import expect, finish, same

CTIME = 1795359145


def keys_of(slots, count):
    """So many keys of a range of slots."""
    first, _, last = slots.partition('-')
    names = (name for name in ('k%d' % n for n in itertools.count()) if int(first) <= key_slot(name) <= int(last))
    return [key(0, name, string('v')) for name in itertools.islice(names, count)]


def filled(cluster, count=20, **how):
    for node in cluster.nodes:
        slots = (node.primary or node).slots
        cluster.files[node.id] = {'dump.rdb': dump(aux('ctime', str(CTIME)), *keys_of(slots, count), **how)}
    return cluster


def misplaced():
    check('every dump at its place', filled(Cluster()), [])
    c = filled(Cluster())
    one_dump, other = c.files[c.primaries[0].id], c.files[c.primaries[1].id]
    c.files[c.primaries[0].id], c.files[c.primaries[1].id] = other, one_dump
    found = [f for f in check('two dumps swapped', c, ['dump-misplaced', 'keys-in-foreign-slot']) if f['finding'] == 'dump-misplaced']
    same([(f['node'], f['certainty'], f['keys']) for f in found], [('10.0.0.1:6379', 'proved', '20'), ('10.0.0.2:6379', 'proved', '20')], 'swapped')
    c = filled(Cluster())
    c.files[c.primaries[0].id] = {'dump.rdb': dump(*keys_of('5461-10922', 17))}
    found = check('the dump of another primary', c, ['dump-misplaced', 'keys-in-foreign-slot'])
    same(one(found, 'dump-misplaced')['certainty'], 'probable', 'it may be its own from another layout')
    c.files[c.primaries[0].id] = {'dump.rdb': dump(*keys_of('5461-10922', 15))}
    check('a few keys tell nothing', c, ['keys-in-foreign-slot'])
    c.files[c.primaries[0].id] = {'dump.rdb': dump(*keys_of('5461-10922', 17), *keys_of('10923-16383', 1))}
    check('keys of two others', c, ['keys-in-foreign-slot'])
    c = filled(Cluster())
    for node in c.primaries:
        c.files[node.id] = {'dump.rdb': dump(*keys_of('0-16383', 30))}
    found = [f for f in judge(c) if f['finding'] == 'dump-misplaced']
    same([(f['node'], f['certainty']) for f in found], [('10.0.0.1:6379', 'proved')], 'one dump on three primaries')
    expect('10.0.0.2:6379, 10.0.0.3:6379' in found[0]['summary'], 'the others are named')
    c = filled(Cluster())
    c.files[c.replicas[0].id] = dict(c.files[c.primaries[0].id])
    check("a replica's dump is its primary's", c, [])


def replicas():
    def pair(mine, theirs, **how):
        c = Cluster()
        if how.get('one_host'):
            c.replicas[0].ip, c.replicas[0].port = c.primaries[0].ip, 6380
        for node, (ctime, offset, letter) in ((c.replicas[0], mine), (c.primaries[0], theirs)):
            c.files[node.id] = {'dump.rdb': dump(aux('ctime', str(CTIME + ctime)), aux('repl-id', letter * 40), aux('repl-offset', str(offset)))}
        return [f for f in judge(c) if f['finding'] == 'replica-behind']

    found = pair((120, 500, 'a'), (0, 700, 'a'))
    same([(f['node'], f['certainty']) for f in found], [('10.0.0.11:6379', 'proved')], 'saved later, and behind')
    expect('120 s after' in found[0]['summary'] and '200 bytes behind' in found[0]['summary'], found[0]['summary'])
    same(pair((120, 700, 'a'), (0, 700, 'a')), [], 'level')
    same(pair((40, 500, 'a'), (0, 700, 'a')), [], 'within what clocks of two hosts may differ')
    same(len(pair((40, 500, 'a'), (0, 700, 'a'), one_host=True)), 1, 'by one clock')
    same(pair((-50, 500, 'a'), (0, 700, 'a')), [], 'saved earlier')
    same(pair((120, 500, 'b'), (0, 700, 'a')), [], 'another history')
    for version, old, expected in ((12, '6.2.14', ['replica-older-server']), (9, '6.2.14', [])):
        c = Cluster()
        banner = '1:M 22 Nov 2026 15:00:00.000 # Redis version=%s, bits=64, commit=00000000, modified=0, pid=1, just started\n'
        c.files[c.replicas[0].id] = {'redis.log': (banner % old).encode()}
        c.files[c.primaries[0].id] = {'redis.log': (banner % '7.4.1').encode(), 'dump.rdb': dump(aux('redis-ver', '7.4.1'), version=version)}
        check('a dump of version %d for Redis 6.2' % version, c, expected)


def aof():
    on = b'port 6379\ncluster-enabled yes\nappendonly yes\nsave 900 1\n'
    command = b'*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n'
    flush = b'*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*1\r\n$8\r\nFLUSHALL\r\n'
    for what, files, expected in (('no AOF', {}, ['aof-over-dump']), ('an empty AOF', {'appendonly.aof': b''}, ['aof-over-dump']),
                                  ('an AOF with keys', {'appendonly.aof': command}, []), ('an AOF that was flushed', {'appendonly.aof': flush}, []),
                                  ('appendonly no', {'redis.conf': on.replace(b'yes\nsave', b'no\nsave')}, [])):
        c = filled(Cluster())
        c.files[c.primaries[0].id].update({'redis.conf': on, 'redis.log': b'1:M 22 Nov 2026 15:00:00.000 # Redis version=6.2.14, bits=64, just started\n'})
        c.files[c.primaries[0].id].update(files)
        found = check(what, c, expected)
        if expected:
            same((one(found, 'aof-over-dump')['certainty'], one(found, 'aof-over-dump')['keys']), ('probable', '20'), what)


def leftovers():
    c = filled(Cluster())
    c.files[c.primaries[0].id]['temp-4711.rdb'] = dump(*keys_of('0-5460', 25))[:-30]
    found = one(check('a fork that may still run', c, []), 'fork-leftovers')
    same((found['severity'], found['certainty'], found['node']), ('info', 'proved', '10.0.0.1:6379'), 'a leftover')
    c.files[c.primaries[0].id]['temp-1795359000.4712.rdb'] = b'REDIS0009'
    c.files[c.primaries[0].id]['temp-rewriteaof-bg-4713.aof'] = b''
    found = one(check('several forks', c, ['fork-leftovers']), 'fork-leftovers')
    expect('of several forks' in found['summary'], found['summary'])
    c = filled(Cluster())
    c.files[c.primaries[0].id] = {'temp-4711.rdb': dump(*keys_of('0-5460', 25))}
    expect('25 keys' in (one(judge(c), 'fork-leftovers').get('detail') or ''), 'the best copy there is')


def configurations():
    def conf(text):
        return {'redis.conf': b'port 6379\ncluster-enabled yes\n' + text}

    c = Cluster()
    for node in c.primaries:
        c.files[node.id] = conf(b'save ""\nappendonly no\n')
    found = one(check('nothing is kept', c, ['nothing-persisted']), 'nothing-persisted')
    expect('3 voting primaries' in found['summary'] and 'replicas empty too' in found['summary'], found['summary'])
    for text in (b'save ""\nappendonly yes\n', b'save 900 1\n', b'save ""\ninclude /etc/redis/more.conf\n'):
        c = Cluster()
        for node in c.nodes:
            c.files[node.id] = conf(text)
        check('persisted: %r' % text, c, [])
    c = Cluster()
    for node in c.replicas:
        c.files[node.id] = conf(b'save ""\nappendonly no\n')
    check('replicas need not persist', c, [])
    for ip, expected in ((c.primaries[1].ip, ['sentinel-on-member']), ('10.9.9.9', [])):
        c = Cluster()
        c.files[c.nodes[0].id] = {'sentinel.conf': b'port 26379\nsentinel monitor mymaster %s 6379 2\n' % ip.encode()}
        found = check('a Sentinel for %s' % ip, c, expected)
        if expected:
            same((one(found, 'sentinel-on-member')['node'], one(found, 'sentinel-on-member')['evidence'][0]['line']),
                 (c.primaries[1].ip + ':6379', 2), 'sentinel-on-member')


misplaced()
replicas()
aof()
leftovers()
configurations()
finish()
