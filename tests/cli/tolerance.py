"""rcf-topology on what a loss would cost: every host, zone, instance and pair weighed a second time, from the other tables."""
import glob
import itertools
import os
import tempfile
import time

from made_cluster import Cluster, Node
from support import BUILD, expect, finish, run, run_json, same

CASES = sorted(glob.glob('fixtures/story-*/*') + glob.glob('fixtures/incidents-redis-7.0.15/*'))


def ranges(slots):
    """A set of slots as the tables write it, or None."""
    words = []
    for slot in sorted(slots):
        if words and words[-1][1] == slot - 1:
            words[-1][1] = slot
        else:
            words.append([slot, slot])
    return ' '.join(str(a) if a == b else '%d-%d' % (a, b) for a, b in words) or None


def read_ranges(text):
    slots = set()
    for word in (text or '').split():
        first, _, last = word.partition('-')
        slots.update(range(int(first), int(last or first) + 1))
    return slots


class Weighing:
    """The rules of tools/cluster/tolerance.h, slot by slot."""

    def __init__(self, document, number, full=True, kept_back=()):
        members = [n for n in document['nodes'] if n['cluster'] == number and n['standing'] == 'member']
        self.node = {n['address']: n for n in members}
        self.slots = {n['address']: read_ranges(n['slots']) for n in members if n['slots']}
        name_of = {n['node_id']: n['address'] for n in members}
        self.copies = {p: [n['address'] for n in members if n['role'] == 'replica' and not n['slots'] and not n['failed'] and
                           name_of.get(n['primary_id']) == p] for p in self.slots}
        self.failed = {n['address'] for n in members if n['failed']}
        self.needed = len(self.slots) // 2 + 1
        self.voters = {p for p in self.slots if p not in self.failed}
        self.unserved = 16384 - sum(len(s) for p, s in self.slots.items() if p not in self.failed)
        self.full, self.kept_back = full, set(kept_back)

    def lose(self, lost):
        lost = set(lost)
        majority = len(self.voters - lost) >= self.needed
        fates = {}
        for primary in self.slots:
            left = [c for c in self.copies[primary] if c not in lost]
            if primary in self.failed:
                if self.copies[primary] and not left:
                    fates[primary] = 'lost'
            elif primary in lost:
                able = [c for c in left if c not in self.kept_back]
                fates[primary] = 'lost' if not left else 'no-candidate' if not able else 'taken-over' if majority else 'no-majority'
        sums = {fate: set().union(*(self.slots[p] for p in fates if fates[p] == fate)) for fate in
                ('taken-over', 'no-candidate', 'no-majority', 'lost')}
        unserved = self.unserved + sum(len(self.slots[p]) for p in fates if fates[p] != 'taken-over' and p not in self.failed)
        service = 'down' if not majority or (unserved and self.full) else 'partial' if unserved else 'whole'
        return majority, sums, service, fates

    def harm(self, lost):
        majority, sums, _, _ = self.lose(lost)
        stuck = len(sums['no-candidate'] | sums['no-majority'])
        return (len(sums['lost']) + stuck, not majority and len(self.voters) >= self.needed)


def row_facts(row):
    return (row['voting_left'], row['majority'], row['service'], row['stuck'], row['stuck_slots'], row['lost_count'], row['lost_slots'])


def facts(weighing, lost):
    majority, sums, service, _ = weighing.lose(lost)
    stuck = sums['no-candidate'] | sums['no-majority']
    return (len(weighing.voters - set(lost)), majority, service, len(stuck), ranges(stuck), len(sums['lost']), ranges(sums['lost']))


