"""Findings about instances that are not what members take them for, about merged clusters, epochs out of line and a majority
that only logs show to be missing: each rule, and what it must not take for it."""
import os
import tempfile
import time

from made_cluster import NOW, Cluster, Node, check, ids, judge, one
from rdb_bytes import aux, dump, key, string
from slots import key_slot
from support import expect, finish, run_json, same


def add(cluster, node, listed=True):
    cluster.nodes.append(node)
    cluster.views[node.id] = {}
    for other in cluster.nodes[:-1]:
        if not listed:
            cluster.forget(other, node)
    return node


def alone(cluster, node):
    """The node's own file lists nobody else."""
    for other in cluster.nodes:
        if other is not node:
            cluster.forget(node, other)
    return cluster


def log_line(seconds, text, pid=19279):
    """A line in UTC, which the dump of `saved` gives away."""
    moment = time.gmtime(NOW // 1000 + seconds)
    return '%d:M %s.%03d * %s\n' % (pid, time.strftime('%d %b %Y %H:%M:%S', moment), NOW % 1000, text)


def saved(seconds):
    return log_line(seconds, 'DB saved on disk')


def empty_dump(seconds):
    return dump(aux('ctime', str(NOW // 1000 + seconds)))


def resets():
    c = Cluster()
    node = add(c, Node(50, 'master'))
    alone(c, node)
    c.vars[node.id] = 'vars currentEpoch 6 lastVoteEpoch 0'
    found = check('CLUSTER RESET SOFT, nobody told', c, ['reset-not-forgotten'])
    same((one(found, 'reset-not-forgotten')['certainty'], one(found, 'reset-not-forgotten')['node']), ('proved', node.ip + ':6379'), 'reset')
    same(len(one(found, 'reset-not-forgotten')['evidence']), 7, 'its own line, and each that lists it')
    c.vars[node.id] = 'vars currentEpoch 0 lastVoteEpoch 0'
    found = one(check('a file from before the node joined', c, ['reset-not-forgotten']), 'reset-not-forgotten')
    same((found['certainty'], found['severity']), ('probable', 'warning'), 'a file that may be older than the joining')


def keys_of(*slots):
    """A key of each slot."""
    from_slot = {}
    number = 0
    while len(from_slot) < len(slots):
        name = 'k%d' % number
        slot = key_slot(name)
        if slot in slots and slot not in from_slot:
            from_slot[slot] = name
        number += 1
    return [key(0, name, string('v')) for name in from_slot.values()]


def write_alone(folder, node, slots, records, log=''):
    place = os.path.join(folder, node.ip, str(node.port))
    os.makedirs(place)
    with open(place + '/nodes.conf', 'w') as file:
        file.write('%s %s:%d@%d myself,master - 0 0 0 connected %s\nvars currentEpoch 0 lastVoteEpoch 0\n' %
                   (node.id, node.ip, node.port, node.port + 10000, slots))
    with open(place + '/dump.rdb', 'wb') as file:
        file.write(dump(*records))
    if log:
        with open(place + '/redis.log', 'w') as file:
            file.write(log)


def identities():
    new = Node(70, 'master')
    for what, slots, keyed, log, expected in (
            ('took the slots of its keys', '3 700 9001', (3, 700, 9001), '', 'probable'),
            ('with both ids in its log', '3 700 9001', (3, 700, 9001), "1:M 22 Nov 2026 15:00:00.000 * Node configuration loaded, I'm %s\n"
             "1:M 22 Nov 2026 15:00:01.000 * No cluster configuration found, I'm %s\n" % ('ab' * 20, new.id), 'proved'),
            ('a slot without keys: assigned by hand', '3 700 9001-9002', (3, 700, 9001), '', None),
            ('keys without a slot', '3 700', (3, 700, 9001), '', None)):
        with tempfile.TemporaryDirectory() as folder:
            write_alone(folder, new, slots, keys_of(*keyed), log)
            found = one(run_json('rcf-check', '--json', folder)[1]['findings'], 'identity-lost')
            same(found.get('certainty'), expected, what)
            if expected:
                same((found['slots'], found['keys']), ('3,700,9001', '3'), what)
            if expected == 'proved':
                expect('abababab' in found['summary'], 'the former id is named: %s' % found['summary'])
    c = Cluster()
    old = c.primaries[1]
    c.absent.add(old.id)
    new.ip = old.ip
    with tempfile.TemporaryDirectory() as folder:
        c.write(folder)
        write_alone(folder, new, '5461 6000', keys_of(5461, 6000))
        found = run_json('rcf-check', '--json', folder)[1]['findings']
        expect(old.id[:8] in one(found, 'identity-lost').get('summary', ''), 'the id that members list at its address')
        expect('address-conflict' in ids(found), 'members list another id at its address')


def other_clusters():
    def two(reused):
        a, b = Cluster(), Cluster(first=30, base_epoch=100)
        for mine, theirs in zip(a.nodes[:reused], b.nodes):
            mine.ip = theirs.ip
            a.absent.add(mine.id)
        return judge(a, b)

    found = [f for f in two(1) if f['finding'] == 'address-reused']
    same([(f['node'], f['severity'], f['certainty']) for f in found], [('10.0.0.30:6379', 'warning', 'probable')], 'an address of another cluster')
    same([f for f in two(4) if f['finding'] == 'address-reused'], [], 'separate networks with the same numbers')
    for epoch, leaked in ((102, True), (2, False), (110, False)):
        a, b = Cluster(), Cluster(first=30, base_epoch=100)
        ghost = Node(60, 'master', epoch=epoch)
        line = ghost.line(ip='', port=0, flags=['fail', 'noaddr'], link='disconnected').replace(':0@10000', ':0@0')
        a.extra = {v.id: [line] for v in a.nodes}
        a.epoch = 105
        found = [f for f in judge(a, b) if f['finding'] == 'epoch-leak']
        same([f['node_id'] for f in found], [ghost.id] if leaked else [], 'a ghost at epoch %d' % epoch)


def merges():
    def judge_history(older, newer):
        """`older` clusters are captures of the instances of `newer`, beside its files."""
        with tempfile.TemporaryDirectory() as folder:
            newer.write(folder)
            for cluster in older:
                for viewer in cluster.nodes:
                    place = os.path.join(folder, viewer.ip, str(viewer.port))
                    if os.path.isdir(place):
                        lines = [n.line(own=n is viewer, pong=NOW - 86400000, epoch=n.epoch % 100) for n in cluster.nodes]
                        with open(place + '/cluster-nodes.txt', 'w') as file:
                            file.write('\n'.join(lines) + '\n')
            return run_json('rcf-check', '--json', folder)[1]['findings']

    a, b = Cluster(), Cluster(first=30)
    merged = Cluster(base_epoch=200)
    for i, node in enumerate(b.primaries):
        merged.nodes.append(Node(30 + i, 'slave', merged.primaries[i], epoch=201 + i))
    merged.views = {node.id: {} for node in merged.nodes}
    found = judge_history([a, b], merged)
    same((one(found, 'clusters-merged').get('severity'), one(found, 'clusters-merged').get('certainty')), ('error', 'probable'), 'merged')
    moved = Cluster(base_epoch=200)
    moved.nodes.append(Node(30, 'slave', moved.primaries[0], epoch=201))
    moved.views = {node.id: {} for node in moved.nodes}
    same(one(judge_history([a, b], moved), 'clusters-merged'), {}, 'one node that changed over')
    same(one(judge_history([a], Cluster(base_epoch=200)), 'clusters-merged'), {}, 'an older view of the same cluster')


def epochs():
    c = Cluster()
    c.primaries[1].epoch = 2 + (1 << 40)
    c.epoch = c.primaries[1].epoch + 4
    found = one(check('a flipped bit', c, ['epoch-outlier']), 'epoch-outlier')
    same((found['node'], found['detail']), (c.primaries[1].ip + ':6379', 'without bit 40 it would be 2'), 'epoch-outlier')
    c = Cluster()
    c.epoch = 5000000
    found = one(check('a currentEpoch far ahead', c, ['epoch-outlier']), 'epoch-outlier')
    same((found['node'], found['detail']), (None, None), 'a currentEpoch is nobody\'s')
    c = Cluster()
    c.primaries[1].epoch, c.epoch = 900000, 900005
    check('many elections', c, [])
    for vote, fell in ((5, True), (0, False)):
        c = Cluster()
        viewer = c.nodes[0]
        lines = [n.line(own=n is viewer, pong=NOW - 5000) for n in c.nodes] + ['vars currentEpoch 6 lastVoteEpoch %d' % vote]
        c.files[viewer.id] = {'nodes.conf.1': ('\n'.join(lines) + '\n').encode()}
        found = judge(c)
        same('epoch-decreased' in ids(found), fell, 'lastVoteEpoch %d, then 0' % vote)


def logged(what, ends, expected, shutdown=()):
    """`ends`: for each primary the last state that its log has and how many seconds later it ends; None: no log."""
    c = Cluster()
    for node, end in zip(c.primaries, ends):
        if end is None:
            continue
        state, after = end
        text = saved(2) + log_line(3, 'Cluster state changed: ok')
        if state == 'fail':
            text += log_line(10, 'Cluster state changed: fail')
        text += log_line(after, 'User requested shutdown...' if node in [c.primaries[i] for i in shutdown] else 'DB saved on disk')
        if after == 4:
            text = saved(2) + log_line(3, 'Cluster state changed: ok')
        c.files[node.id] = {'redis.log': text.encode(), 'dump.rdb': empty_dump(after if after != 4 else 2)}
    found = check(what, c, expected)
    return one(found, 'no-quorum')


def quorum():
    lost = logged('two of three went silent', [('fail', 20), ('ok', 4), ('ok', 4)], ['no-quorum'])
    same((lost['certainty'], lost['severity']), ('probable', 'error'), 'no-quorum by logs')
    expect('2 of 3' in lost['summary'], lost['summary'])
    logged('one is cut off, the others go on', [('fail', 20), ('ok', 20), ('ok', 20)], [])
    logged('all were stopped in order', [('fail', 20), ('ok', 4), ('ok', 4)], [], shutdown=(0,))
    logged('nothing failed', [('ok', 20), ('ok', 20), ('ok', 20)], [])


resets()
identities()
other_clusters()
merges()
epochs()
quorum()
finish()
