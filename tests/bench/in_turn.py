"""Commands measured in turn, so that what else the machine does meets them all alike.

  in_turn.py ROUNDS <<END
  NAME<tab>COMMAND
  END

Runs every command once a round, its output thrown away, and prints for each: NAME, seconds of its best round, KiB of its peak
in one more run, tab-separated. The peak is asked of the running process: what wait4() tells includes the interpreter that
started it."""
import re
import shlex
import subprocess
import sys
import time


def seconds(command):
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def peak(command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as status:
            found = re.search(r"VmHWM:\s+(\d+)", status.read())
        most = max(most, int(found[1])) if found else most
        time.sleep(0.001)
    return most


rounds = int(sys.argv[1])
commands = [(name, shlex.split(command)) for name, command in (line.rstrip("\n").split("\t") for line in sys.stdin)]
best = {name: min(times) for name, times in
        zip(dict(commands), zip(*([seconds(command) for _, command in commands] for _ in range(rounds))))}
for name, command in commands:
    print(f"{name}\t{best[name]:.4f}\t{peak(command)}")
