"""Module: plans made from the files of a live cluster and executed on it, as an operator would do both."""
import json
import os
import subprocess
import threading
import time
import traceback

from cluster import Problem, expect, run, stop_all

BUILD = os.path.abspath(os.environ.get("RCF_BUILD", "build/gcc"))
MOST_S = 240


def tool(name, *arguments):
    """Exit code, standard output, standard error. Tools are given as operators have them: no environment of their own."""
    done = subprocess.run([os.path.join(BUILD, name), *arguments], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def findings_of(case, severities=("error",)):
    """What rcf-check finds, as sorted (finding, certainty, node); its exit code agrees with the errors."""
    code, out, err = tool("rcf-check", "--format=jsonl", case)
    records = [json.loads(line) for line in out.splitlines()]
    errors = any(r.get("severity") == "error" for r in records)
    expect(f"rcf-check: exit code with {err!r}", code, 1 if errors else 0)
    return sorted((r["finding"], r["certainty"], r["node"] or "") for r in records if r.get("severity") in severities)


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


def nothing_left(case, goal, *words):
    code, out, err = tool("rcf-plan", goal, *words)
    expect(f"the plan made again: {out} {err}", (code, out.startswith("Nothing to do")), (0, True))


def side_by_side(scenarios, names, most_s=MOST_S):
    """Runs scenarios in threads, all or those named; prints one line for each; the exit code of the script."""
    by_name = {scenario.__name__: scenario for scenario in scenarios}
    unknown = set(names) - set(by_name)
    if unknown:
        print(f"no such scenario: {', '.join(sorted(unknown))}")
        return 1
    begin = time.monotonic()
    failures, still = [], {name for name in by_name if not names or name in names}

    def work(name):
        why = None
        try:
            by_name[name]()
        except Problem as problem:
            why = str(problem)
        except Exception:  # a thread's last stop: anything else is a failure with its place
            why = traceback.format_exc()
        still.discard(name)
        print(f"{'FAIL' if why else 'ok':4} {time.monotonic() - begin:4.0f} s  {name}{': ' + why if why else ''}", flush=True)
        if why:
            failures.append(name)

    threads = [threading.Thread(target=work, args=(name,), daemon=True) for name in sorted(still)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, begin + most_s - time.monotonic()))
    for name in sorted(still):
        print(f"FAIL {most_s:4} s  {name}: not done", flush=True)
    code = 1 if failures or still else 0
    stop_all()
    return code
