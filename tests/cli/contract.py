"""What holds for every command of the build: help, usage, exit codes, messages, odd operands, lost output, and answers that
depend on nothing but the evidence. Commands are found in the build folder; how each is called stands in commands.py."""
import os
import re
import shutil
import subprocess
import tempfile

from commands import CALLS, CASE, FILES, all_calls, calls, check_output, commands, formats, is_printable, places, raw, title
from support import BUILD, expect, finish, same

SGR = re.compile(rb'\x1b\[[0-9;]*m')


def check_help(name):
    for option in ('--help', '-h'):
        code, out, err = raw(name, option)
        same((code, err), (0, b''), '%s %s' % (name, option))
    text = out.decode()
    check_output(name + ' --help', 'text', out)
    expect(text.startswith('Usage: %s ' % name), '%s --help does not begin with its usage' % name)
    expect(all(len(line) <= 120 for line in text.splitlines()), '%s --help has lines over 120 columns' % name)
    for option in ('--format', '--json', '--color', '--quiet', '--verbose', '--help', '--version'):
        expect(option in text, '%s --help does not name %s' % (name, option))
    same(re.findall(r'^  ([012])  ', text, re.M)[:1], ['0'], '%s --help: exit status' % name)
    sections = re.findall(r'^([A-Z][A-Za-z ]*):$', text, re.M)
    same(sections[-1:], ['Examples'], '%s --help ends with examples' % name)
    code, out, err = raw(name, '--version')
    same((code, err, out), (0, b'', raw(name, '-V')[1]), '%s --version' % name)
    expect(re.fullmatch(r'%s \(rcf\) [0-9]+\.[0-9]+\.[0-9]+\n' % name, out.decode()), '%s --version: %r' % (name, out))
    examples = text.split('\nExamples:\n', 1)[-1].splitlines()
    expect(examples, '%s --help has no example' % name)
    for line in examples:
        check_example(name, line.strip())


def check_example(name, line):
    expect(re.search(r'\b%s ' % name, line), '%s: an example of something else: %s' % (name, line))
    environment = dict(os.environ, PATH=os.path.abspath(BUILD) + ':' + os.environ['PATH'])
    process = subprocess.run(['sh', '-c', line], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=60)
    expect(process.returncode in (0, 1), 'example: %s: exit code %d: %r' % (line, process.returncode, process.stderr))
    expect(process.stdout or process.returncode == 1, 'example: %s: says nothing' % line)


def check_usage(name):
    hint = "Try '%s --help' for more information.\n" % name
    wrong = [['-', '-'], ['--no-such-option', 'x'], ['-%', 'x'], ['--format=none', 'x'], ['--color=none', 'x'], ['--format'], ['--quiet=yes', 'x'], []]
    for words in wrong:
        code, out, err = raw(name, *words)
        same((code, out), (2, b''), title(name, words))
        expect(err.decode().startswith(name + ': ') and err.decode().endswith(hint), '%s: no hint at --help: %r' % (title(name, words), err))
    code, _, err = raw(name, '--=x\x1b[2J\n')
    expect(code == 2 and is_printable(err), '%s: a hostile option: %r' % (name, err))


def replaced(name, place, path):
    """The calls that use a place, with another path there."""
    values = dict(places(CASE), **{place[1:-1]: path})
    for call in CALLS[name]:
        if place in call.split():
            yield [word.format(**values) for word in call.split()]


def check_operands(name, folder):
    odd = {
        'missing': os.path.join(folder, 'missing', 'file'),
        'fifo': os.path.join(folder, 'fifo'),
        'device': '/dev/null',
        'link in a loop': os.path.join(folder, 'loop'),
        'hostile name': os.path.join(folder, 'none\x1b[31m\n=cmd'),
    }
    for place in {word for call in CALLS[name] for word in call.split() if word.startswith('{') and word != '{node}'}:
        cases = dict(odd)
        if place in FILES and name != 'rcf-diff':
            cases['folder'] = os.path.join(folder, 'empty')
        for what, path in cases.items():
            for words in replaced(name, place, path):
                code, out, err = raw(name, *words)
                about = '%s (%s)' % (title(name, words), what)
                same(code, 2, about)
                expect(is_printable(out) and is_printable(err), '%s: not printable: %r' % (about, err))
                expect(err.startswith(name.encode() + b': '), '%s: message: %r' % (about, err))
                shown = path if what != 'hostile name' else os.path.join(folder, 'none\\x1b[31m')
                expect(shown in err.decode(), '%s: the message does not name it: %r' % (about, err))
        for what in ('empty', 'nothing'):
            path = os.path.join(folder, what)
            for words in replaced(name, place, path):
                code, out, err = raw(name, *words)
                expect(code != 2 or err.startswith(name.encode() + b': '), '%s: exit code 2 without a message' % title(name, words))
                for form in formats(name, words):
                    _, out, err = raw(name, '--format=' + form, *words)
                    check_output(title(name, ['--format=' + form, *words]), form, out, err)


