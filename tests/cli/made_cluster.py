"""Module: clusters made for a test: nodes, what each view says of them, written out as the files of a case; and what
rcf-check finds in it."""
import os
import tempfile

from support import run_json, same

NOW = 1795359145000


class Node:
    def __init__(self, number, role, primary=None, slots='', epoch=0):
        self.id = '%040x' % (number * 0x1234567 + 0xabc)
        self.ip, self.port = '10.0.%d.%d' % (number // 100, number % 100), 6379
        self.role, self.primary, self.slots, self.epoch = role, primary, slots, epoch
        self.flags, self.aux, self.pong, self.own_slots = [], '', NOW, None

    def line(self, own=False, **change):
        value = dict(ip=self.ip, port=self.port, role=self.role, flags=list(self.flags), epoch=self.epoch, slots=self.slots,
                     primary=self.primary.id if self.primary else '-', pong=self.pong, aux=self.aux, link='connected')
        value.update(change)
        flags = (['myself'] if own else []) + [value['role']] + value['flags']
        return '%s %s:%d@%d%s %s %s 0 %d %d %s %s' % (self.id, value['ip'], value['port'], value['port'] + 10000, value['aux'],
                                                     ','.join(flags), value['primary'], value['pong'], value['epoch'], value['link'],
                                                     value['slots'])


class Cluster:
    """Three primaries and their replicas, each on a host of its own; views are written from what `lines` says."""

    def __init__(self, first=1, base_epoch=0):
        self.primaries = [Node(first + i, 'master', slots=s, epoch=base_epoch + i + 1) for i, s in enumerate(('0-5460', '5461-10922', '10923-16383'))]
        self.replicas = [Node(first + 10 + i, 'slave', self.primaries[i], epoch=base_epoch + i + 1) for i in range(3)]
        self.nodes = self.primaries + self.replicas
        self.epoch, self.votes = base_epoch + 6, 0
        self.views = {node.id: {} for node in self.nodes}  # id -> {id: changes or None (not listed)}
        self.vars = {}
        self.absent, self.extra, self.files = set(), {}, {}

    def see(self, viewer, node, **change):
        self.views[viewer.id][node.id] = change
        return self

    def everyone_sees(self, node, own=False, **change):
        for viewer in self.nodes:
            if own or viewer is not node:
                self.see(viewer, node, **change)
        return self

    def forget(self, viewer, node):
        self.views[viewer.id][node.id] = None
        return self

    def write(self, folder):
        for viewer in self.nodes:
            if viewer.id in self.absent:
                continue
            lines = []
            for node in self.nodes:
                change = self.views[viewer.id].get(node.id, {})
                if change is not None:
                    lines.append(node.line(own=node is viewer, **change))
            lines += self.extra.get(viewer.id, [])
            lines.append(self.vars.get(viewer.id, 'vars currentEpoch %d lastVoteEpoch %d' % (self.epoch, self.votes)))
            place = os.path.join(folder, viewer.ip, str(viewer.port))
            os.makedirs(place, exist_ok=True)
            with open(os.path.join(place, 'nodes.conf'), 'w') as file:
                file.write('\n'.join(lines) + '\n')
            for name, data in self.files.get(viewer.id, {}).items():
                with open(os.path.join(place, name), 'wb') as file:
                    file.write(data)


def judge(*clusters, options=()):
    with tempfile.TemporaryDirectory() as folder:
        for cluster in clusters:
            cluster.write(folder)
        _, document = run_json('rcf-check', '--json', *options, folder)
        return document.get('findings', [])


def ids(found, severities=('error', 'warning')):
    return sorted({f['finding'] for f in found if f['severity'] in severities})


def check(what, cluster, expected, **more):
    found = judge(cluster, **more)
    same(ids(found), sorted(expected), what)
    return found


def one(found, finding):
    return next((f for f in found if f['finding'] == finding), {})
