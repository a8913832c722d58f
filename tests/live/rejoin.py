"""Plans executed on live clusters: nodes that were removed, or half forgotten, come back by rcf-plan's script; others are
refused or taken out for good. Names of scenarios as arguments run only those."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Problem, expect, wait_for  # noqa: E402
from playing import (ADDRESSED, STALE, Script, errors_of, grown, lend_slots, main, plan, remove, restart_stale,  # noqa: E402
                     wait_past_ban)


# ---------------------------------------------------------------- what is proved


def unsaved(cluster, node):
    """Changes that the dump lacks stop the script; the operator saves them, and collects again."""
    cluster.save_members()
    script = Script(cluster, "rejoin", node, cluster.collect("unsaved"))
    script.stops("unsaved changes", 1, "changes that its dump lacks", RCF_ON_HOST="sh -c", RCF_YES=script.fingerprint)
    expect("SAVE", node.call("SAVE"), "OK")


def saved_again(cluster, node):
    """A dump written after the evidence is not the one whose keys were compared, though it has as many."""
    cluster.save_members()
    script = Script(cluster, "rejoin", node, cluster.collect("saved_again"))
    time.sleep(1.1)  # a dump states its time in seconds
    expect("SAVE", node.call("SAVE"), "OK")
    script.stops("another dump", 1, "the command on host", RCF_ON_HOST="sh -c", RCF_YES=script.fingerprint)


def rejoin(cluster, node, findings, primary=None, unattended=True):
    """Evidence, plan, execution, and what must be true afterwards, after a crash too."""
    old, data = node.id(), cluster.data()
    cluster.save_members()
    case = cluster.collect("before")
    expect("errors before", errors_of(case), sorted((*finding, node.name) for finding in findings))
    script = Script(cluster, "rejoin", node, case)
    script.guards()
    if unattended:
        script.execute(RCF_YES=script.fingerprint)
    else:
        script.execute("yes\n" * 2)
    cluster.members.append(node)
    cluster.wait_agreed()
    if node.id() == old:
        raise Problem("the node has kept its id")
    expect("members that list the old id", cluster.lists(old), [])
    expect("role", node.info("role"), "slave" if primary else "master")
    cluster.expect_data("keys of the cluster after the plan", data)
    if primary:
        primary.call("SET", next(iter(sorted(primary.data()))), "changed after the plan")
        data = cluster.data()
        wait_for("the replica has the change", lambda: node.data() == primary.data())
    cluster.save_members()
    case = cluster.collect("after")
    expect("errors after", errors_of(case), [])
    code, out, err = plan("rejoin", node, case)
    expect(f"the plan made again: {out} {err}", (code, out.startswith("Nothing to do")), (0, True))
    node.kill()
    node.start()
    cluster.wait_agreed()
    if primary:
        wait_for("the restarted replica has its primary's keys", lambda: node.data() == primary.data())
    else:
        expect("keys of the node after a crash", node.keys(), set())
    cluster.expect_data("keys of the cluster after a crash", data)
    expect("members that list the old id after a crash", cluster.lists(old), [])


def removed_primary():
    """Removed as del-node did, started again after the ban."""
    cluster, node = grown("removed_primary")
    lend_slots(cluster, node)
    since = time.monotonic()
    remove(cluster, node)
    node.shut_down()
    wait_past_ban(since)
    restart_stale(cluster, node)
    rejoin(cluster, node, [(STALE, "proved")])


def removed_replica():
    """A replica that nobody lists goes on copying from its primary."""
    cluster, node = grown("removed_replica", replica=True)
    since = time.monotonic()
    remove(cluster, node)
    node.shut_down()
    wait_past_ban(since)
    restart_stale(cluster, node)
    primary = cluster.members[1]
    wait_for("it copies unseen", lambda: node.info("master_link_status") == "up" and node.data() == primary.data())
    rejoin(cluster, node, [(STALE, "proved"), ("shadow-replica", "probable")], primary,
           unattended=False)


def without_save_points():
    """save "": the dump of the time when it had keys outlives SHUTDOWN, FLUSHALL and CLUSTER RESET."""
    cluster, node = grown("without_save_points", save=('""',))
    lend_slots(cluster, node, lambda: node.call("SAVE"))
    since = time.monotonic()
    remove(cluster, node)
    node.shut_down()
    wait_past_ban(since)
    restart_stale(cluster, node)
    if not node.keys():
        raise Problem("its old dump came back without keys: the test would prove nothing")
    rejoin(cluster, node, [(STALE, "proved"), ("keys-in-foreign-slot", "proved")], unattended=False)


def crashed_primary():
    """Killed after it was emptied: its last dump has the keys that live elsewhere now."""
    cluster, node = grown("crashed_primary")
    lend_slots(cluster, node, lambda: node.call("SAVE"))
    remove(cluster, node)
    node.kill()
    restart_stale(cluster, node)
    saved_again(cluster, node)
    rejoin(cluster, node, [(STALE, "proved"), ("keys-in-foreign-slot", "proved")])


def append_only():
    """A multi-part AOF whose keys are flushed by its last commands: keyless, but only after replay. What was replayed
    counts as unsaved, so nothing is done before it has saved."""
    cluster, node = grown("append_only", save=('""',), appendonly=True)
    lend_slots(cluster, node)
    node.call("FLUSHALL")
    remove(cluster, node)
    node.shut_down()
    restart_stale(cluster, node)
    unsaved(cluster, node)
    rejoin(cluster, node, [(STALE, "proved")])


def half_forgotten():
    """FORGET reached three of six members; the plan is made and the node forgotten before their ban ends."""
    cluster, node = grown("half_forgotten")
    lend_slots(cluster, node)
    remove(cluster, node, cluster.members[1:4])
    expect("members that list it", cluster.lists(node.id()), [cluster.members[i].name for i in (0, 4, 5)])
    unsaved(cluster, node)
    rejoin(cluster, node, [("half-forgotten", "proved")])


def keys_only_here():
    """Forgotten while it had slots and keys: no plan destroys them, and the refusal names each."""
    cluster, node = grown("keys_only_here")
    cluster.move_slots(cluster.members[0], node, 100)
    lost = sorted(key.decode() for key in node.keys())
    remove(cluster, node)
    node.shut_down()
    node.start()
    cluster.save_members()
    case = cluster.collect("before")
    expect("errors about the node", sorted({error[0] for error in errors_of(case) if error[2] == node.name} & ADDRESSED),
           ["stale-claim-wins", STALE])
    for options in ([], ["--format=sh"], [f"--accept-loss={len(lost) - 1}"], [f"--accept-loss={len(lost) + 1}"]):
        code, out, err = plan("rejoin", node, case, *options)
        expect(f"refusal with {options}", (code, out), (1, ""))
        if f"{len(lost)} keys" not in err or any(f" {key} (slot" not in err for key in lost):
            raise Problem(f"the refusal does not name {lost}: {err}")
    expect("exit code with the loss accepted", plan("rejoin", node, case, f"--accept-loss={len(lost)}")[0], 0)
    expect("its keys", sorted(key.decode() for key in node.keys()), lost)


def removed_for_good():
    """rcf-plan remove of a stale node: stopped, its files kept, its nodes.conf moved aside; a start makes a stranger."""
    cluster, node = grown("removed_for_good")
    lend_slots(cluster, node, lambda: node.call("SAVE"))
    remove(cluster, node)
    node.kill()
    restart_stale(cluster, node)
    old, keys, data = node.id(), node.keys(), cluster.data()
    cluster.save_members()
    case = cluster.collect("before")
    before = errors_of(case)
    expect("errors before", before, [("keys-in-foreign-slot", "proved", node.name), (STALE, "proved", node.name)])
    script = Script(cluster, "remove", node, case)
    script.guards()
    script.execute()
    node.ended()
    expect("nodes.conf", [os.path.exists(node.nodes_conf), os.path.exists(f"{node.nodes_conf}.rcf-removed-{script.fingerprint}")],
           [False, True])
    cluster.save_members()
    case = cluster.collect("after")
    after = errors_of(case)
    expect("errors after", [error for error in after if error[0] in ADDRESSED or error not in before], [])
    code, out, err = plan("remove", node, case)
    expect(f"the plan made again: {out} {err}", (code, out.startswith("Nothing to do")), (0, True))
    node.start()
    time.sleep(3)
    if node.id() == old:
        raise Problem("the node has kept its id")
    expect("nodes that the stranger knows", len(node.nodes()), 1)
    expect("keys that it has kept", node.keys(), keys)
    expect("members that list either id", cluster.lists(old) + cluster.lists(node.id()), [])
    cluster.wait_agreed()
    cluster.expect_data("keys of the cluster", data)


def emptied_before():
    """Removed, emptied and reset by hand: all that is left to do is to add it."""
    cluster, node = grown("emptied_before")
    lend_slots(cluster, node)
    remove(cluster, node)
    expect("CLUSTER RESET HARD", node.call("CLUSTER", "RESET", "HARD"), "OK")
    expect("SAVE", node.call("SAVE"), "OK")
    data = cluster.data()
    cluster.save_members()
    script = Script(cluster, "rejoin", node, cluster.collect("before"))
    script.stops("dry run", 0, "dry run: nothing was done", DRY_RUN="1")
    code, out = script.run()
    expect(f"the script: exit code with {out[-600:]!r}", code, 0)
    cluster.members.append(node)
    cluster.wait_agreed()
    cluster.expect_data("keys of the cluster", data)


def came_back():
    """The plan is older than the node's return: every member lists it again, and the script must not touch it."""
    cluster, node = grown("came_back")
    lend_slots(cluster, node)
    remove(cluster, node)
    time.sleep(1)
    cluster.save_members()
    expect("SAVE", node.call("SAVE"), "OK")
    script = Script(cluster, "rejoin", node, cluster.collect("before"))
    for server in cluster.members:
        expect("CLUSTER MEET", node.call("CLUSTER", "MEET", server.ip, str(server.port)), "OK")
    wait_for("every member lists it again", lambda: len(cluster.lists(node.id())) == len(cluster.members))
    time.sleep(1)
    script.stops("it came back", 1, "list it again", RCF_ON_HOST="sh -c", RCF_YES=script.fingerprint)


LONG = [removed_primary, removed_replica, without_save_points]
SHORT = [crashed_primary, append_only, half_forgotten, keys_only_here, removed_for_good, emptied_before, came_back]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], LONG, SHORT))