def compare(what, document, number=0, zones=None, **rules):
    weighing = Weighing(document, number, **rules)
    groups = {}
    for name, node in weighing.node.items():
        groups.setdefault(('host', node['host']), []).append(name)
        if zones:
            groups.setdefault(('zone', zones[node['host']]), []).append(name)
    rows = [r for r in document['tolerance'] if r['cluster'] == number]
    same([(r['kind'], r['lost']) for r in rows], sorted(groups), '%s: every host and zone' % what)
    for row in rows:
        lost = groups[row['kind'], row['lost']]
        same(row_facts(row), facts(weighing, lost), '%s: loss of %s' % (what, row['lost']))
        _, sums, _, fates = weighing.lose(lost)
        same(row['taken_over'], len(sums['taken-over']), '%s: taken over without %s' % (what, row['lost']))
        told = {r['primary_address']: r['fate'] for r in document['takeovers'] if r['cluster'] == number and (r['kind'], r['lost']) == (row['kind'], row['lost'])}
        same(told, fates, '%s: fates without %s' % (what, row['lost']))
        same(len(row['heirs']), sum(fate == 'taken-over' for fate in fates.values()), '%s: heirs without %s' % (what, row['lost']))
        for heirs in row['heirs']:
            expect(not set(heirs.split('|')) & set(lost), '%s: %s takes over although it is lost' % (what, heirs))
    listed, harmful = {}, 0
    for row in document['pairs']:
        if row['cluster'] == number:
            listed[tuple(filter(None, (row['first'], row['second'])))] = row
    alone = {name: weighing.harm([name]) for name in weighing.node}
    expected = {(name,) for name in alone if any(alone[name])}
    for a, b in itertools.combinations(weighing.node, 2):
        slots, majority = weighing.harm((a, b))
        harmful += bool(slots or majority)
        if slots > alone[a][0] + alone[b][0] or (majority and not alone[a][1] and not alone[b][1]):
            expected.add((a, b))
    same(sorted(tuple(sorted(p)) for p in listed), sorted(tuple(sorted(p)) for p in expected), '%s: pairs' % what)
    for lost, row in listed.items():
        same(row_facts(row), facts(weighing, lost), '%s: loss of %s' % (what, ' and '.join(lost)))
    totals = [t for t in document['totals'] if t['cluster'] == number][0]
    same((totals['pairs'], totals['pairs_harmful']), (str(len(weighing.node) * (len(weighing.node) - 1) // 2), str(harmful)), '%s: totals' % what)
    same((totals['voting_now'], totals['votes_needed'], totals['groups']), (len(weighing.voters), weighing.needed, len(rows)), '%s: totals' % what)
    same(totals['groups_harmful'], sum(bool(any(weighing.harm(groups[r['kind'], r['lost']]))) for r in rows), '%s: harmful groups' % what)


def topology(cluster, *options, confs=None, hosts=None):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(folder + '/case')
        cluster.write(folder + '/case')
        for node, text in (confs or {}).items():
            with open(os.path.join(folder, 'case', node.ip, str(node.port), 'redis.conf'), 'w') as file:
                file.write('port %d\ncluster-enabled yes\n%s' % (node.port, text))
        if hosts:
            with open(folder + '/hosts.csv', 'w') as file:
                file.write('address,host,zone\n' + ''.join('%s,%s,%s\n' % row for row in hosts))
            options += ('--hosts', folder + '/hosts.csv')
        return run_json('rcf-topology', '--json', *options, folder + '/case')[1]


def takeover(document, primary):
    return [r for r in document['takeovers'] if r['primary_address'] == '%s:%d' % (primary.ip, primary.port) and r['kind'] == 'host'][0]


def name(node):
    return '%s:%d' % (node.ip, node.port)


def second_replica():
    c = Cluster()
    extra = Node(20, 'slave', c.primaries[0], epoch=1)
    c.nodes.append(extra)
    c.replicas.append(extra)
    c.views[extra.id] = {}
    return c, extra


def dump(repl_id, offset):
    return (b'REDIS0009\xfa\x07repl-id\x28' + repl_id.encode() + b'\xfa\x0brepl-offset' + bytes([len(str(offset))]) + str(offset).encode() +
            b'\xff' + bytes(8))


def made():
    compare('healthy', topology(Cluster()))
    c = Cluster()
    compare('kept back', topology(c, confs={c.replicas[0]: 'cluster-slave-no-failover yes\n', c.primaries[0]: ''}), kept_back=[name(c.replicas[0])])
    c = Cluster()
    compare('no full coverage', topology(c, confs={n: 'cluster-require-full-coverage no\n' for n in c.nodes}), full=False)
    c = Cluster()
    c.everyone_sees(c.primaries[1], flags=['fail'], link='disconnected', pong=1)
    c.absent.add(c.primaries[1].id)
    compare('a failed primary', topology(c))
    c.everyone_sees(c.primaries[2], flags=['fail'], link='disconnected', pong=1)
    c.absent.add(c.primaries[2].id)
    compare('no majority already', topology(c))
    c = Cluster()
    zones = {'r%d' % i: 'z%d' % (i % 2) for i in range(3)}
    compare('zones', topology(c, hosts=[(n.ip, 'r%d' % (i % 3), zones['r%d' % (i % 3)]) for i, n in enumerate(c.nodes)]), zones=zones)


def heirs():
    c, extra = second_replica()
    row = takeover(topology(c), c.primaries[0])
    same((row['heir'], sorted(row['candidates']), row['offsets']), ('open', sorted([name(c.replicas[0]), name(extra)]), ['-', '-']), 'two candidates')
    for offsets, ids, expected in (((5, 7), 'aa', 'offset'), ((7, 7), 'aa', 'open'), ((5, 7), 'ab', 'open')):
        c, extra = second_replica()
        for node, offset, letter in zip((c.replicas[0], extra), offsets, ids):
            c.files[node.id] = {'dump.rdb': dump(letter * 40, offset)}
        row = takeover(topology(c), c.primaries[0])
        same(row['heir'], expected, 'offsets %r of %r' % (offsets, ids))
        if expected == 'offset':
            same((row['candidates'][0], row['offsets']), (name(extra), ['7', '5']), 'the candidate that is ahead')
    c, extra = second_replica()
    row = takeover(topology(c, confs={extra: 'replica-priority 0\n'}), c.primaries[0])
    same(len(row['candidates']), 2, 'replica-priority is for Sentinel')
    row = takeover(topology(c, confs={extra: 'cluster-replica-no-failover yes\n'}), c.primaries[0])
    same((row['heir'], row['candidates']), ('only', [name(c.replicas[0])]), 'one of two is kept back')


def many():
    """Two thousand members: two million pairs."""
    c = Cluster()
    c.nodes = []
    for i in range(1000):
        primary = Node(100 + i, 'master', slots='%d-%d' % (i * 16384 // 1000, (i + 1) * 16384 // 1000 - 1), epoch=i + 1)
        c.nodes += [primary, Node(2000 + i, 'slave', primary, epoch=i + 1)]
    c.views = {node.id: {} for node in c.nodes}
    c.absent = {node.id for node in c.nodes[3:]}
    with tempfile.TemporaryDirectory() as folder:
        c.write(folder)
        before = time.process_time(), os.times().children_user
        _, table, _ = run('rcf-topology', '--csv', '--table=pairs', folder)
        spent = os.times().children_user - before[1]
        same(len(table.splitlines()), 1001, 'a pair of each shard')
        expect(spent < (60 if 'sanitize' in BUILD else 10), '2,000 members took %.1f s' % spent)
        _, text, _ = run('rcf-topology', '--table=totals', folder)
        expect('1,999,000' in text, 'all pairs were weighed: %s' % text)


for case in CASES:
    document = run_json('rcf-topology', '--json', case)[1]
    for cluster in document.get('clusters', []):
        compare(case, document, cluster['cluster'])
made()
heirs()
many()
finish()