def check_dashes(name, folder):
    """After -- a word that begins with a dash is a path, and a path alone is not mistaken for an option."""
    shutil.copytree(CASE, os.path.join(folder, '-x'))
    for words in calls(name, places('-x')):
        if '--cluster' in words:
            continue  # its CASE is no operand
        options = [word for word in words if word.startswith('--')]
        operands = [word for word in words if word not in options]
        code, _, err = raw(name, *options, '--', *operands, cwd=folder)
        expect(code in (0, 1), '%s with --: exit code %d: %r' % (title(name, words), code, err))
    shutil.rmtree(os.path.join(folder, '-x'))


def check_lost_output(name):
    for words in calls(name, places(CASE)):
        for form in formats(name, words):
            command = words if form == 'text' else ['--format=' + form, *words]
            if not raw(name, *command)[1]:
                continue
            with open('/dev/full', 'wb') as full:
                code, _, err = raw(name, *command, stdout=full)
            expect(code == 2 and b'No space left' in err and err.startswith(name.encode() + b': '),
                   '%s >/dev/full: exit code %d, %r' % (title(name, command), code, err))
            reader, writer = os.pipe()
            os.close(reader)
            code, _, err = raw(name, *command, stdout=writer)
            os.close(writer)
            same(code, 2, '%s into a closed pipe' % title(name, command))
    for option in ('--help', '--version'):
        with open('/dev/full', 'wb') as full:
            code, _, err = raw(name, option, stdout=full)
        expect(code == 2 and err, '%s %s >/dev/full: exit code %d, %r' % (name, option, code, err))
    words = next(calls(name, places(CASE)))
    process = subprocess.run(['sh', '-c', 'exec "$0" "$@" >&-', os.path.join(BUILD, name), *words], stderr=subprocess.PIPE)
    expect(process.returncode == 2 and process.stderr, '%s without standard output: exit code %d' % (name, process.returncode))


def check_quiet(name):
    for words in calls(name, places(CASE)):
        loud, quiet = raw(name, *words), raw(name, '--quiet', *words)
        same((quiet[0], quiet[1]), (loud[0], b''), '%s --quiet' % title(name, words))


def check_formats(name, words, form):
    code, out, err = raw(name, *words)
    check_output(title(name, words), form, out, err)
    if form == 'text':
        colour = raw(name, '--color=always', *words)
        same(SGR.sub(b'', colour[1]), out, '%s --color=always without its colours' % title(name, words))
        expect(b'\x1b' not in SGR.sub(b'', colour[1]), '%s --color=always: more than colours' % title(name, words))
        same(raw(name, '--color=always', *words, env=dict(os.environ, COLUMNS='40'))[1], colour[1], '%s: width' % title(name, words))
    elif form in ('json', 'csv'):
        same(raw(name, '--' + form, *words[1:])[1], out, '%s and --%s' % (title(name, words), form))


def check_surroundings():
    """The same bytes whatever the locale, the time zone, the working directory, the umask and the terminal are."""
    values = places(os.path.abspath(CASE))
    others = [
        dict(env=dict(os.environ, LANG='tr_TR.UTF-8', LC_ALL='tr_TR.UTF-8', LANGUAGE='tr', TZ='Asia/Kathmandu')),
        dict(env={'TZ': 'America/Los_Angeles', 'TERM': 'xterm-256color', 'PATH': '/nonexistent', 'COLUMNS': '20', 'HOME': '/nonexistent'}),
        dict(cwd='/', umask=0o777),
    ]
    for name, words, _ in all_calls(values):
        expected = raw(name, *words)
        for surroundings in others:
            same(raw(name, *words, **surroundings), expected, '%s under %r' % (title(name, words), sorted(surroundings)))


def copy_in_order(folder, names):
    for name in names:
        target = os.path.join(folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(CASE, name), target)


def check_directory_order():
    """On tmpfs a directory lists the newest name first, so that the order of creation is the order of reading."""
    base = tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None)
    folder = os.path.join(base, 'case')
    names = sorted(os.path.relpath(os.path.join(at, name), CASE) for at, _, files in os.walk(CASE) for name in files)
    answers, orders = [], []
    try:
        for order in (names, names[::-1]):
            copy_in_order(folder, order)
            orders.append([entry.name for at, _, _ in sorted(os.walk(folder)) for entry in os.scandir(at)])
            answers.append([(title(name, words), raw(name, *words)) for name, words, _ in all_calls(places(folder))])
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(base)
    if orders[0] == orders[1]:
        print('skipped: this file system lists names in an order of its own')
    for first, second in zip(*answers):
        same(second, first, 'with names in another order')


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(os.path.join(folder, 'fifo'))
        os.symlink('loop', os.path.join(folder, 'loop'))
        os.mkdir(os.path.join(folder, 'empty'))
        with open(os.path.join(folder, 'nothing'), 'wb'):
            pass
        for name in commands():
            check_help(name)
            check_usage(name)
            check_operands(name, folder)
            check_dashes(name, folder)
            check_lost_output(name)
            check_quiet(name)
    for name, words, form in all_calls(places(CASE)):
        check_formats(name, words, form)
    check_surroundings()
    check_directory_order()


main()
finish()
