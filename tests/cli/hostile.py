"""Evidence that was made to harm who reads it: words of nodes.conf, paths of redis.conf, keys, log lines and file names that a
terminal, a shell, a spreadsheet or a browser would act on. No output carries them on, no path of them is opened, and a plan's
script either is refused or runs exactly the plan. Then evidence that was cut."""
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from commands import CASE, all_calls, calls, check_output, commands, places, raw, title
from support import expect, finish, same
from tracing import check_calls

ID = 'b9ff0e9ba591bdebcd6e823581ec3d84068be1d5'
NODE = '127.0.0.6:7002'
IDS = [b'2d', b'5e', b'b9', b'b8', b'3b', b'bd', b'3e']  # how the ids of the case begin
SHARP = [b'$(touch${IFS}pwned)', b'`touch${IFS}pwned`', b';touch${IFS}pwned;', b"';touch${IFS}pwned;'", b'&&touch${IFS}pwned',
         b'|touch${IFS}pwned',
         b'-rf', b'--help', b'=cmd|calc', b'@SUM(1)', b'+1+1', b'-1-1', b'\x1b[31mred\x1b[0m', b'\x1b]0;title\x07', b'\x9b31m',
         b'\xc2\x9b31m', b'\xe2\x80\xaegnp', b'\xef\xbb\xbf', b'<script>alert(1)</script>', b'</script>&amp;', b"it's", b'\\x1b[2J', b'%s%n%1000000d',
         b'\xff\xfe', b'\xed\xa0\x80', b'A' * 5000, b'{host}', b'../../../../etc/passwd', b'/etc/passwd', b'\x7f\x08\x08', b'#', b'!', b'*']
BLANK = [b'$(touch pwned)', b'"; touch pwned; "', b"'; touch pwned #", b'\ntouch pwned\n', b'\r\ntouch pwned', b'\t=1+1', b'a\0b', b'x\n' + ID.encode() + b' ']
PAYLOADS = SHARP + BLANK


def quoted(payload):
    """As nodes.conf writes a word that needs it."""
    return b'"' + b''.join(b'\\x%02x' % byte if byte < 0x21 or byte > 0x7e or byte in b'"\\' else bytes([byte]) for byte in payload) + b'"'


def as_word(payload):
    return payload if payload in SHARP else quoted(payload)


# Where a payload goes: a function of the line's fields and of the payload as a word.
PLACES = {
    'ip': lambda f, word: [f[0], word + b':' + f[1].rsplit(b':', 1)[1], *f[2:]],
    'hostname': lambda f, word: [f[0], f[1] + b',' + word, *f[2:]],
    'nodename': lambda f, word: [f[0], f[1] + b',,nodename=' + word + b',shard-id=' + f[0], *f[2:]],
    'id': lambda f, word: [word, *f[1:]],
    'flags': lambda f, word: [f[0], f[1], f[2] + b',' + word, *f[3:]],
    'primary': lambda f, word: [*f[:3], word, *f[4:]],
    'a number': lambda f, word: [*f[:4 + len(word) % 3], word, *f[5 + len(word) % 3:]],
    'port and link': lambda f, word: [f[0], f[1].split(b':')[0] + b':' + word, *f[2:7], word, *f[8:]],
    'slots': lambda f, word: [*f, word],
}


def poisoned(text, place, payloads):
    """The k-th node by id gets the k-th payload, the same in every file."""
    lines = []
    for line in text.split(b'\n'):
        fields = line.split(b' ')
        if len(fields) >= 8:
            fields = PLACES[place](fields, as_word(payloads[IDS.index(fields[0][:2]) % len(payloads)]))
        lines.append(b' '.join(fields))
    return b'\n'.join(lines)


def write(path, content):
    with open(path, 'wb') as file:
        file.write(content)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def new_case(folder):
    case = os.path.join(folder, 'case')
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(CASE, case)
    return case


