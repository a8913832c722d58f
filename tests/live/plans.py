"""Module: plans about the whole cluster, made from its files and executed on it; see playing.py for those about a node."""
import json
import os

from cluster import Problem, expect, run
from playing import tool


class Plan:
    """One plan of rcf-plan, made from a case: its data, and its script in a file that shellcheck accepts."""

    def __init__(self, cluster, case, goal, *words, name=None):
        code, out, err = tool("rcf-plan", "--json", goal, *words)
        expect(f"rcf-plan {goal}: exit code with {err!r} {out[-400:]!r}", code, 0)
        self.data = json.loads(out)
        self.fingerprint = self.data["fingerprint"]
        code, text, err = tool("rcf-plan", "--format=sh", goal, *words)
        expect(f"rcf-plan --format=sh {goal}: exit code with {err!r}", code, 0)
        self.cluster, self.case = cluster, case
        self.path = os.path.join(cluster.folder, f"{name or goal}.sh")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        code, out = run(["shellcheck", self.path])
        expect(f"shellcheck: {out}", code, 0)

    def run(self, text="", seconds=240, **environment):
        return run(["sh", self.path], text, environment, seconds)

    def execute(self, **environment):
        """To its end, on hosts that are this one, with all questions answered by the plan's fingerprint."""
        code, out = self.run(RCF_ON_HOST="sh -c", RCF_YES=self.fingerprint, **environment)
        expect(f"the script: exit code with {out[-800:]!r}", code, 0)

    def interrupted(self, calls):
        """Ended before the client's call of that number, as by a lost connection; the exit code is not 0."""
        counter = os.path.join(self.cluster.folder, f"calls-{calls}")
        client = os.path.join(self.cluster.folder, f"client-{calls}")
        with open(client, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\necho x >> {counter}\n[ \"$(wc -l < {counter})\" -le {calls} ] || exit 1\n"
                       "exec redis-cli \"$@\"\n")
        os.chmod(client, 0o700)
        code, out = self.run(RCF_ON_HOST="sh -c", RCF_YES=self.fingerprint, RCF_CLI=client)
        if code == 0:
            raise Problem(f"the script was not interrupted by {calls} calls: {out[-300:]!r}")


def refused(words, *options):
    """A plan that must be refused: exit code 1, nothing on standard output, these words on standard error."""
    code, out, err = tool("rcf-plan", *options)
    expect(f"rcf-plan {' '.join(options)}: exit code and output with {err!r}", (code, out), (1, ""))
    if words not in err:
        raise Problem(f"rcf-plan {' '.join(options)}: {words!r} is not in {err!r}")


def nothing_left(goal, *words):
    code, out, err = tool("rcf-plan", goal, *words)
    expect(f"the plan made again: {out} {err}", (code, out.startswith("Nothing to do")), (0, True))
