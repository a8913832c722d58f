"""Each rule of rcf-check on clusters made for it: a healthy one, then one thing changed at a time."""
import os
import tempfile

from made_cluster import NOW, Cluster, Node, check, ids, judge, one
from support import expect, finish, run, run_json, same


def healthy_and_transitional():
    check('healthy', Cluster(), [])
    same(judge(Cluster()), [], 'a healthy cluster gives nothing at all')
    c = Cluster()
    for i, viewer in enumerate(c.nodes):
        for node in c.nodes:
            if node is not viewer:
                c.see(viewer, node, pong=NOW - i * 1000)
    check('pongs differ', c, [])
    c = Cluster()
    c.vars[c.replicas[0].id] = 'vars currentEpoch 5 lastVoteEpoch 0'
    check('a currentEpoch that lags alone', c, [])
    c = Cluster()
    for r in c.replicas:
        c.see(r, r, epoch=0)
    check("a replica's own epoch", c, [])
    c = Cluster()
    for node in c.nodes:
        c.see(node, node, ip='')
    check('own address not known yet', c, [])
    c = Cluster()
    joined = Node(50, 'master')
    joined.pong = NOW + 5000
    c.nodes.append(joined)
    c.views[joined.id] = {}
    for viewer in c.nodes[1:-1]:
        c.forget(viewer, joined)
    found = check('just joined, saved by one member only', c, [])
    same(one(found, 'member-unsaved').get('severity'), 'info', 'just joined: member-unsaved')
    c = Cluster()
    joined = Node(50, 'master')
    c.nodes.append(joined)
    c.views[joined.id] = {}
    for viewer in c.nodes[:-1]:
        c.forget(viewer, joined)
    for node in c.nodes:
        c.see(joined, node, pong=NOW + 5000)
    found = check('just joined, saved by nobody', c, [])
    same(one(found, 'member-unsaved').get('node'), joined.ip + ':6379', 'joined and saved by nobody: member-unsaved')


def stale_member(epoch=5, vote=0):
    c = Cluster()
    removed = Node(50, 'master', epoch=epoch)
    c.nodes.append(removed)
    c.views[removed.id] = {}
    c.vars[removed.id] = 'vars currentEpoch 6 lastVoteEpoch %d' % vote
    for viewer in c.nodes[:-1]:
        c.forget(viewer, removed)
    return c, removed


def copies():
    """Where else an outsider's key is: by what it holds, not by the bytes that hold it."""
    def dump(ctime, *records):
        return b'REDIS0009\xfa\x05ctime\xc2' + ctime.to_bytes(4, 'little') + b'\xfe\x00' + b''.join(records) + b'\xff' + bytes(8)

    expiry = b'\xfc' + (4102444800000).to_bytes(8, 'little')
    table = b'\x02\x03foo\x02\x011\x012'  # slot 12182, the third primary's
    intset = b'\x0b\x03foo\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00%s\x00'
    cases = [('in another encoding', (intset % b'\x02',), 'keys_covered'), ('with another member', (intset % b'\x03',), 'keys_differ'),
             ('with an expiry', (expiry + intset % b'\x02',), 'keys_differ'), ('not there', (), 'keys_only_here')]
    for what, records, fate in cases:
        c, removed = stale_member()
        c.files = {removed.id: {'dump.rdb': dump(1700000000, table)}, c.primaries[2].id: {'dump.rdb': dump(1700000001, *records)}}
        with tempfile.TemporaryDirectory() as folder:
            c.write(folder)
            _, plan = run_json('rcf-plan', '--json', 'rejoin', '%s:%d' % (removed.ip, removed.port), folder)
            found = run_json('rcf-check', '--json', folder)[1]['findings']
        counts = {name: plan['destroys'][name] for name in ('keys_covered', 'keys_differ', 'keys_only_here')}
        same(counts, {**dict.fromkeys(counts, '0'), fate: '1'}, 'a key that its owner has %s: %s' % (what, plan['why']))
        same('keys-only-here' in ids(found), fate == 'keys_only_here', 'a key that its owner has %s' % what)


