"""Module: plans played on live clusters: the tools as an operator runs them, what happens to nodes, and scenarios side by
side."""
import json
import os
import subprocess
import sys
import threading
import time
import traceback

from cluster import BAN_S, Cluster, Problem, expect, run, stop_all, wait_for

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


def plan(goal, node, case, *options, others=()):
    """A plan about a node; `others` are further nodes that the goal takes."""
    return tool("rcf-plan", *options, goal, node.name, *(other.name for other in others), case)


class Script:
    """The script of a plan, run as an operator would run it."""

    def __init__(self, cluster, goal, node, case, *options, others=()):
        code, text, err = plan(goal, node, case, "--format=sh", *options, others=others)
        expect(f"rcf-plan {goal}: exit code with {err!r}", code, 0)
        self.cluster, self.node, self.goal = cluster, node, goal
        self.plan = json.loads(plan(goal, node, case, "--json", *options, others=others)[1])
        self.fingerprint = self.plan["fingerprint"]
        self.path = os.path.join(cluster.folder, f"{goal}.sh")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        code, out = run(["shellcheck", self.path])
        expect(f"shellcheck: {out}", code, 0)

    def run(self, text="", **environment):
        return run(["sh", self.path], text, environment)

    def state(self):
        """What no run that stops early may change: who is listed where, and every key."""
        node = self.node
        alive = node.running() and (node.id(), sorted(node.nodes()), node.info("role"), sorted(node.keys()))
        return (alive, [sorted(server.nodes()) for server in self.cluster.members], node.saved())

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
        if any(step["kind"] == "destroy" for step in self.plan["steps"]):
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


# ---------------------------------------------------------------- side by side


def main(names, long, short, head_start_s=15):
    """Plays the scenarios that are named, or all. Those that wait for two bans begin first; the others begin when these
    wait."""
    unknown = set(names) - {scenario.__name__ for scenario in long + short}
    if unknown:
        sys.exit(f"no such scenario: {', '.join(sorted(unknown))}")
    chosen = [scenario for scenario in long + short if not names or scenario.__name__ in names]
    begin = time.monotonic()
    failures = []
    open_ones = {scenario.__name__ for scenario in chosen}

    def work(scenario):
        name, why = scenario.__name__, None
        try:
            if scenario in short and any(other in long for other in chosen):
                time.sleep(head_start_s)
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
