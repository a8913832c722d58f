"""Module: every command of the build, how it is called on a case, and how its answers are read back."""
import csv
import glob
import hashlib
import io
import json
import os
import re
import stat
import subprocess

from support import BUILD, expect

CASE = 'fixtures/story-redis-4.0.1/06-stale-restarted'

# The ways to call a command; {names} are of places(). A command of the build without a row is an error.
CALLS = {
    'rcf-check': ['{case}', '--verbose {case}'],
    'rcf-diff': ['{case}', '{nodes} {other_nodes}'],
    'rcf-identify': ['{case}', '--manifest {case}'],
    'rcf-log': ['{log}'],
    'rcf-nodes': ['{nodes}', '--verbose {nodes} {other_nodes}'],
    'rcf-plan': ['rejoin {node} {case}', 'remove {node} {case}'],
    'rcf-prejoin': ['{instance}', '--cluster {case} {instance}'],
    'rcf-rdb-check': ['{dump}', '--verbose {dump} {other_dump}'],
    'rcf-rdb-diff': ['{dump} {other_dump}'],
    'rcf-rdb-keys': ['{other_dump}', '--expires=never {dump} {other_dump}'],
    'rcf-rdb-stat': ['{dump}', '{dump} {other_dump}'],
    'rcf-timeline': ['{case}', '--events {case}'],
    'rcf-topology': ['{case}', '--table=slots {case}', '--table=views {case}', '--table=tolerance {case}', '--table=pairs {case}'],
}

# What a path stands for in a call: a directory would be asked of no file, a file of no directory.
FILES = ('{nodes}', '{other_nodes}', '{dump}', '{other_dump}', '{log}')


def commands():
    found = sorted(os.path.basename(path) for path in glob.glob(os.path.join(BUILD, 'rcf-*')) if os.access(path, os.X_OK))
    expect(found, 'no command in %s' % BUILD)
    for name in found:
        expect(name in CALLS, '%s has no row in tests/cli/commands.py' % name)
    for path in glob.glob('tools/rcf-*.c'):
        expect(os.path.basename(path)[:-2] in found, '%s is not built' % path)
    return [name for name in found if name in CALLS]


def places(case, node='127.0.0.6:7002'):
    """The values of the names in CALLS for a case in the layout hosts/IP/PORT."""
    ip, port = node.rsplit(':', 1)
    folder, other = '%s/hosts/%s/%s' % (case, ip, port), '%s/hosts/%s/7000' % (case, ip)
    return {'case': case, 'node': node, 'instance': folder, 'nodes': '%s/nodes_%s.conf' % (folder, port),
            'dump': '%s/dump_%s.rdb' % (folder, port), 'log': '%s/redis_%s.log' % (folder, port),
            'other_nodes': other + '/nodes_7000.conf', 'other_dump': other + '/dump_7000.rdb'}


def calls(name, values):
    for call in CALLS[name]:
        yield [word.format(**values) for word in call.split()]


def formats(name, words):
    """The formats that the help offers, and that the options of this call leave free."""
    help_text = raw(name, '--help')[1].decode()
    listed = re.search(r'--format=FORMAT.*?\(([a-z, \n]+)\)', help_text, re.S)
    found = [word.strip() for word in listed.group(1).split(',')] if listed else ['text']
    if '--manifest' in words:
        return ['text']
    if any(word.startswith('--table') for word in words):
        found = [word for word in found if word != 'dot']
    return found


def raw(name, *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **how):
    """Exit code, standard output and standard error as bytes. A command that needs more than 60 s hangs."""
    try:
        process = subprocess.run([os.path.abspath(os.path.join(BUILD, name)), *words], stdin=stdin, stdout=stdout,
                                 stderr=subprocess.PIPE, timeout=60, **how)
    except subprocess.TimeoutExpired:
        expect(False, '%s hangs' % title(name, words))
        return -1, b'', b''
    expect(process.returncode in (0, 1, 2), '%s: exit code %d: %r' % (title(name, words), process.returncode, process.stderr[-300:]))
    return process.returncode, process.stdout, process.stderr


def title(name, words):
    return ' '.join([name, *(os.fsdecode(word) for word in words)]).encode('unicode_escape').decode()


def is_printable(data):
    """Nothing that a terminal would interpret: printable characters of UTF-8 and line feeds."""
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError:
        return False
    return all(c == '\n' or c.isprintable() for c in text)


def refuse_constant(word):
    raise ValueError('%s is not JSON' % word)


def unique_pairs(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError('a key occurs twice')
    return dict(pairs)


def strict_json(text):
    return json.loads(text, parse_constant=refuse_constant, object_pairs_hook=unique_pairs)


def is_safe_cell(cell):
    """No spreadsheet takes it for a formula."""
    return cell[:1] not in ('=', '+', '-', '@', '\t', '\r', '\n') or re.fullmatch(r'-?[0-9]+(\.[0-9]+)?', cell)


def check_output(what, form, data, errors=b''):
    """The promises that hold for every byte that is written, whatever the evidence is."""
    expect(is_printable(errors), '%s: standard error is not printable: %r' % (what, errors[:300]))
    if form == 'csv':
        expect(is_printable(data.replace(b'\r\n', b'\n')), '%s: not printable: %r' % (what, data[:300]))
        rows = list(csv.reader(io.StringIO(data.decode('utf-8', 'replace'), newline=''), strict=True))
        expect(len({len(row) for row in rows}) <= 1, '%s: rows of different length' % what)
        for cell in (cell for row in rows for cell in row):
            if not expect(is_safe_cell(cell), '%s: a cell is a formula: %r' % (what, cell)):
                return
        return
    expect(is_printable(data), '%s: not printable: %r' % (what, first_unprintable(data)))
    try:
        if form == 'json' and data:
            document = strict_json(data.decode())
            expect(isinstance(document.get('schema'), str) and isinstance(document.get('version'), int), '%s: no schema and version' % what)
        elif form == 'jsonl':
            for line in data.decode().splitlines():
                strict_json(line)
    except ValueError as error:
        expect(False, '%s: %s' % (what, error))


def first_unprintable(data):
    for line in data.split(b'\n'):
        if not is_printable(line):
            return line[:300]
    return b''


def all_calls(values):
    """Every command in every way and every format."""
    for name in commands():
        for words in calls(name, values):
            for form in formats(name, words):
                yield name, ['--format=' + form, *words] if form != 'text' else words, form


def tree(folder):
    """The folder and everything below it."""
    return sorted([folder, *(os.path.join(base, name) for base, folders, files in os.walk(folder) for name in folders + files)])


def look(paths):
    """Everything about files and folders that a command could change. Looking itself moves no access time."""
    state = {}
    for path in paths:
        about = os.lstat(path)
        content = b''
        if stat.S_ISREG(about.st_mode):
            with open(os.open(path, os.O_RDONLY | os.O_NOATIME), 'rb') as file:
                content = file.read()
        state[path] = (hashlib.sha256(content).hexdigest(), about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_atime_ns,
                       about.st_mode, about.st_nlink, about.st_ino)
    return state
