"""Plans about membership executed on live clusters: empty nodes added, replicas moved, dead nodes taken out or brought back,
and plans that were interrupted. Names of scenarios as arguments run only those."""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Cluster, Problem, adopt, expect, key_slot, wait_for  # noqa: E402
from playing import Script, errors_of, grown, lend_slots, main, plan, remove  # noqa: E402


class Interrupted(Script):
    """The script with a kill behind one of its steps: as when the operator's terminal is lost there."""

    def interrupt_after(self, action):
        with open(self.path, encoding="utf-8") as file:
            whole = file.read()
        number = next(step["n"] for step in self.plan["steps"] if step["action"] == action)
        begin = whole.index(f"\nif step {number} ")
        end = whole.index("\nfi\n", begin)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(whole[:end] + "\n    kill -KILL $$" + whole[end:])
        code, out = self.run(RCF_ON_HOST="sh -c", RCF_YES=self.fingerprint)
        expect(f"interrupted after {action}: {out[-300:]!r}", code, -9)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(whole)


class Address:
    """A node that is only known by its address."""

    def __init__(self, name):
        self.name = name


def settled(name):
    cluster = Cluster(name)
    cluster.create()
    cluster.fill(500)
    return cluster


def nearly(data):
    """Expiries in seconds: MIGRATE sends the time that a key has left, so it moves by milliseconds."""
    return {key: (*value[:2], (value[2] + 500) // 1000) for key, value in data.items()}


def prove(cluster, data, case, before):
    """All keys are there, the members agree, and nothing is wrong that was not wrong before."""
    cluster.wait_agreed()
    expect("keys of the cluster", nearly(cluster.data()) == nearly(data), True)
    cluster.save_members()
    after = errors_of(cluster.collect(case))
    expect("errors after", [error for error in after if error not in before], [])


# ---------------------------------------------------------------- adding


def add_with_files():
    """An empty node whose files are in the case."""
    cluster = settled("add_with_files")
    node = cluster.server(0, Cluster.ADDED)
    data = cluster.data()
    cluster.save_members()
    case = cluster.collect("before")
    before = errors_of(case)
    script = Script(cluster, "add", node, case)
    script.stops("dry run", 0, "dry run: nothing was done", DRY_RUN="1")
    script.execute()
    cluster.members.append(node)
    prove(cluster, data, "after", before)
    code, out, err = plan("add", node, cluster.collect("again"))
    expect(f"the plan made again: {out} {err}", (code, out.startswith("Nothing to do")), (0, True))


def add_unseen():
    """A node of which the case holds nothing: while it holds keys or knows others, the live proof stops the script."""
    cluster = settled("add_unseen")
    data = cluster.data()
    cluster.save_members()
    case = cluster.collect("before")
    before = errors_of(case)
    node = cluster.server(0, Cluster.ADDED)
    script = Script(cluster, "add", node, case)
    expect("an assumption is said", any("no files of it" in line for line in script.plan["details"]), True)
    node.call("CLUSTER", "ADDSLOTS", 1)
    script.stops("slots", 1, "slots are assigned to it")
    node.call("CLUSTER", "DELSLOTS", 1)
    script.execute()
    cluster.members.append(node)
    prove(cluster, data, "after", before)


def add_refused():
    """Members, removed members and nodes with keys are no empty nodes."""
    cluster, node = grown("add_refused")
    lend_slots(cluster, node)
    cluster.save_members()
    code, out, err = plan("add", node, cluster.collect("member"))
    expect(f"a member: {out} {err}", (code, out.startswith("Nothing to do")), (0, True))
    remove(cluster, node)
    time.sleep(1)
    cluster.save_members()
    code, out, err = plan("add", node, cluster.collect("removed"))
    expect(f"a removed node: {out} {err}", (code, "is not empty. Either the node already knows other nodes" in err), (1, True))


# ---------------------------------------------------------------- replicating


def replicate(cluster, node, primary, what):
    data = cluster.data()
    cluster.save_members()
    case = cluster.collect(f"{what}_before")
    before = errors_of(case)
    script = Script(cluster, "replicate", node, case, others=[primary])
    script.stops("dry run", 0, "dry run: nothing was done", DRY_RUN="1")
    script.execute()
    wait_for("it holds what its primary holds", lambda: node.data() == primary.data())
    expect("its primary", node.nodes()[node.id()][3], primary.id())
    prove(cluster, data, f"{what}_after", before)
    code, out = script.run()
    expect(f"the script run again: exit code with {out[-300:]!r}", code, 0)
    code, out, err = plan("replicate", node, cluster.collect(f"{what}_again"), others=[primary])
    expect(f"the plan made again: {out} {err}", (code, out.startswith("Nothing to do")), (0, True))


def replicate_empty_primary():
    """A primary without slots becomes a replica; then it moves on to another primary. With slots it is refused."""
    cluster, node = grown("replicate_empty_primary")
    replicate(cluster, node, cluster.members[1], "primary")
    replicate(cluster, node, cluster.members[2], "replica")
    case = cluster.collect("refusals")
    for who, whom, words in ((cluster.members[0], cluster.members[1], "To set a master the node must be empty and without assigned slots."),
                             (node, node, "Can't replicate myself"), (node, cluster.members[4], "I can only replicate a master, not a"),
                             (node, Address("127.0.0.1:1"), "Unknown node")):
        code, out, err = plan("replicate", who, case, others=[whom])
        expect(f"{words}: {err}", (code, out, words in err), (1, "", True))


def replicate_out_of_step():
    """A replica whose link to its primary is down may hold what nobody else holds: the script stops before it is changed."""
    cluster, node = grown("replicate_out_of_step", replica=True)
    cluster.save_members()
    script = Script(cluster, "replicate", node, cluster.collect("before"), others=[cluster.members[2]])
    cluster.members[1].call("CONFIG", "SET", "requirepass", "secret")
    with cluster.members[1].connect() as connection:
        connection.call("AUTH", "secret")
        connection.call("CLIENT", "KILL", "TYPE", "replica")
        wait_for("its link is down", lambda: node.info("master_link_status") == "down")
        found, out = script.run()
        connection.call("CONFIG", "SET", "requirepass", "")
    expect(f"out of step: exit code with {out[-300:]!r}", found, 1)


# ---------------------------------------------------------------- dead nodes


def half_forgotten_dead(name, meanwhile=False):
    """Killed, with a dump of the time when it had keys (`meanwhile`) or of later, and forgotten by half of the members while it was down; the others list it on."""
    cluster, node = grown(name)
    lend_slots(cluster, node, meanwhile and (lambda: node.call("SAVE")))
    if not meanwhile:
        expect("SAVE", node.call("SAVE"), "OK")
    old = node.id()
    node.kill()
    time.sleep(6)
    cluster.members.remove(node)
    cluster.forget(old, cluster.members[1:4])
    time.sleep(3)
    expect("members that list it", cluster.lists(old), [cluster.members[i].name for i in (0, 4, 5)])
    data = cluster.data()
    cluster.save_members()
    return cluster, node, old, data


def dead_removed():
    cluster, node, old, data = half_forgotten_dead("dead_removed")
    for server in cluster.members:  # saves nodes.conf with the pongs of now
        server.call("CLUSTER", "SAVECONFIG")
    case = cluster.collect("before")
    before = errors_of(case)
    script = Script(cluster, "remove", node, case)
    expect("actions", [step["action"] for step in script.plan["steps"]][:5],
           ["verify-members", "verify-down", "verify-files", "keep-files", "cluster-forget"])
    script.guards()
    script.execute()
    expect("members that list it", cluster.lists(old), [])
    expect("nodes.conf", [os.path.exists(node.nodes_conf), os.path.exists(f"{node.nodes_conf}.rcf-removed-{script.fingerprint}")],
           [False, True])
    prove(cluster, data, "after", before)
    node.start()
    time.sleep(3)
    expect("nodes that the stranger knows", len(node.nodes()), 1)
    expect("members that list either id", cluster.lists(old) + cluster.lists(node.id()), [])


def dead_rejoined():
    cluster, node, old, data = half_forgotten_dead("dead_rejoined", meanwhile=True)
    for server in cluster.members:
        server.call("CLUSTER", "SAVECONFIG")
    case = cluster.collect("before")
    script = Script(cluster, "rejoin", node, case)
    script.guards()
    start = f"cd {node.directory} && /usr/bin/redis-server redis_{node.port}.conf --daemonize yes --pidfile {node.path('redis.pid')}"
    script.execute(RCF_START=start, RCF_START_WAIT="20")
    with open(node.path("redis.pid"), encoding="ascii") as file:
        adopt(int(file.read()))
    cluster.members.append(node)
    if node.id() == old:
        raise Problem("the node has kept its id")
    expect("members that list the old id", cluster.lists(old), [])
    expect("its keys", node.keys(), set())
    prove(cluster, data, "after", [])


def lost_with_its_host():
    """Nothing is left of it but lines in the members' files."""
    cluster, node, old, data = half_forgotten_dead("lost_with_its_host")
    for server in cluster.members:
        server.call("CLUSTER", "SAVECONFIG")
    case = cluster.collect("before")
    shutil.rmtree(os.path.join(case, "hosts", node.ip, str(node.port)))
    before = errors_of(case)
    script = Script(cluster, "remove", node, case)
    script.execute()
    expect("members that list it", cluster.lists(old), [])
    cluster.servers.remove(node)
    prove(cluster, data, "after", before)


def alive_after_all():
    """The plan takes it for dead, and it answers."""
    cluster, node, _, _ = half_forgotten_dead("alive_after_all")
    case = cluster.collect("before")
    script = Script(cluster, "remove", node, case, "--target=down")
    node.start()
    script.stops("it runs", 1, "make the plan again with --target=running", RCF_ON_HOST="sh -c")


# ---------------------------------------------------------------- keys that exist nowhere else


def dirty(name):
    """A removed node whose dump has keys that its members do not have any more, under names that no line should hold."""
    cluster, node = grown(name)
    primary = cluster.members[0]
    wanted = {}
    for number in range(1000000):
        key = b"lost\x00\r\n'\"\\ $(touch pwned)`id`\xff%%s;\t%d" % number
        if key_slot(key) < 90:
            wanted[key] = number
            if len(wanted) == 6:
                break
    for kind, key in enumerate(wanted):
        (lambda: primary.call("SET", key, b"\x00\n'" * 20), lambda: primary.call("HSET", key, "f", "v" * 100, "g", 1),
         lambda: primary.call("RPUSH", key, "a", "b"), lambda: primary.call("ZADD", key, 1.5, "m"), lambda: primary.call("XADD", key, "1-1", "f", "v"),
         lambda: primary.call("SET", key, "v", "PXAT", 4102444800200))[kind]()
    lost = {key: value for key, value in primary.data().items() if key in wanted}
    lend_slots(cluster, node, lambda: node.call("SAVE"))
    for key in wanted:
        expect("DEL", primary.call("DEL", key), 1)
    remove(cluster, node)
    node.kill()
    node.start()
    wait_for("it believes it is a member", lambda: "cluster_state:ok" in node.call("CLUSTER", "INFO").decode())
    expect("keys that are only there", len(node.keys() & set(wanted)), 6)
    return cluster, node, lost


def rescue():
    """The keys that exist only there are with the owners of their slots afterwards, and nothing else has changed."""
    cluster, node, lost = dirty("rescue")
    data = cluster.data()
    cluster.save_members()
    case = cluster.collect("before")
    code, out, err = plan("rejoin", node, case)
    expect(f"without --rescue: {err}", (code, out, "6 keys" in err and "--rescue" in err), (1, "", True))
    script = Interrupted(cluster, "rejoin", node, case, "--rescue")
    script.guards()
    owner = cluster.members[0]
    taken = sorted(lost)[0]
    owner.call("SET", taken, "another value")
    found, out = script.run(RCF_ON_HOST="sh -c", RCF_YES=script.fingerprint)
    expect(f"a key that the owner has by now: {out[-300:]!r}", (found, "by now, with another value" in out), (1, True))
    expect("the owner's value", owner.call("GET", taken), b"another value")
    owner.call("DEL", taken)
    script.interrupt_after("rescue-keys")
    script.execute(RCF_YES=script.fingerprint)
    cluster.members.append(node)
    prove(cluster, {**data, **lost}, "after", [])
    expect("a name was never read by a shell", os.path.exists("pwned"), False)


def rescue_with_password():
    """MIGRATE gets the password of the members, and nobody sees it."""
    cluster, node, lost = dirty("rescue_with_password")
    data = cluster.data()
    cluster.save_members()
    case = cluster.collect("before")
    for server in [*cluster.members, node]:
        server.protect("pass'word $x")
    script = Interrupted(cluster, "rejoin", node, case, "--rescue")
    code, out = script.run(RCF_ON_HOST="sh -c", RCF_YES=script.fingerprint, REDISCLI_AUTH=node.secret)
    expect(f"the script: exit code with {out[-600:]!r}", code, 0)
    expect("the password in what is printed", node.secret in out, False)
    cluster.members.append(node)
    prove(cluster, {**data, **lost}, "after", [])


# ---------------------------------------------------------------- interrupted


def interrupted_rejoin():
    """Killed after each changing step in turn, and run again each time; at last it comes to its end."""
    cluster, node = grown("interrupted_rejoin")
    lend_slots(cluster, node, lambda: node.call("SAVE"))
    old = node.id()
    remove(cluster, node)
    node.kill()
    node.start()
    wait_for("it believes it is a member", lambda: "cluster_state:ok" in node.call("CLUSTER", "INFO").decode())
    data = cluster.data()
    cluster.save_members()
    script = Interrupted(cluster, "rejoin", node, cluster.collect("before"))
    for action in ("keep-files", "flushall", "cluster-reset", "save", "add-node"):
        script.interrupt_after(action)
    script.execute(RCF_YES=script.fingerprint)
    cluster.members.append(node)
    expect("members that list the old id", cluster.lists(old), [])
    prove(cluster, data, "after", [])


def interrupted_remove():
    cluster, node = grown("interrupted_remove")
    lend_slots(cluster, node)
    expect("SAVE", node.call("SAVE"), "OK")
    old, data = node.id(), cluster.data()
    remove(cluster, node, cluster.members[1:4])
    cluster.save_members()
    script = Interrupted(cluster, "remove", node, cluster.collect("before"))
    for action in ("shutdown", "cluster-forget", "move-nodes-conf-aside"):
        script.interrupt_after(action)
    script.execute()
    expect("members that list it", cluster.lists(old), [])
    prove(cluster, data, "after", [])


LONG = [rescue, interrupted_rejoin, interrupted_remove, dead_removed, dead_rejoined, lost_with_its_host]
SHORT = [rescue_with_password, add_with_files, add_unseen, add_refused, replicate_empty_primary, replicate_out_of_step, alive_after_all]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], LONG, SHORT))
