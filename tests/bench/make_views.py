#!/usr/bin/python3
"""Writes nodes.conf files of one large cluster, the same bytes at every run.

    make_views.py FOLDER [--views 2000] [--nodes 2000] [--differ none|each]

FOLDER/hosts/IP/PORT/nodes.conf for each view, in the form of Valkey 8: half of the nodes are primaries that share the
slots, each of the others replicates one. Every file has its lines in another order and pongs of its own. With
--differ=each, view N also differs from all others in one thing about one node: its epoch, a flag, or its address.
"""
import argparse
import hashlib
import os
import random

SLOTS = 16384
PONG = 1795359145000


def node_id(number):
    return hashlib.sha1(b"node %d" % number).hexdigest()


def address(number):
    return "10.%d.%d.%d" % (number // 2 // 62500, number // 2 // 250 % 250, number // 2 % 250 + 1), 7000 + number % 2


class Node:
    def __init__(self, number, nodes):
        primaries = (nodes + 1) // 2
        self.ip, self.port = address(number)
        self.id = node_id(number)
        self.shard = node_id(number % primaries)[::-1]
        self.primary = None if number < primaries else node_id(number % primaries)
        self.epoch = number % primaries + 1
        first, last = number * SLOTS // primaries, (number + 1) * SLOTS // primaries - 1
        owns = not self.primary and first <= last
        self.slots = " %s" % (first if first == last else "%d-%d" % (first, last)) if owns else ""
        self.hostname = "cache-%04d.example.net" % number

    def line(self, pong, own=False, flag="", ip=None, epoch=None):
        return "%s %s:%d@%d,%s,tls-port=0,shard-id=%s %s%s%s %s 0 %d %d connected%s\n" % (
            self.id, ip or self.ip, self.port, self.port + 10000, self.hostname, self.shard,
            "myself," if own else "", "slave" if self.primary else "master", flag,
            self.primary or "-", pong, epoch or self.epoch, self.slots)


def oddity(view, nodes):
    """The one thing in which a view differs: the number of a node, and what is said of it."""
    subject = (view * 7 + 1) % len(nodes)
    kind = view % 3
    if kind == 0 and not nodes[subject].primary:
        return subject, {"epoch": 100000 + view}
    if kind == 1:
        return subject, {"flag": ",fail", }
    return subject, {"ip": "10.250.%d.%d" % (view // 250, view % 250 + 1)}


def write_view(folder, view, nodes, differ):
    order = list(range(len(nodes)))
    draw = random.Random(view)
    draw.shuffle(order)
    subject, said = oddity(view, nodes) if differ else (None, {})
    lines = []
    for number in order:
        pong = PONG + (number * 31 + view * 17) % 1000
        lines.append(nodes[number].line(pong, number == view, **(said if number == subject else {})))
    lines.append("vars currentEpoch %d lastVoteEpoch 0\n" % len(nodes))
    place = os.path.join(folder, "hosts", nodes[view].ip, str(nodes[view].port))
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(place, "nodes.conf"), "w") as file:
        file.write("".join(lines))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder")
    arguments.add_argument("--views", type=int, default=2000)
    arguments.add_argument("--nodes", type=int, default=2000)
    arguments.add_argument("--differ", choices=("none", "each"), default="none")
    options = arguments.parse_args()
    if not 1 <= options.views <= options.nodes:
        arguments.error("there are at most as many views as nodes")
    nodes = [Node(number, options.nodes) for number in range(options.nodes)]
    for view in range(options.views):
        write_view(options.folder, view, nodes, options.differ == "each")


main()