def membership():
    c, removed = stale_member()
    found = check('stale by its configEpoch', c, ['stale-self-membership'])
    same(one(found, 'stale-self-membership').get('certainty'), 'proved', 'stale by configEpoch')
    c, removed = stale_member(epoch=0, vote=4)
    same(one(check('stale by its vote', c, ['stale-self-membership']), 'stale-self-membership').get('certainty'), 'proved', 'stale by vote')
    c, removed = stale_member()
    c.absent.add(c.primaries[1].id)
    found = judge(c)
    stale = one(found, 'stale-self-membership')
    same(stale.get('certainty'), 'probable', 'a missing file makes it probable')
    expect(c.primaries[1].ip in stale.get('settles', ''), 'the missing member is named')
    c, removed = stale_member(epoch=99)
    same(one(judge(c), 'stale-self-membership').get('certainty'), None, 'an epoch above the members\' proves nothing')
    c, removed = stale_member()
    removed.slots = '0-10'
    c.see(removed, c.primaries[0], slots='11-5460')
    found = judge(c)
    same(one(found, 'stale-claim-wins').get('slots'), '0-10', 'stale-claim-wins')
    c, removed = stale_member(epoch=1)
    removed.slots = '5461-5470'
    c.see(removed, c.primaries[1], slots='5471-10922')
    expect('stale-claim-wins' not in ids(judge(c)), 'a claim that would lose is not stale-claim-wins')
    c, removed = stale_member()
    c.views[c.primaries[0].id][removed.id] = {}
    c.views[c.primaries[1].id][removed.id] = {}
    found = check('half-forgotten', c, ['half-forgotten'])
    expect('2 members still list it, 4 have forgotten it' in one(found, 'half-forgotten').get('summary', ''), 'half-forgotten: counts')
    c, removed = stale_member()
    removed.role, removed.primary, removed.epoch = 'slave', c.primaries[0], 1
    c.vars[removed.id] = 'vars currentEpoch 6 lastVoteEpoch 3'
    check('a removed replica', c, ['shadow-replica', 'stale-self-membership'])


def joined(silent_pong=NOW, births=()):
    """A node with epoch 0 that the first member lists and the others do not; `births` are its pongs there."""
    c = Cluster()
    node = Node(50, 'master')
    c.nodes.append(node)
    c.views[node.id] = {}
    for viewer in c.nodes[1:-1]:
        c.forget(viewer, node)
        for other in c.nodes:
            if other is not node:
                c.see(viewer, other, pong=silent_pong)
    c.see(c.nodes[0], node, pong=NOW)
    return c, node


def what_silence_is_worth():
    c, node = joined(silent_pong=NOW + 3000)
    check('a clock that is three seconds ahead on other hosts proves nothing', c, [])
    c, node = joined(silent_pong=NOW + 300000)
    found = check('five minutes are no difference of clocks', c, ['half-forgotten'])
    same(one(found, 'half-forgotten').get('severity'), 'warning', 'half-forgotten without proof of membership')
    # A line that was torn out of one file is no forgetting, and no plan rests on it.
    with tempfile.TemporaryDirectory() as folder:
        c = Cluster()
        c.write(folder)
        path = os.path.join(folder, c.primaries[1].ip, '6379', 'nodes.conf')
        with open(path) as file:
            lines = file.read().splitlines(True)
        victim = c.replicas[0]
        with open(path, 'w') as file:
            file.write(''.join(line[:60] + '\n' if line.startswith(victim.id) else line for line in lines))
        _, document = run_json('rcf-check', '--json', folder)
        words = ids(document.get('findings', []))
        expect('half-forgotten' not in words and 'nodesconf-corrupt' in words, 'a torn line: %r' % words)
    with tempfile.TemporaryDirectory() as folder:
        c, removed = stale_member()
        c.write(folder)
        path = os.path.join(folder, c.primaries[1].ip, '6379', 'nodes.conf')
        with open(path) as file:
            text = file.read()
        with open(path, 'w') as file:
            file.write(text[:text.rindex('vars')])
        _, document = run_json('rcf-check', '--json', folder)
        same(one(document.get('findings', []), 'stale-self-membership').get('certainty'), 'probable', 'a damaged view proves nothing')
        code, _, err = run('rcf-plan', 'rejoin', removed.ip + ':6379', folder)
        expect(code == 1 and 'damaged' in err, 'no plan rests on a damaged view: %d %s' % (code, err))
    with tempfile.TemporaryDirectory() as folder:
        c, removed = stale_member()
        c.absent = {node.id for node in c.nodes[:-1]}
        c.write(folder)
        code, out, err = run('rcf-plan', 'rejoin', removed.ip + ':6379', folder)
        expect(code == 1 and not out, 'its own file alone makes no plan: %d %s' % (code, out))


