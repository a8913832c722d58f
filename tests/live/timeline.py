"""Incidents played on live clusters, and what rcf-timeline tells of them from the files alone. Names of scenarios as arguments run only
those."""
import datetime
import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Cluster, Problem, expect, wait_for  # noqa: E402
from playing import main, tool  # noqa: E402

SLACK_MS = 1500


class Drill:
    """A cluster, what was done to it and when, and what is told of it."""

    def __init__(self, name):
        self.cluster = Cluster(name)
        self.cluster.create()
        self.cluster.fill(100)
        self.done = []

    def note(self, kind, summary, **fields):
        """From now on the story must have this: an episode that begins about now."""
        self.done.append((time.time() * 1000, kind, summary, fields))

    def tell(self):
        self.cluster.save_members()
        code, out, err = tool("rcf-timeline", "--format=jsonl", self.cluster.collect("case"))
        expect(f"rcf-timeline: exit code with {err!r}", code, 0)
        return [record for record in map(json.loads, out.splitlines()) if record["record"] == "episode"]

    def check(self, unwanted=()):
        episodes = self.tell()
        for at, kind, summary, fields in self.done:
            found = [e for e in episodes if e["kind"] == kind and re.search(summary, e["summary"])]
            near = [e for e in found if abs(milliseconds(e["time"]) - at) <= fields.get("within", SLACK_MS)]
            if not near:
                raise Problem(f"no {kind}: {summary} at that time; there is {[(e['time'], e['summary']) for e in found or episodes]}")
            for word, value in fields.items():
                if word != "within":
                    expect(f"{kind}: {summary}: {word}", near[0][word], value)
            if not all(place["file"] and place["line"] for place in near[0]["evidence"] if place["kind"] != "dump-written"):
                raise Problem(f"{kind}: {summary}: without file and line")
        for kind in unwanted:
            expect(f"{kind} that nobody played", [e["summary"] for e in episodes if e["kind"] == kind], [])
        return episodes


def milliseconds(text):
    moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp() * 1000


def freeze(server):
    pid = int(server.info("process_id"))
    os.kill(pid, signal.SIGSTOP)
    return pid


def asked_for():
    """Failovers that somebody asks for, with the primary's agreement and without anybody's."""
    drill = Drill("asked_for")
    primary, replica = drill.cluster.members[0], drill.cluster.members[3]
    for way, cause in ((), "CLUSTER FAILOVER on"), (("FORCE",), "CLUSTER FAILOVER FORCE"), (("TAKEOVER",), "CLUSTER FAILOVER TAKEOVER"):
        replica.call("CLUSTER", "FAILOVER", *way)
        drill.note("manual-failover", f"{re.escape(replica.name)} took over from {re.escape(primary.name)} as asked")
        wait_for("it took over", lambda: replica.info("role") == "master")
        drill.cluster.wait_agreed()
        primary, replica = replica, primary
    episodes = drill.check(unwanted=("failover", "outage", "reset", "slot-move"))
    causes = [e["cause"] for e in episodes if e["kind"] == "manual-failover"]
    expect("how they were asked for", [cause.split(" on ")[0] for cause in causes],
           ["CLUSTER FAILOVER", "CLUSTER FAILOVER FORCE", "CLUSTER FAILOVER TAKEOVER"])


def frozen():
    """A primary that stops answering and comes back; then too many of them, so that nobody can take over."""
    drill = Drill("frozen")
    primary, replica = drill.cluster.members[1], drill.cluster.members[4]
    pid = freeze(primary)
    wait_for("its replica took over", lambda: replica.info("role") == "master", 30)
    drill.note("failover", f"{re.escape(replica.name)} took over from {re.escape(primary.name)}", epoch=7, within=20000)
    drill.note("election", f"{re.escape(replica.name)} won the election for epoch 7")
    drill.note("outage", "slots 5461-10921 not served for", within=20000)
    drill.note("cluster-down", "the cluster was down as [45] instances saw it", within=3000)
    os.kill(pid, signal.SIGCONT)
    drill.cluster.wait_agreed()
    pids = [freeze(server) for server in drill.cluster.primaries()[:2]]
    drill.note("cluster-down", "the cluster was down as [34] instances saw it", within=6000)
    time.sleep(6)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    drill.cluster.wait_agreed()
    episodes = drill.check(unwanted=("reset", "manual-failover", "membership"))
    expect("failovers", len([e for e in episodes if e["kind"] == "failover"]), 1)


def came_and_went():
    """A node that is added, gets slots, gives them back, is removed, is reset, and comes back as another."""
    drill = Drill("came_and_went")
    cluster = drill.cluster
    node = cluster.server(0, cluster.ADDED)
    cluster.add(node)
    drill.note("membership", f"{re.escape(node.name)} joined the cluster", within=6000)
    cluster.move_slots(cluster.members[0], node, 50)
    drill.note("slot-move", f"{re.escape(node.name)} imported slot 0", epoch=7)
    cluster.move_slots(node, cluster.members[0], 50)
    drill.note("slot-move", f"{re.escape(cluster.members[0].name)} imported slot 0", epoch=8)
    old = node.id()
    cluster.members.remove(node)
    cluster.forget(old, cluster.members)
    expect("FLUSHALL", node.call("FLUSHALL"), "OK")
    expect("CLUSTER RESET", node.call("CLUSTER", "RESET", "HARD"), "OK")
    drill.note("membership", "was removed or forgotten", node_id=old, certainty="inferred", within=20000)
    drill.note("reset", f"{re.escape(node.name)} was reset hard", peer_id=old, certainty="stated")
    cluster.add(node)
    drill.check(unwanted=("failover", "manual-failover", "outage", "election", "shadow-replication"))


LONG = [frozen, came_and_went]
SHORT = [asked_for]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], LONG, SHORT))
