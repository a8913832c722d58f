"""Plans executed on live clusters: nodes that were removed, or half forgotten, come back by rcf-plan's script; others are
refused or taken out for good. Names of scenarios as arguments run only those."""
import json
import os
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import BAN_S, Cluster, Problem, expect, run, stop_all, wait_for  # noqa: E402

BUILD = os.path.abspath(os.environ.get("RCF_BUILD", "build/gcc"))
MOST_S = 240
STALE = "stale-self-membership"
ADDRESSED = {STALE, "half-forgotten", "shadow-replica", "stale-claim-wins", "address-conflict"}


# ---------------------------------------------------------------- the tools


def tool(name, *arguments):
    """Exit code, standard output, standard error. Tools are given as operators have them: no environment of their own."""
    done = subprocess.run([os.path.join(BUILD, name), *arguments], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def errors_of(case):
    """The errors that rcf-check finds, as sorted (finding, certainty, node); its exit code agrees with them."""
    code, out, err = tool("rcf-check", "--format=jsonl", case)
    records = [json.loads(line) for line in out.splitlines()]
    errors = sorted((r["finding"], r["certainty"], r["node"] or "") for r in records if r.get("severity") == "error")
    expect(f"rcf-check: exit code with {err!r}", code, 1 if errors else 0)
    return errors


def plan(goal, node, case, *options):
    code, out, err = tool("rcf-plan", *options, goal, node.name, case)
    return code, out, err


class Script:
    """The script of a plan, run as an operator would run it."""

    def __init__(self, cluster, goal, node, case):
        code, text, err = plan(goal, node, case, "--format=sh")
        expect(f"rcf-plan {goal}: exit code with {err!r}", code, 0)
        self.cluster, self.node, self.goal = cluster, node, goal
        self.fingerprint = json.loads(plan(goal, node, case, "--json")[1])["fingerprint"]
        self.path = os.path.join(cluster.folder, f"{goal}.sh")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        code, out = run(["shellcheck", self.path])
        expect(f"shellcheck: {out}", code, 0)

    def run(self, text="", **environment):
        return run(["sh", self.path], text, environment)

    def state(self):
        """What no run that stops early may change: who is listed where, and every key."""
        return (self.node.id(), sorted(self.node.nodes()), self.node.info("role"), sorted(self.node.keys()),
                [sorted(server.nodes()) for server in self.cluster.members], self.node.saved())

    def stops(self, what, code, words, text="", **environment):
        before = self.state()
        found, out = self.run(text, **environment)
        expect(f"{what}: exit code with {out[-300:]!r}", found, code)
        if words not in out:
            raise Problem(f"{what}: {words!r} is not in {out[-300:]!r}")
        expect(f"{what}: what it left behind", self.state(), before)

    def guards(self):
        self.stops("dry run", 0, "dry run: nothing was done", DRY_RUN="1")
        self.stops("without RCF_ON_HOST", 1, "RCF_ON_HOST is not set")
        self.stops("the host cannot be reached", 1, "the command on host", RCF_ON_HOST="false", RCF_YES=self.fingerprint)
        if self.goal == "rejoin":
            for answer in ("no\n", "y\n", ""):
                self.stops(f"answer {answer!r}", 1, "not confirmed", answer, RCF_ON_HOST="sh -c")
            self.stops("another plan's RCF_YES", 1, "not confirmed", RCF_ON_HOST="sh -c", RCF_YES="0" * 16)

    def execute(self, text="", **environment):
        code, out = self.run(text, RCF_ON_HOST="sh -c", **environment)
        expect(f"the script: exit code with {out[-600:]!r}", code, 0)


# ---------------------------------------------------------------- how nodes come and go


def grown(name, replica=False, **how):
    """A cluster with keys, and a node that is added to it: a replica of its second primary, or a primary."""
    cluster = Cluster(name)
    cluster.create()
    cluster.fill(2000)
    node = cluster.server(0, Cluster.ADDED, **how)
    cluster.add(node, cluster.members[1] if replica else None)
    return cluster, node


def lend_slots(cluster, node, meanwhile=None):
    """Slots with keys go to the node and back, so that it was a voting primary; it keeps none."""
    lender = cluster.members[0]
    cluster.move_slots(lender, node, 100)
    if not node.keys():
        raise Problem("the slots lent have no keys: the test would prove nothing")
    if meanwhile:
        meanwhile()
    cluster.move_slots(node, lender, 100)
    expect("keys left after the slots went back", node.keys(), set())


def remove(cluster, node, members=None):
    """FORGET on all others, as del-node did up to 5.0 before its SHUTDOWN."""
    cluster.members.remove(node)
    cluster.forget(node.id(), cluster.members if members is None else members)


def wait_past_ban(since):
    time.sleep(max(0.0, since + BAN_S + 1 - time.monotonic()))


def restart_stale(cluster, node):
    """Starts a removed node on its old files: it lists the members, and none of them lists it."""
    node.start()
    wait_for("the node believes it is a member", lambda: "cluster_state:ok" in node.call("CLUSTER", "INFO").decode())
    time.sleep(1)
    expect("members that list it", cluster.lists(node.id()), [])
    expect("members that it lists", len(node.nodes()), len(cluster.members) + 1)


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
    expect("keys of the cluster after the plan", cluster.data() == data, True)
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
    expect("keys of the cluster after a crash", cluster.data() == data, True)
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
    expect("keys of the cluster", cluster.data() == data, True)


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
    expect("keys of the cluster", cluster.data() == data, True)


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


# Those that wait for two bans begin first; the others begin when these wait.
LONG = [removed_primary, removed_replica, without_save_points]
SHORT = [crashed_primary, append_only, half_forgotten, keys_only_here, removed_for_good, emptied_before, came_back]
HEAD_START_S = 15


# ---------------------------------------------------------------- side by side


def main(names):
    unknown = set(names) - {scenario.__name__ for scenario in LONG + SHORT}
    if unknown:
        sys.exit(f"no such scenario: {', '.join(sorted(unknown))}")
    chosen = [scenario for scenario in LONG + SHORT if not names or scenario.__name__ in names]
    begin = time.monotonic()
    failures = []
    open_ones = {scenario.__name__ for scenario in chosen}

    def work(scenario):
        name, why = scenario.__name__, None
        try:
            if scenario in SHORT and any(other in LONG for other in chosen):
                time.sleep(HEAD_START_S)
            scenario()
        except Problem as problem:
            why = str(problem)
        except Exception:  # a thread's last stop: anything else is a failure with its place
            why = traceback.format_exc()
        open_ones.discard(name)
        print(f"{'FAIL' if why else 'ok':4} {time.monotonic() - begin:4.0f} s  {name}{': ' + why if why else ''}", flush=True)
        if why:
            failures.append(name)

    threads = [threading.Thread(target=work, args=(scenario,), daemon=True) for scenario in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, begin + MOST_S - time.monotonic()))
    for name in sorted(open_ones):
        print(f"FAIL {MOST_S:4} s  {name}: not done", flush=True)
    code = 1 if failures or open_ones else 0
    stop_all()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