def check_manifest(about, case, manifest):
    """A list for sha256sum: names as they are, but for what sha256sum itself escapes."""
    process = subprocess.run(['sha256sum', '--check', '--strict', '--quiet'], input=manifest, cwd=case, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    expect(process.returncode == 0, '%s: sha256sum does not accept the manifest: %r' % (about, process.stdout[:300]))


def check_everything(case, about, node=NODE, only=None):
    """Every command in every format keeps the promises of check_output; with `only`, these commands in their first way."""
    values = dict(places(case), node=node)
    for name, words, form in all_calls(values):
        if only and (name not in only or not set(next(calls(name, values))) <= set(words)):
            continue
        code, out, err = raw(name, *words)
        if '--manifest' in words:
            check_manifest(about, case, out)
        else:
            check_output('%s: %s' % (about, title(name, words)), form, out, err)
        if form == 'dot':
            rest = re.sub(rb'"(\\.|[^"\\])*"', b'', out)
            expect(b'touch' not in rest and b'<' not in rest and b'"' not in rest, '%s: dot is not quoted: %r' % (about, rest[:200]))
        if form == 'text' and name in ('rcf-check', 'rcf-diff', 'rcf-topology') and words == [case]:
            code, out, err = raw(name, '--color=always', *words)
            check_output('%s: %s in colour' % (about, title(name, words)), form, re.sub(rb'\x1b\[[0-9;]*m', b'', out), err)


# ---------------------------------------------------------------- the script of a plan


def fake_clients(folder, plan, nodes, case):
    """Programs in place of the real ones; gives the environment and the log of calls."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder + '/bin')
    os.makedirs(folder + '/data')
    for name in ('nodes_7002.conf', 'dump_7002.rdb'):
        path = '%s/hosts/127.0.0.6/7002/%s' % (case, name)
        shutil.copy(path if os.path.exists(path) else path.replace(case, CASE, 1), folder + '/data')
    log, state = folder + '/log', folder + '/state'
    with open(state, 'w') as file:
        json.dump({'log': log, 'nodes': nodes, 'target': plan['target'], 'target_id': plan['target_id'], 'folder': folder + '/data',
                   'keys': int(plan['destroys']['keys']), 'flushed': False, 'reset': False, 'joined': False, 'down': False, 'carried': []}, file)
    for name in ('redis-cli', 'valkey-cli', 'redis-trib.rb', 'ssh', 'sleep'):
        with open('%s/bin/%s' % (folder, name), 'w') as file:
            file.write('#!/bin/sh\nexec %s %s %s %s "$@"\n' % (sys.executable, os.path.abspath('tests/cli/fake_client.py'), state, name))
        os.chmod('%s/bin/%s' % (folder, name), 0o755)
    write(log, b'')
    return {'PATH': folder + '/bin:/usr/bin:/bin', 'RCF_ON_HOST': 'ssh {host}', 'RCF_YES': plan['fingerprint'] or ''}, log


def run_script(folder, script, plan, nodes, case):
    environment, log = fake_clients(folder + '/run', plan, nodes, case)
    path = folder + '/script.sh'
    write(path, script)
    process = subprocess.run(['sh', path], env=environment, cwd=folder + '/run/data', stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=120)
    with open(log) as file:
        return process, [json.loads(line) for line in file]


tried = set()

# What a script may say to a server by standard input: words of its own, and names of keys as escapes.
SPOKEN = r'EXISTS "(\\x[0-9a-f]{2})+"|MIGRATE [0-9.]+ [0-9]+ "" 0 5000 COPY KEYS "(\\x[0-9a-f]{2})+"'


def check_script(folder, about, words, nodes, must_run=False):
    """Refused, or sound for sh and shellcheck and, run, a caller of nothing but what the plan says."""
    code, script, err = raw('rcf-plan', '--format=sh', *words)
    if code != 0:
        expect(not script and err, '%s: refused, but a script is written' % about)
        expect(not must_run, '%s: no script: %r' % (about, err))
        return False
    same_but_fingerprint = script.replace(re.search(rb'^fingerprint=(.*)$', script, re.M).group(1), b'') if b'fingerprint=' in script else script
    if same_but_fingerprint in tried and not must_run:
        return True
    tried.add(same_but_fingerprint)
    path = folder + '/script.sh'
    write(path, script)
    for checker in (['sh', '-n', path], ['shellcheck', path]):
        process = subprocess.run(checker, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        expect(process.returncode == 0, '%s: %s: %s' % (about, checker[0], process.stdout.decode()[:400]))
    plan = json.loads(raw('rcf-plan', '--json', *words)[1])
    if not plan['steps']:
        return False
    process, log = run_script(folder, script, plan, nodes, words[-1])
    expect(not glob.glob(folder + '/**/pwned', recursive=True) and not os.path.exists('pwned'), '%s: a file pwned appeared' % about)
    wanted = [step['argv'] for step in plan['steps'] if step['kind'] in ('change', 'destroy') and 'cli' in step['argv'][0] + step['argv'][-1]
              or step['action'] == 'add-node']
    wanted = [argv for argv in wanted if 'MIGRATE' not in argv]
    reads = (['CLUSTER', 'NODES'], ['CLUSTER', 'MYID'], ['CLUSTER', 'INFO'], ['INFO'], ['INFO', 'keyspace'], ['INFO', 'persistence'], ['INFO', 'replication'],
             ['CONFIG', 'GET', 'dir'], ['PING'])
    piped = [call for call in log if call[5:6] == ['|']]
    for line in [line for call in piped for line in call[6:]]:
        expect(re.fullmatch(SPOKEN, line), '%s: said to a server: %r' % (about, line))
    changes = [call for call in log if call[0] not in ('ssh', 'sleep') and call[5:] not in reads and call not in piped]
    known = {member['address'] for member in plan['members']} | {plan['target']}
    for call in log:
        if call[0] in ('redis-cli', 'valkey-cli') and call[1:2] == ['-h']:
            expect('%s:%s' % (call[2], call[4]) in known, '%s: a call to somebody else: %r' % (about, call))
    if must_run:
        same(process.returncode, 0, '%s: the script: %r' % (about, process.stderr))
        same(changes, wanted, '%s: what the script changes' % about)
        same([call[1] for call in log if call[0] == 'ssh'], [plan['target'].rsplit(':', 1)[0]] * len([call for call in log if call[0] == 'ssh']),
             '%s: hosts' % about)
    else:
        same(changes, wanted[:len(changes)], '%s: what the script changes' % about)
    return True if not piped else [line for call in piped for line in call[6:] if line.startswith('MIGRATE')]


def live_nodes(case):
    """CLUSTER NODES of a member, as the plan expects it."""
    text = read(case + '/hosts/127.0.0.6/7000/nodes_7000.conf').decode('utf-8', 'surrogateescape')
    return ''.join(line + '\n' for line in text.split('\n') if line and not line.startswith('vars'))


def check_plans(folder):
    """The plans of a sound case run to their end."""
    case = new_case(folder)
    for goal in ('rejoin', 'remove'):
        check_script(folder, goal, [goal, NODE, case], live_nodes(case), must_run=True)
        fingerprint = json.loads(raw('rcf-plan', '--json', goal, NODE, case)[1])['fingerprint']
        for name in ('nodes_7002.conf', 'dump_7002.rdb'):
            same(read('%s/run/data/%s.rcf-keep-%s' % (folder, name, fingerprint)), read('%s/hosts/127.0.0.6/7002/%s' % (CASE, name)),
                 '%s: the copy of %s' % (goal, name))
        same(os.path.exists(folder + '/run/data/nodes_7002.conf'), goal == 'rejoin', '%s: nodes.conf' % goal)


# ---------------------------------------------------------------- the places

VIEWING = ('rcf-check', 'rcf-diff', 'rcf-nodes', 'rcf-plan', 'rcf-prejoin', 'rcf-timeline', 'rcf-topology')


def check_words(folder):
    """Payloads in each field of nodes.conf, in all files alike."""
    size = len(IDS)
    for place in PLACES:
        for start in range(0, len(PAYLOADS), size):
            about, payloads = 'payloads %d in %s' % (start, place), PAYLOADS[start:start + size]
            case = new_case(folder)
            for path in glob.glob(case + '/hosts/*/*/nodes*'):
                write(path, poisoned(read(path), place, payloads))
            # The target keeps its name in other files, where it has one at all.
            check_everything(case, about, ID[:12] if place != 'id' else NODE, only=VIEWING)
            check_script(folder, about, ['rejoin', ID, case], live_nodes(case))


def check_texts(folder):
    """Lines that are no node lines, and a file without line ends."""
    case = new_case(folder)
    victims = sorted(glob.glob(case + '/hosts/*/*/nodes*'))
    for k, payload in enumerate(PAYLOADS):
        path = victims[k % len(victims)]
        write(path, read(path) + payload + b' ' + payload + b'\n' + b'vars currentEpoch ' + payload + b'\n')
    check_everything(case, 'hostile lines')
    for path in victims:
        write(path, read(path).replace(b'\n', b' ').strip())
    check_everything(case, 'no line ends')
    for path in victims:
        write(path, b''.join(PAYLOADS) * 100)
    check_everything(case, 'payloads only')


def check_settings(folder):
    """Paths of redis.conf are names to look for in the case and are never opened as they stand."""
    case = new_case(folder)
    os.makedirs(folder + '/outside', exist_ok=True)
    write(folder + '/outside/dump.rdb', b'REDIS0008 secret')
    lines = [b'dir /etc', b'dbfilename ../../../../etc/passwd', b'include /etc/shadow', b'include ' + folder.encode() + b'/outside/*.rdb',
             b'cluster-config-file /etc/passwd', b'appendonly yes', b'appendfilename "$(touch pwned)"', b'appenddirname ../../../etc',
             b'logfile "/etc/\x1b[31mpasswd"', b'aclfile /etc/passwd', b'unixsocket /etc/passwd', b'loadmodule /etc/passwd',
             b'requirepass "\x1b]0;title\x07"', b'cluster-announce-ip $(touch${IFS}pwned)', b'save "\x1b[2J"', b'\x1b[31mword =1+1']
    for path in glob.glob(case + '/hosts/*/*/redis*.conf'):
        write(path, read(path) + b'\n'.join(lines) + b'\n')
    os.symlink('/etc/passwd', case + '/hosts/127.0.0.6/7000/appendonly.aof')
    os.symlink('/etc', case + '/hosts/127.0.0.6/7000/appendonlydir')
    os.symlink(folder + '/outside/dump.rdb', case + '/hosts/127.0.0.6/7000/other.rdb')
    os.mkfifo(case + '/hosts/127.0.0.6/7000/fifo.rdb')
    check_everything(case, 'hostile redis.conf')
    for name in commands():
        for words in calls(name, places(case)):
            check_calls(case, name, words, folder + '/strace')
    for name, words, _ in all_calls(places(case)):
        _, out, err = raw(name, *words)
        expect(b'root:' not in out + err and b'secret' not in out + err, '%s shows a file that is outside the case' % title(name, words))


def check_names(folder):
    """Names of files and folders."""
    case = new_case(folder).encode()
    sources = [case + b'/hosts/127.0.0.6/7001/' + name for name in (b'nodes_7001.conf', b'dump_7001.rdb', b'redis_7001.conf', b'redis_7001.log')]
    names = [payload for payload in PAYLOADS if b'/' not in payload and b'\0' not in payload and len(payload) < 200]
    for k, name in enumerate(names):
        source = sources[k % len(sources)]
        shutil.copy(source, case + b'/hosts/127.0.0.6/' + name + os.path.splitext(source)[1])
        os.mkdir(case + b'/hosts/' + name)
        shutil.copy(source, case + b'/hosts/' + name)
    check_everything(case.decode(), 'hostile names')
    for name in (b'-rf', b'=cmd|calc', b'$(touch pwned)', b'\x1b[31mred\x1b[0m', b'x\ny', b'\xff\xfe'):
        os.rename(case, os.path.join(folder.encode(), name))
        for command, words, form in all_calls(places(os.path.join(folder, os.fsdecode(name)))):
            if form == 'text' and '--manifest' not in words:
                _, out, err = raw(command, *words)
                check_output('case %r: %s' % (name, command), form, out, err)
        os.rename(os.path.join(folder.encode(), name), case)


# ---------------------------------------------------------------- dumps


def crc64_table():
    """CRC-64/Jones, reflected, as Redis takes it over a dump."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x95ac9329ac4bc9b5 if byte & 1 else 0)
        table.append(byte)
    return table


def crc64(data, table=tuple(crc64_table())):
    crc = 0
    for byte in data:
        crc = table[(crc ^ byte) & 0xff] ^ crc >> 8
    return crc


def length(value):
    return bytes([value]) if value < 64 else bytes([0x40 | value >> 8, value & 0xff]) if value < 16384 else b'\x80' + struct.pack('>I', value)


def string(text):
    return length(len(text)) + text


def dump_of(keys):
    body = b'REDIS0008' + b'\xfa' + string(b'redis-ver') + string(b'4.0.1') + b'\xfa' + string(b'\x1b[31m') + string(b'=1+1')
    body += b'\xfe\x00\xfb' + length(2 * len(keys)) + length(0)
    for key in keys:
        body += b'\x00' + string(key) + string(key)
        body += b'\x04' + string(b'h' + key) + length(1) + string(key) + string(key)
    body += b'\xff'
    return body + struct.pack('<Q', crc64(body))


def check_keys(folder):
    """Keys, values and auxiliary fields of a dump; the target's, so that a plan has to name them."""
    same(crc64(b'123456789'), 0xe9c6d914c4b8d9ca, 'the checksum of this test')
    case = new_case(folder)
    write(case + '/hosts/127.0.0.6/7002/dump_7002.rdb', dump_of(PAYLOADS))
    check_everything(case, 'hostile keys')
    code, out, err = raw('rcf-plan', 'rejoin', NODE, case)
    same((code, out), (1, b''), 'a plan that would lose keys')
    expect(b'touch' in err, 'the plan names the keys: %r' % err[:300])
    lost = json.loads(raw('rcf-plan', '--json', 'rejoin', NODE, case)[1])['destroys']['keys_only_here']
    same(lost, str(2 * len(PAYLOADS)), 'keys that would be lost')
    check_script(folder, 'hostile keys', ['--accept-loss=' + lost, 'rejoin', NODE, case], live_nodes(case))
    check_rescue(folder, case)


def check_rescue(folder, case):
    """The names that are carried are exactly those of the dump, byte by byte."""
    names = [payload for payload in PAYLOADS if 0 < len(payload) <= 800]
    write(case + '/hosts/127.0.0.6/7002/dump_7002.rdb', dump_of(names))
    said = check_script(folder, 'keys that are rescued', ['--rescue', 'rejoin', NODE, case], live_nodes(case))
    if expect(isinstance(said, list), 'keys are carried by standard input'):
        carried = {bytes.fromhex(line.rsplit('"', 2)[1].replace('\\x', '')) for line in said}
        same(carried, {name for key in names for name in (key, b'h' + key)}, 'names of keys that were carried')


def check_logs(folder):
    case = new_case(folder)
    for path in glob.glob(case + '/hosts/*/*/redis*.log'):
        lines = [b'1:M 22 Nov 2026 15:06:40.452 # ' + payload + b' Cluster state changed: ' + payload for payload in PAYLOADS]
        lines += [b'1:M 22 Nov 2026 15:06:40.452 # Marking node ' + payload + b' as failing (quorum reached).' for payload in PAYLOADS]
        write(path, b'\n'.join(PAYLOADS) + b'\n' + read(path) + b'\n'.join(lines))
    check_everything(case, 'hostile logs')


# ---------------------------------------------------------------- damage


def check_cut(folder):
    source = read(CASE + '/hosts/127.0.0.6/7000/nodes_7000.conf')
    for size in (1, 39, 41, len(source) // 2, len(source) - 20, len(source) - 1):
        case = new_case(folder)
        write(case + '/hosts/127.0.0.6/7000/nodes_7000.conf', source[:size])
        check_everything(case, 'nodes.conf cut to %d bytes' % size)
        same(raw('rcf-nodes', case + '/hosts/127.0.0.6/7000/nodes_7000.conf')[0], 1, 'rcf-nodes of a nodes.conf cut to %d bytes' % size)
        found = {json.loads(line)['finding'] for line in raw('rcf-check', '--format=jsonl', case)[1].splitlines()}
        expect(found & {'nodesconf-truncated', 'nodesconf-corrupt'}, 'nodes.conf cut to %d bytes: only %r' % (size, sorted(found)))
    source = read(CASE + '/hosts/127.0.0.6/7000/dump_7000.rdb')
    for size in (1, 5, 9, 60, len(source) // 2, len(source) - 8, len(source) - 1):
        case = new_case(folder)
        write(case + '/hosts/127.0.0.6/7000/dump_7000.rdb', source[:size])
        check_everything(case, 'dump cut to %d bytes' % size)
        if 'rcf-rdb-check' in commands():
            same(raw('rcf-rdb-check', case + '/hosts/127.0.0.6/7000/dump_7000.rdb')[0], 1, 'rcf-rdb-check of a dump cut to %d bytes' % size)
        found = {json.loads(line)['finding'] for line in raw('rcf-check', '--format=jsonl', case)[1].splitlines()}
        expect(found & {'dump-truncated', 'dump-corrupt'}, 'dump cut to %d bytes: only %r' % (size, sorted(found)))


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        for check in (check_plans, check_words, check_texts, check_settings, check_names, check_keys, check_logs, check_cut):
            check(folder)


if __name__ == '__main__':
    main()
    finish()
