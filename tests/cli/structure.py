"""The shape of the sources: arrows between the steps, what the parsers may call, where a main stands, banned calls, names, sizes,
a schema for each command that writes JSON, headers that compile alone."""
import glob
import json
import os
import re
import subprocess
import tempfile

from commands import all_calls, commands, formats, places, raw, strict_json, title, CASE
from support import BUILD, expect, finish, same, validate

# A file includes headers of its own step and of earlier ones. The generic half of render is known to the later steps alone,
# and knows none of them.
STEPS = ['parsers', 'tools/evidence', 'tools/keyspace', 'tools/cluster', 'tools/history', 'tools/findings', 'tools/plan', 'tools/render', 'tools/cli', 'commands']
GENERIC = ('out', 'escape', 'json', 'cell', 'table', 'row', 'row_mould', 'row_private', 'put', 'time', 'format')
FOUNDATIONS = ('parsers/bytes', 'parsers/memory', 'parsers/parse.h')
MOST_LINES = 700

# A parser does not print, end the process, or look at the clock or the environment; it formats into buffers that it owns.
FORBIDDEN = set('''printf fprintf vprintf vfprintf dprintf vdprintf sprintf vsprintf asprintf vasprintf puts fputs putc fputc putchar putw
    fwrite write pwrite perror psignal exit _exit _Exit quick_exit abort raise kill signal sigaction longjmp __longjmp __assert
    __assert_fail getenv secure_getenv environ setlocale time gettimeofday clock_gettime clock localtime localtime_r gmtime gmtime_r
    mktime strftime ctime fopen fdopen freopen open creat popen system fork execve mmap rand random getrandom'''.split())
BANNED = ('strcpy', 'strcat', 'sprintf', 'vsprintf', 'strtok', 'atoi', 'atol', 'atoll', 'atof', 'localtime', 'gmtime', 'alloca', 'gets')
UNFINISHED = tuple(a + b for a, b in (('TO', 'DO'), ('FIX', 'ME'), ('XX', 'X')))
EMPTY_NAMES = ('common', 'util', 'utils', 'helper', 'helpers', 'misc')


def sources(*patterns):
    return sorted(path for pattern in patterns for path in glob.glob(pattern, recursive=True))