def identity():
    c = Cluster()
    ghost = Node(60, 'master')
    c.extra = {v.id: [ghost.line(ip='', port=0, flags=['fail', 'noaddr'], link='disconnected').replace(':0@10000', ':0@0')] for v in c.nodes}
    check('noaddr', c, ['noaddr-member'])
    c = Cluster()
    other = Node(61, 'master')
    c.extra = {v.id: [other.line(ip=c.primaries[0].ip)] for v in c.nodes}
    expect('address-conflict' in ids(judge(c)), 'two ids at one address')
    c = Cluster()
    c.see(c.nodes[0], c.primaries[2], ip='10.9.9.9')
    check('one view with another address', c, ['address-mismatch'])
    c = Cluster()
    c.see(c.nodes[0], c.primaries[2], ip='2001:db8::9')
    for viewer in c.nodes[1:]:
        c.see(viewer, c.primaries[2], ip='2001:0db8:0::0009')
    check('two spellings of one IPv6 address', c, [])
    c = Cluster()
    c.everyone_sees(c.replicas[0], flags=['fail'], pong=NOW - 20000, link='disconnected')
    c.see(c.replicas[0], c.primaries[0], pong=NOW - 20000)
    expect('failed-member' in ids(judge(c)), 'failed')
    c = Cluster()
    c.see(c.nodes[1], c.replicas[0], flags=['fail'], pong=NOW - 60000)
    for node in c.nodes:
        if node is not c.replicas[0]:
            c.see(c.nodes[1], node, pong=NOW - 50000)
    check('a FAIL that later pongs refute', c, [])
    a, b = Cluster(), Cluster()
    with tempfile.TemporaryDirectory() as folder:
        a.write(folder)
        place = os.path.join(folder, '10.0.7.7', '6379')
        os.makedirs(place)
        with open(os.path.join(place, 'nodes.conf'), 'w') as file:
            lines = [n.line(own=n is b.replicas[0], **({'ip': '10.0.7.7'} if n is b.replicas[0] else {})) for n in b.nodes]
            file.write('\n'.join(lines) + '\nvars currentEpoch 6 lastVoteEpoch 0\n')
        _, document = run_json('rcf-check', '--json', folder)
        expect('duplicate-node-id' in ids(document.get('findings', [])), 'a cloned id')


