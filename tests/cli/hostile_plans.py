"""Plans of every goal on evidence that was made to harm who reads it: a script is refused, or it is sound for shellcheck and, run
among clients that log what they are called with, says nothing to anybody but what its plan says, in words of the right form."""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

from commands import raw
from hostile import IDS, PAYLOADS, PLACES, live_nodes, new_case, poisoned, read, write
from support import expect, finish

NEW = '127.0.0.9:7000'
FOUNDERS = ['127.0.9.%d:7000' % host for host in range(1, 7)]
GOALS = [
    ['add', NEW], ['replicate', '3e0c02dc', '2d24fd23'], ['remove', 'b9ff0e9b'], ['repair'],
    ['reshard', '--from', 'all', '--to', '3b4cdfbb', '--slots', '3'], ['reshard', '--from', '2d24fd23', '--to', '3b4cdfbb', '--slots', '6000-6001'],
    ['create', '--replicas', '1', *FOUNDERS, '--case'],
]

ID, ADDRESS, SLOT = '[0-9a-f]{40}', r'[0-9A-Za-z.:-]+', r'\d{1,5}'
READS = ['CLUSTER NODES', 'CLUSTER MYID', 'CLUSTER INFO', 'INFO( keyspace| persistence| replication)?', 'CONFIG GET dir', 'PING',
         'CLUSTER COUNTKEYSINSLOT ' + SLOT, '']
# What may be said for which action; '' is a conversation by standard input.
CHANGES = {
    'cluster-replicate': ['CLUSTER REPLICATE ' + ID], 'cluster-forget': ['CLUSTER FORGET ' + ID], 'cluster-failover': ['CLUSTER FAILOVER'],
    'move-slots': ['CLUSTER SETSLOT %s (IMPORTING|MIGRATING|NODE) %s' % (SLOT, ID)], 'shutdown': ['SHUTDOWN SAVE'],
    'gather-keys': ['CLUSTER SETSLOT %s IMPORTING %s' % (SLOT, ID)], 'close-slots': ['CLUSTER SETSLOT %s STABLE' % SLOT],
    'addslots': ['CLUSTER ADDSLOTS( %s)+' % SLOT, 'CLUSTER SETSLOT %s NODE %s' % (SLOT, ID), 'CLUSTER BUMPEPOCH'],
    'set-config-epoch': [r'CLUSTER SET-CONFIG-EPOCH \d+'], 'cluster-meet': [r'CLUSTER MEET %s \d+' % ADDRESS], 'flushall': ['FLUSHALL'],
    'cluster-reset': ['CLUSTER RESET HARD'], 'save': ['SAVE'], 'bgrewriteaof': ['BGREWRITEAOF'],
    'add-node': ['--cluster add-node .*', 'add-node .*'],
}
SPOKEN = r'CLUSTER GETKEYSINSLOT \d+ 100'

# Members as CLUSTER NODES of one of them shows them; an empty server at every other address.
CLIENT = r'''
{ printf '%s\0' "${0##*/}" "$@"; printf '\1'; } >> "$LOG"
case "$*" in *add-node*) echo '[OK] New node added correctly.'; exit 0 ;; esac
[ "$1" = --no-raw ] && shift
at="$2:$4@"
[ $# -gt 4 ] || { while read -r line; do printf '|\0%s\0\1' "$line" >> "$LOG"; done; exit 0; }
shift 4
id=$(awk -v at="$at" 'index($2, at) == 1 { print $1 }' "$NODES")
role=$(awk -v at="$at" 'index($2, at) == 1 && $3 ~ /slave/ { print "slave" }' "$NODES")
case "$*" in
'CLUSTER NODES')
    if [ -n "$id" ]; then sed "s/myself,//; / $at/s/ \(master\|slave\) / myself,\1 /" "$NODES"
    else echo "$(printf %s "$at" | sha1sum | cut -c1-40) ${at}1 myself,master - 0 0 0 connected"; fi ;;
'CLUSTER MYID') [ -n "$id" ] || id=$(printf %s "$at" | sha1sum | cut -c1-40); echo "$id" ;;
'CLUSTER INFO') printf 'cluster_known_nodes:1\ncluster_slots_assigned:0\n' ;;
'INFO keyspace') ;;
INFO*) printf 'role:%s\nconnected_slaves:0\nrdb_changes_since_last_save:0\nmaster_link_status:up\n' "${role:-master}" ;;
'CLUSTER COUNTKEYSINSLOT'*) echo 0 ;;
'CONFIG GET dir') printf 'dir\n%s\n' "$PWD" ;;
*) echo OK ;;
esac
'''
SILENT = {'sleep': '', 'ssh': 'printf "ssh\\0\\1" >> "$LOG"; false\n'}

