"""Plans of rcf-plan reshard and create executed on live servers: slots are where the plan said, and no key is lost.
Names of scenarios as arguments run only those."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Cluster, expect, wait_for  # noqa: E402
from plans import Plan, refused  # noqa: E402
from playing import errors_of, main  # noqa: E402


def filled(name):
    cluster = Cluster(name)
    cluster.create()
    cluster.fill(2000)
    return cluster


def slots_of(server):
    found = set()
    for token in server.nodes()[server.id()][8:]:
        if not token.startswith("["):
            first, _, last = token.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return found


def reshard(cluster, arguments, expected, interrupt=(), consequences=()):
    """Slots of each primary afterwards: {server: slots}. `consequences`: errors of layout that the order itself brings."""
    data = cluster.data()
    cluster.save_members()
    case = cluster.collect("before")
    plan = Plan(cluster, case, "reshard", *arguments, case)
    for calls in interrupt:
        plan.interrupted(calls)
    plan.execute()
    cluster.wait_agreed()
    for server, slots in expected.items():
        expect(f"slots of {server.name}", slots_of(server) == slots, True)
    cluster.expect_data("after the plan", data)
    cluster.save_members()
    expect("errors after", [found[0] for found in errors_of(cluster.collect("after"))], list(consequences))


def from_one():
    """Named slots, ended twice on the way and run again."""
    cluster = filled("from_one")
    a, b = cluster.members[:2]
    moving = set(range(100, 131)) | {5000}
    before = {server: slots_of(server) for server in (a, b)}
    reshard(cluster, ["--from", a.name, "--to", b.name, "--slots", "100-130,5000"],
            {a: before[a] - moving, b: before[b] | moving}, interrupt=(30, 75))


def from_all():
    """The number of slots that the tool would take from each, and the same ones."""
    cluster = filled("from_all")
    node = cluster.server(0, Cluster.ADDED)
    cluster.add(node)
    before = {server: slots_of(server) for server in cluster.members[:3]}
    order = sorted(cluster.members[:3], key=lambda server: -len(before[server]))
    total = sum(len(slots) for slots in before.values())
    expected, given = {}, set()
    for number, server in enumerate(order):
        share = 100 / total * len(before[server])
        take = sorted(before[server])[:int(-(-share // 1)) if number == 0 else int(share)]
        expected[server] = before[server] - set(take)
        given |= set(take)
    reshard(cluster, ["--from", "all", "--to", node.name, "--slots", "100"], {**expected, node: given},
            consequences=("host-holds-majority", "host-loss-uncovers-slots"))
    cluster.save_members()
    case = cluster.collect("refusals")
    refused("is a replica", "reshard", "--from", "all", "--to", cluster.members[3].name, "--slots", "1", case)


def create():
    """Six empty servers on three hosts become a cluster without a replica on its primary's host."""
    cluster = Cluster("create")
    servers = [cluster.server(host, offset) for host in range(3) for offset in (Cluster.PRIMARY, Cluster.REPLICA)]
    names = [server.name for server in servers]
    refused("at least 3", "create", "--replicas", "1", *names[:5])
    plan = Plan(cluster, None, "create", "--replicas", "1", *names)
    plan.execute()
    cluster.members = servers
    cluster.wait_agreed()
    wait_for("the replicas are in step", lambda: all(s.info("master_link_status") == "up" for s in servers if s.info("role") == "slave"))
    by_id = {server.id(): server for server in servers}
    for server in servers:
        words = server.nodes()[server.id()]
        if "slave" in words[2]:
            expect(f"host of the primary of {server.name}", by_id[words[3]].ip == server.ip, False)
    expect("slots", sum(len(slots_of(s)) for s in servers), 16384)
    case = cluster.collect("after")
    expect("errors after", errors_of(case), [])
    refused("is not empty", "create", "--replicas", "1", *names, "--case", case)


SCENARIOS = [from_one, from_all, create]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], [], SCENARIOS))