def slots_and_epochs():
    c = Cluster()
    c.primaries[0].slots = '0-5400'
    found = check('uncovered in every view', c, ['slot-uncovered'])
    same(one(found, 'slot-uncovered').get('slots'), '5401-5460', 'uncovered slots')
    c = Cluster()
    c.see(c.primaries[0], c.primaries[0], slots='0-5400')
    found = judge(c)
    same(one(found, 'slot-uncovered').get('slots'), '5401-5460', "an owner's own file overrides its peers")
    c = Cluster()
    c.everyone_sees(c.primaries[1], flags=['fail'], pong=NOW - 20000, link='disconnected')
    c.absent.add(c.primaries[1].id)
    found = judge(c)
    same(one(found, 'slot-unserved').get('slots'), '5461-10922', 'unserved')
    expect('replica-of-unknown' in ids(found), 'its replica has nobody to follow')
    c = Cluster()
    c.see(c.primaries[0], c.primaries[0], slots='0-5461')
    found = judge(c)
    expect({'slot-conflict'} <= set(ids(found)), 'two own files claim a slot')
    same(one(found, 'slot-conflict').get('slots'), '5461', 'slot-conflict: slots')
    expect(c.primaries[1].ip in one(found, 'slot-conflict').get('node', ''), 'the higher configEpoch wins')
    c = Cluster()
    c.see(c.replicas[2], c.primaries[0], slots='0-5461')
    c.see(c.replicas[2], c.primaries[1], slots='5462-10922')
    expect('slot-view-mismatch' in ids(judge(c)) or 'stale-view' in ids(judge(c)), 'a view that names another owner')
    c = Cluster()
    c.everyone_sees(c.primaries[2], own=True, epoch=2)
    for r in (c.replicas[2],):
        c.everyone_sees(r, own=True, epoch=2)
    check('epoch collision', c, ['epoch-collision'])
    c = Cluster()
    c.primaries[0].epoch = 9
    c.epoch = 9
    c.see(c.primaries[1], c.primaries[0], epoch=1)
    check('a view that is behind', c, ['stale-view'])
    for marks, expected in (('[5->-%s]', 1), ('[5-<-%s]', 1)):
        c = Cluster()
        viewer, peer = (c.primaries[0], c.primaries[1]) if '->-' in marks else (c.primaries[1], c.primaries[0])
        c.see(viewer, viewer, slots=viewer.slots + ' ' + marks % peer.id)
        found = check('one-sided mark ' + marks, c, ['slot-open'])
        same(one(found, 'slot-open').get('slots'), '5', 'slot-open: slots')
        # What a primary saved for its replica says the same; that of another slot or direction does not.
        states = ('5>%s,' if '->-' in marks else '5<%s,') % peer.id
        for written, shown in ((states, 1), ('15' + states[1:], 0), ('4>%s,' % viewer.id + states, 1)):
            replica = next(node for node in c.replicas if node.primary is viewer)
            c.files[replica.id] = {'dump.rdb': b'VALKEY080\xfa\x13cluster-slot-states' + bytes([0x40] * (len(written) > 63) + [len(written)]) + written.encode() +
                                               b'\xff' + bytes(8)}
            found = check('one-sided mark ' + marks + ' with a dump', c, ['slot-open'])
            same(sum(e['file'].endswith('.rdb') for e in one(found, 'slot-open')['evidence']), shown, 'slot-open: dumps shown')
    c = Cluster()
    for n, primary in enumerate(c.primaries[:2]):
        c.everyone_sees(primary, flags=['fail'], pong=NOW - 20000, link='disconnected')
        c.absent.add(primary.id)
    expect('no-quorum' in ids(judge(c)), 'a majority of primaries failed')


def replicas_and_hosts():
    c = Cluster()
    c.nodes.remove(c.replicas[0])
    check('a primary without replica', c, ['host-loss-uncovers-slots', 'primary-without-replica'])
    c = Cluster()
    for r in c.replicas:
        c.nodes.remove(r)
    found = judge(c)
    same((ids(found), [f['severity'] for f in found if f['finding'] == 'primary-without-replica']), ([], ['info']), 'no replicas at all')
    c = Cluster()
    c.replicas[1].primary = c.replicas[0]
    expect('replica-of-replica' in ids(judge(c)), 'a chain')
    c = Cluster()
    c.replicas[1].primary = Node(99, 'master')
    expect('replica-of-unknown' in ids(judge(c)), 'a primary that nobody lists')
    c = Cluster()
    c.replicas[0].aux = ',,tls-port=0,shard-id=' + 'a' * 40
    c.primaries[0].aux = ',,tls-port=0,shard-id=' + 'b' * 40
    expect('shard-id-mismatch' in ids(judge(c)), 'shard ids differ')
    c.replicas[0].aux = c.primaries[0].aux
    check('shard ids agree', c, [])
    c = Cluster()
    with tempfile.NamedTemporaryFile('w', suffix='.csv') as hosts:
        hosts.write('address,host\n')
        for node in c.nodes:
            hosts.write('%s,%s\n' % (node.ip, 'rack1' if node in c.primaries[:2] + c.replicas[:1] else 'rack-' + node.ip))
        hosts.flush()
        found = judge(c, options=('--hosts', hosts.name))
        same(ids(found), ['host-holds-majority', 'host-loss-uncovers-slots', 'replica-on-primary-host'], '--hosts')
        same(one(found, 'host-loss-uncovers-slots').get('slots'), '0-5460', '--hosts: slots')
        expect('--hosts' in one(found, 'host-holds-majority').get('rule', ''), 'the finding says where hosts come from')