tried = {}


def run_script(folder, script, nodes, fingerprint):
    shutil.rmtree(folder + '/run', ignore_errors=True)
    os.makedirs(folder + '/run/bin')
    os.makedirs(folder + '/run/data')
    write(folder + '/run/nodes', nodes.encode('utf-8', 'surrogateescape'))
    write(folder + '/run/log', b'')
    for name, text in {'redis-cli': CLIENT, 'valkey-cli': CLIENT, 'redis-trib.rb': CLIENT, **SILENT}.items():
        path = '%s/run/bin/%s' % (folder, name)
        write(path, b'#!/bin/sh\n' + text.encode())
        os.chmod(path, 0o755)
    environment = {'PATH': folder + '/run/bin:/usr/bin:/bin', 'RCF_ON_HOST': 'ssh {host}', 'RCF_YES': fingerprint, 'LOG': folder + '/run/log',
                   'NODES': folder + '/run/nodes'}
    process = subprocess.run(['sh', folder + '/script.sh'], env=environment, cwd=folder + '/run/data', stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    calls = [[word.decode('utf-8', 'surrogateescape') for word in call.split(b'\0')[:-1]] for call in read(folder + '/run/log').split(b'\1')[:-1]]
    return process, calls


def check_call(about, plan, call, known):
    name, words = call[0], [word for word in call[1:] if word != '--no-raw']
    if name == 'ssh':
        return
    if name == '|':
        expect(re.fullmatch(SPOKEN, words[0]), '%s: said to a server: %r' % (about, words))
        return
    if words[:1] == ['-h']:
        expect('%s:%s' % (words[1], words[3]) in known, '%s: a call to somebody else: %r' % (about, call))
        words = words[4:]
    allowed = READS + [form for step in plan['steps'] for form in CHANGES.get(step['action'], [])]
    expect(any(re.fullmatch(form, ' '.join(words)) for form in allowed), '%s: no step of the plan says %r' % (about, call))


def check(folder, about, words, nodes):
    """True when there is a script."""
    code, script, err = raw('rcf-plan', '--format=sh', *words)
    if code != 0 or b'\nfingerprint=' not in script:
        expect(code == 0 or not script and err, '%s: refused, but a script is written' % about)
        return False
    fingerprint = re.search(rb'^fingerprint=(.*)$', script, re.M).group(1)
    plain = script.replace(fingerprint, b'')
    if plain in tried:
        return True
    tried[plain] = about
    write(folder + '/script.sh', script)
    for checker in (['sh', '-n'], ['shellcheck']):
        process = subprocess.run([*checker, folder + '/script.sh'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        expect(process.returncode == 0, '%s: %s: %s' % (about, checker[0], process.stdout.decode()[:400]))
    plan = json.loads(raw('rcf-plan', '--json', *words)[1])
    process, calls = run_script(folder, script, nodes, fingerprint.decode())
    expect(not glob.glob(folder + '/**/pwned', recursive=True) and not os.path.exists('pwned'), '%s: a file pwned appeared' % about)
    known = {member['address'] for member in plan['members']} | {NEW, plan['target'], *FOUNDERS}
    known |= {step['where'] for step in plan['steps']}
    for call in calls:
        check_call(about, plan, call, known)
    expect(process.returncode in (0, 1), '%s: the script: %d %r' % (about, process.returncode, process.stderr[-300:]))
    return calls


def check_sound(folder):
    """On a sound case the scripts come as far as to change something, so that this test sees changes."""
    case = new_case(folder)
    for goal, word in (('replicate', 'REPLICATE'), ('reshard', 'SETSLOT'), ('create', 'ADDSLOTS'), ('add', 'add-node')):
        words = next(words for words in GOALS if words[0] == goal)
        calls = check(folder, 'sound: ' + goal, [*words, case], live_nodes(case))
        expect(calls and any(word in call for call in calls), '%s: nothing was changed: %r' % (goal, calls and calls[-3:]))


def check_poisoned(folder):
    size, scripts = len(IDS), 0
    for place in PLACES:
        for start in range(0, len(PAYLOADS), size):
            case = new_case(folder)
            for path in glob.glob(case + '/hosts/*/*/nodes*'):
                write(path, poisoned(read(path), place, PAYLOADS[start:start + size]))
            for words in GOALS:
                scripts += bool(check(folder, '%s: payloads %d in %s' % (words[0], start, place), [*words, case], live_nodes(case)))
    expect(scripts, 'every script was refused: this test shows nothing')


with tempfile.TemporaryDirectory() as root:
    check_sound(os.path.realpath(root))
    check_poisoned(os.path.realpath(root))
finish()
