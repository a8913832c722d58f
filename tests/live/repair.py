"""Plans of rcf-plan repair executed on live clusters: the findings that they answer are gone, none is new, and no key is
lost. Names of scenarios as arguments run only those."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Cluster, Problem, expect, key_slot, wait_for  # noqa: E402
from plans import Plan, nothing_left  # noqa: E402
from playing import errors_of, grown, lend_slots, main  # noqa: E402


def filled(name, **how):
    cluster = Cluster(name)
    cluster.create(**how)
    cluster.fill(2000)
    return cluster


def running(cluster):
    return [server for server in cluster.servers if server.process.poll() is None]


def save(servers):
    for server in servers:
        expect(f"SAVE on {server.name}", server.call("SAVE"), "OK")


def names(cluster):
    """Every key by name, wherever it is: slots that are open or uncovered cannot be read."""
    return sorted((key, server.name) for server in running(cluster) for key in server.keys())


def repair(cluster, data, expected, interrupt=(), remaining=(), options=()):
    """Evidence, plan, execution, and what must be true afterwards. `data`: every key before anything happened;
    `expected`: (finding, node) among the errors."""
    save(running(cluster))
    case = cluster.collect("before")
    found = errors_of(case)
    missing = [e for e in expected if e not in [(f, node) for f, _, node in found]]
    expect(f"errors that were not found, among {found}", missing, [])
    plan = Plan(cluster, case, "repair", *options, case)
    before = names(cluster)
    code, out = plan.run(DRY_RUN="1")
    expect(f"dry run: {out[-300:]!r}", code, 0)
    expect("keys that a dry run took or gave", sorted(set(names(cluster)) ^ set(before))[:5], [])
    for calls in interrupt:
        plan.interrupted(calls)
    plan.execute()
    cluster.wait_agreed(90)
    cluster.expect_data("keys of the cluster after the plan", data)
    cluster.save_members()
    case = cluster.collect("after")
    expect("errors after", [f for f in errors_of(case) if f[0] not in remaining], [])
    nothing_left("repair", case)


def slot_keys(server, slot):
    return server.call("CLUSTER", "GETKEYSINSLOT", slot, 1000)


def full_slot(cluster, owner, after=0):
    """A slot of the owner with at least two keys, above `after`."""
    first = cluster.members.index(owner) * 16384 // 3
    for slot in range(max(first, after + 1), first + 5461):
        if len(slot_keys(owner, slot)) >= 1:
            return slot
    raise Problem("no slot with keys")


def open_slots():
    """A slot half moved, one importing only, one migrating only."""
    cluster = filled("open_slots")
    a, b, c = cluster.members[:3]
    half = full_slot(cluster, a)
    tag = next(f"{{{n}}}" for n in range(1 << 20) if key_slot(str(n)) == half)
    for number in range(20):
        a.call("SET", f"{tag}:{number}", f"value {number}")
    data = cluster.data()
    expect("IMPORTING", b.call("CLUSTER", "SETSLOT", half, "IMPORTING", a.id()), "OK")
    expect("MIGRATING", a.call("CLUSTER", "SETSLOT", half, "MIGRATING", b.id()), "OK")
    moved = slot_keys(a, half)[:10]
    expect("MIGRATE", a.call("MIGRATE", b.ip, b.port, "", 0, 5000, "KEYS", *moved), "OK")
    lonely = full_slot(cluster, a, half)
    expect("IMPORTING only", b.call("CLUSTER", "SETSLOT", lonely, "IMPORTING", a.id()), "OK")
    leaving = full_slot(cluster, c)
    expect("MIGRATING only", c.call("CLUSTER", "SETSLOT", leaving, "MIGRATING", a.id()), "OK")
    repair(cluster, data, [("slot-open", a.name), ("slot-open", b.name), ("slot-open", c.name)], interrupt=(20, 30))


def uncovered():
    """Slots dropped by their owner, which still holds keys of them; another primary has one of these keys instead."""
    cluster = filled("uncovered")
    owner, other = cluster.members[2], cluster.members[0]
    slot = full_slot(cluster, owner)
    tag = next(f"{{{n}}}" for n in range(1 << 20) if key_slot(str(n)) == slot)
    for number in range(3):
        owner.call("SET", f"{tag}:{number}", f"value {number}")
    data = cluster.data()
    expect("IMPORTING", other.call("CLUSTER", "SETSLOT", slot, "IMPORTING", owner.id()), "OK")
    expect("MIGRATING", owner.call("CLUSTER", "SETSLOT", slot, "MIGRATING", other.id()), "OK")
    expect("MIGRATE", owner.call("MIGRATE", other.ip, other.port, f"{tag}:0", 0, 5000), "OK")
    for server in (owner, other):
        expect("STABLE", server.call("CLUSTER", "SETSLOT", slot, "STABLE"), "OK")
    expect("DELSLOTS", owner.call("CLUSTER", "DELSLOTS", *range(slot, slot + 10)), "OK")
    time.sleep(2)
    repair(cluster, data, [("slot-uncovered", owner.name)], interrupt=(27,))
    expect("keys of the slot", len(slot_keys(owner, slot)), 4)


def half_forgotten_dead():
    """A former voting primary, killed, and forgotten by some members only."""
    cluster, node = grown("half_forgotten_dead")
    lend_slots(cluster, node)
    old = node.id()
    cluster.save_members()
    expect("SAVE", node.call("SAVE"), "OK")
    node.kill()
    remove_by_id(cluster, node, old, cluster.members[1:4])
    time.sleep(5)
    repair(cluster, cluster.data(), [("half-forgotten", node.name)], options=["--target=down"])
    expect("members that list it", cluster.lists(old), [])


def remove_by_id(cluster, node, old, members):
    cluster.members.remove(node)
    cluster.forget(old, members)


def lost_quorum():
    """Two of three primaries killed together: no election can be won. They come back on their own files."""
    cluster = filled("lost_quorum")
    data = cluster.data()
    save(running(cluster))
    dead = cluster.members[:2]
    for server in dead:
        server.kill()
    wait_for("the third primary sees the cluster down",
             lambda: "cluster_state:fail" in cluster.members[2].call("CLUSTER", "INFO").decode())
    time.sleep(2)
    case = cluster.collect("before")
    for server in running(cluster):
        with open(os.path.join(case, "hosts", server.ip, str(server.port), "cluster_nodes.txt"), "wb") as file:
            file.write(server.call("CLUSTER", "NODES"))
    found = errors_of(case)
    expect("no-quorum among the errors", "no-quorum" in [f[0] for f in found], True)
    plan = Plan(cluster, case, "repair", case)
    starter = threading.Thread(target=lambda: [server.start() for server in dead], daemon=True)
    threading.Timer(5, starter.start).start()
    plan.execute(RCF_START_WAIT="60")
    cluster.wait_agreed(60)
    cluster.expect_data("keys", data)
    cluster.save_members()
    case = cluster.collect("after")
    expect("errors after", errors_of(case), [])
    nothing_left("repair", case)


def orphaned_replica():
    """Its primary was forgotten by all others and stopped; the replica still follows it."""
    cluster = filled("orphaned_replica")
    node = cluster.server(0, Cluster.ADDED)
    cluster.add(node)
    replica = cluster.members[4]
    expect("REPLICATE", replica.call("CLUSTER", "REPLICATE", node.id()), "OK")
    wait_for("it follows", lambda: replica.info("master_link_status") == "up")
    old = node.id()
    cluster.members.remove(node)
    cluster.forget(old, [server for server in cluster.members if server is not replica])
    node.shut_down()
    time.sleep(3)
    repair(cluster, cluster.data(), [("half-forgotten", node.name)], options=["--target=down"])


def crowded_host():
    """A replica has taken over: two of three primaries live on one host. It hands over again, in three goes."""
    cluster = filled("crowded_host")
    primary = cluster.members[2]
    replica = next(s for s in cluster.members[3:] if s.ip == cluster.members[0].ip)
    expect("whom it follows", replica.nodes()[replica.id()][3], primary.id())
    fail_over(replica, primary)
    cluster.wait_agreed()
    cluster.save_members()
    repair(cluster, cluster.data(), [("host-holds-majority", "")], interrupt=(14, 15))
    expect("role of the first primary", primary.info("role"), "master")


def fail_over(replica, primary):
    wait_for("it is in step", lambda: replica.info("master_link_status") == "up")
    expect("FAILOVER", replica.call("CLUSTER", "FAILOVER"), "OK")
    wait_for("it has taken over", lambda: replica.info("role") == "master" and primary.info("role") == "slave")
    wait_for("the other one follows", lambda: primary.info("master_link_status") == "up")


SCENARIOS = [open_slots, uncovered, half_forgotten_dead, lost_quorum, orphaned_replica, crowded_host]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], [], SCENARIOS))