def several():
    a, b = Cluster(), Cluster(first=30, base_epoch=100)
    found = judge(a, b)
    same(ids(found), [], 'two clusters: each is judged by itself')
    same(one(found, 'separate-clusters').get('severity'), 'info', 'separate-clusters')
    c = Cluster()
    for node in c.nodes[1:]:
        c.absent.add(node.id)
    for f in judge(c):
        expect(f['severity'] == 'info' or f['finding'] not in ('stale-self-membership', 'half-forgotten'), 'one file alone: %s' % f['finding'])


def damaged_files():
    header = b'REDIS0009\xfa\x09redis-ver\x065.0.14'
    body = b'\xfe\x00\x00\x03foo\x03bar'

    def dump(cluster, data):
        cluster.files[cluster.primaries[2].id] = {'dump.rdb': data}
        return cluster

    check('a dump without checksum', dump(Cluster(), header + body + b'\xff' + bytes(8)), [])
    check('a wrong checksum', dump(Cluster(), header + body + b'\xff' + b'12345678'), ['dump-checksum-mismatch'])
    check('a cut dump', dump(Cluster(), header + body), ['dump-truncated'])
    check('an unknown type', dump(Cluster(), header + b'\xfe\x00\x4d\x03foo\x03bar\xff' + bytes(8)), ['dump-unsupported'])
    check('a dump of a newer version', dump(Cluster(), b'REDIS0016' + header[9:] + body + b'\xff' + bytes(8)), ['dump-unsupported'])
    check('a dump of another magic', dump(Cluster(), b'REDIS0080' + header[9:] + body + b'\xff' + bytes(8)), ['dump-unsupported'])
    capture = b'$EOF:' + b'0123456789' * 4 + b'\r\n' + header + body + b'\xff' + bytes(8)
    cluster = Cluster()
    cluster.files[cluster.primaries[2].id] = {'dump.rdb': header + body + b'\xff' + bytes(8), 'sync.rdb': capture + b'0123456789' * 4}
    check('a captured stream beside a dump', cluster, [])
    cluster = Cluster()
    cluster.files[cluster.primaries[2].id] = {'dump.rdb': header + body + b'\xff' + bytes(8), 'sync.rdb': capture[:-9]}
    check('a captured stream that is cut', cluster, ['dump-truncated'])
    check('a dump of 0 bytes', dump(Cluster(), b''), ['dump-truncated'])
    check('keys in db 3', dump(Cluster(), header + b'\xfe\x03\x00\x03foo\x03bar\xff' + bytes(8)), ['keys-in-nonzero-db'])
    found = check('keys of a foreign slot', dump(Cluster(), header + b'\xfe\x00\x00\x03hello\x03bar'.replace(b'\x03hello', b'\x05hello') + b'\xff' + bytes(8)),
                  ['keys-in-foreign-slot'])
    same(one(found, 'keys-in-foreign-slot').get('slots'), '866', 'hello lives in slot 866')


healthy_and_transitional()
copies()
membership()
what_silence_is_worth()
identity()
slots_and_epochs()
replicas_and_hosts()
several()
damaged_files()
finish()