def code_of(path):
    """The text with comments and the contents of strings blanked, so that words in them are not taken for calls."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', lambda m: re.sub(r'[^\n]', ' ', m.group()), text, flags=re.S)


def includes(path):
    with open(path, encoding='utf-8') as file:
        return re.findall(r'^\s*#\s*include\s+"([^"]+)"', file.read(), re.M)


def step_of(path):
    if path.startswith('parsers/'):
        return 'parsers'
    return os.path.dirname(path) if path.count('/') > 1 else 'commands'


def is_generic(path):
    stem = os.path.splitext(os.path.basename(path))[0]
    return os.path.dirname(path) == 'tools/render' and stem in GENERIC


def check_arrows():
    for path in sources('parsers/**/*.[ch]', 'tools/**/*.[ch]'):
        step = step_of(path)
        if not expect(step in STEPS, '%s: a folder that is no step' % path):
            continue
        for header in includes(path):
            if header.startswith('docs/'):
                continue
            about = '%s includes %s' % (path, header)
            expect(os.path.exists(header), '%s, which is not written from the top of the tree' % about)
            expect(STEPS.index(step_of(header)) <= STEPS.index(step), '%s: a back arrow' % about)
            expect(not header.endswith('.c'), about)
            if header.startswith('tools/cli/'):
                expect(step in ('tools/cli', 'commands'), '%s: the command line is for commands only' % about)
            if is_generic(path):
                expect(header.startswith('parsers/') or is_generic(header), '%s: the generic half of render knows no evidence' % about)
            if header.endswith('_private.h'):
                expect(os.path.dirname(header) == os.path.dirname(path), '%s, which is private to its folder' % about)
            if os.path.dirname(path) in FOUNDATIONS:
                expect(header.startswith(FOUNDATIONS), '%s: a format is not known here' % about)


def check_mains():
    for path in sources('parsers/**/*.c', 'tools/**/*.c'):
        has_main = re.search(r'^int main\(', code_of(path), re.M) is not None
        same(has_main, os.path.dirname(path) == 'tools', '%s has a main' % path)
        expect(os.path.dirname(path) != 'tools' or os.path.basename(path).startswith('rcf-'), '%s is no command' % path)


def symbols(path):
    """Symbols that an object needs, without the marks of fortified variants."""
    listing = subprocess.run(['nm', '--undefined-only', '--format=posix', path], stdout=subprocess.PIPE, check=True).stdout.decode()
    for line in listing.splitlines():
        name = line.split()[0].split('@')[0]
        yield name[2:-4] if name.startswith('__') and name.endswith('_chk') else name


def check_symbols():
    objects = [os.path.join(BUILD, path[:-2] + '.o') for path in sources('parsers/**/*.c')]
    for path in objects:
        if expect(os.path.exists(path), '%s is not built' % path):
            found = set(symbols(path)) & FORBIDDEN
            expect(not found, '%s calls %s' % (path, ', '.join(sorted(found))))


def check_text():
    call = re.compile(r'\b(%s)\s*\(' % '|'.join(BANNED))
    mark = re.compile(r'\b(%s)\b' % '|'.join(UNFINISHED))
    for path in sources('parsers/**/*.[ch]', 'tools/**/*.[ch]', 'tests/**/*.[ch]'):
        for found in call.finditer(code_of(path)):
            expect(False, '%s calls %s' % (path, found.group(1)))
        for number, line in enumerate(code_of(path).splitlines(), 1):
            is_assert = re.search(r'(?<!static_)(?<!_Static_)\bassert\(', line) and not path.startswith('tests/')
            expect(not is_assert, '%s:%d: assert on input' % (path, number))
    for path in sources('parsers/**/*', 'tools/**/*', 'tests/unit/*', 'tests/cli/*.py', 'tests/live/*.py', 'tests/fuzz/*', 'docs/**/*',
                        'Makefile', 'README.md'):
        if os.path.isfile(path) and '__pycache__' not in path:
            with open(path, encoding='utf-8') as file:
                text = file.read()
            expect(not mark.search(text), '%s: unfinished: %s' % (path, mark.findall(text)[:1]))
            expect(not re.search(r'[ \t]$', text, re.M) or path.endswith('.md'), '%s: blanks at the end of a line' % path)


def check_sizes():
    sizes = {}
    for path in sources('parsers/**/*.[ch]', 'tools/**/*.[ch]'):
        with open(path, encoding='utf-8') as file:
            sizes[path] = sum(1 for _ in file)
    for path, size in sizes.items():
        expect(size <= MOST_LINES, '%s has %d lines' % (path, size))


def check_names():
    for path in sources('parsers/**/*', 'tools/**/*', 'tests/**/*', 'docs/**/*'):
        for word in re.split(r'[/._-]', path.lower()):
            expect(word not in EMPTY_NAMES, '%s: a name that says nothing' % path)


def check_schemas():
    """What commands write as JSON is valid by the schema that it names; every line of jsonl is JSON."""
    for name in commands():
        if 'json' in formats(name, []):
            expect(os.path.exists('docs/schema/%s.json' % name), 'docs/schema/%s.json is missing' % name)
    for path in sources('docs/schema/*.json'):
        with open(path) as file:
            schema = strict_json(file.read())
        same(schema.get('properties', {}).get('schema', {}).get('const'), os.path.basename(path)[:-5], path)
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + '/list', 'wb') as file:
            file.write(raw('rcf-identify', '--manifest', CASE)[1])
        for words in (['--verify', folder + '/list', '--json', CASE + '/hosts/127.0.0.6'], ['--json', folder + '/missing']):
            document = json.loads(raw('rcf-identify', *words)[1])
            validate(document, document['schema'])
    for name, words, form in all_calls(places(CASE)):
        if form == 'json':
            document = json.loads(raw(name, *words)[1])
            if expect(os.path.exists('docs/schema/%s.json' % document['schema']), '%s: no schema %s' % (title(name, words), document['schema'])):
                validate(document, document['schema'])


def check_headers():
    """Built elsewhere, because the folder of the build belongs to make."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(('MAKE', 'MFLAGS'))}
        process = subprocess.run(['make', '-s', 'check-headers', 'BUILD=' + folder, 'WERROR=1'], env=environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=300)
        expect(process.returncode == 0, 'headers that do not compile alone: %s' % process.stdout.decode()[-800:])


for check in (check_arrows, check_mains, check_symbols, check_text, check_sizes, check_names, check_schemas, check_headers):
    check()
finish()
