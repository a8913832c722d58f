"""What README.md and docs/*.md show is what happens: in blocks marked `console`, each line `$ command` that calls rcf is run from
the top of the tree, and what it writes is compared with the lines below. A line `...` stands for any number of lines."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

from support import BUILD, expect, finish

# Commands of the reader's own machine, which are not run.
NOT_RUN = ('make', 'git', 'ssh', 'scp', 'rsync', 'apt', 'apt-get', 'sudo', 'redis-cli', 'valkey-cli', 'redis-trib.rb', 'redis-server', 'cd',
           'tar', 'sh', 'less', 'DRY_RUN=1', 'RCF_ON_HOST=', 'dot', 'cp', 'mkdir')


def blocks(text):
    for block in re.finditer(r'^```console\n(.*?)^```$', text, re.M | re.S):
        yield text.count('\n', 0, block.start()) + 1, block.group(1)


def steps(number, block):
    """Line number, command and expected lines; a command that ends with a backslash goes on in the next line."""
    found = []
    lines = block.split('\n')
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith('$ '):
            command, start = line[2:], at
            while command.endswith('\\') and at < len(lines):
                command = command[:-1] + lines[at].removeprefix('> ')
                at += 1
            found.append((number + start, command, []))
        elif found:
            found[-1][2].append(line)
        else:
            expect(not line, 'a block that does not begin with a command: %s' % line)
    return found


def matches(wanted, found):
    """`...` is matched by as many lines as are needed."""
    pattern = ''.join('(?:.*\n)*' if line.strip() == '...' else re.escape(line) + '\n' for line in wanted)
    return re.fullmatch(pattern, ''.join(line + '\n' for line in found)) is not None


def trimmed(lines):
    lines = list(lines)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def first_difference(wanted, found):
    for want, have in zip(wanted, found):
        if want.strip() == '...':
            break
        if want != have:
            return 'shown %r, written %r' % (want, have)
    return 'shown %d lines, written %d: %r' % (len(wanted), len(found), found[-3:])


def check_document(path):
    """In a folder of its own, so that a file that an example writes does not land in the tree."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    ran = 0
    environment = {'PATH': os.path.abspath(BUILD) + ':' + os.environ['PATH'], 'LC_ALL': 'C.UTF-8'}
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.abspath('fixtures'), folder + '/fixtures')
        for number, block in blocks(text):
            for line, command, wanted in steps(number, block):
                word = command.split()[0]
                if word.startswith(NOT_RUN) and not word.startswith('rcf-'):
                    continue
                if not expect(word.startswith('rcf-'), '%s:%d: neither a command of rcf nor one that is known: %s' % (path, line, command)):
                    continue
                if not expect(shutil.which(word, path=environment['PATH']), '%s:%d: no such command: %s' % (path, line, word)):
                    continue
                process = subprocess.run(['sh', '-c', command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
                found, wanted = trimmed(process.stdout.decode().split('\n')), trimmed(wanted)
                ran += 1
                expect(process.returncode in (0, 1, 2), '%s:%d: exit code %d' % (path, line, process.returncode))
                expect(matches(wanted, found), '%s:%d: $ %s: %s' % (path, line, command, first_difference(wanted, found)))
    return ran


def check_links(path):
    """Files that a document names by a link exist."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    for target in re.findall(r'\]\(([^)#:\s]+)(?:#[^)]*)?\)', text):
        expect(os.path.exists(os.path.join(os.path.dirname(path), target)), '%s: a link to %s, which does not exist' % (path, target))


def check_names(path):
    """Commands that a document names are built, files of the tree that it names are there."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    for name in sorted(set(re.findall(r'(?<![.\w/-])rcf-[a-z]+(?:-[a-z]+)*', text))):
        expect(shutil.which(name, path=BUILD), '%s: %s, which is no command' % (path, name))
    for name in sorted(set(re.findall(r'`((?:parsers|tools|tests|docs|fixtures)/[\w./-]+)`', text))):
        expect(os.path.exists(name), '%s: %s, which does not exist' % (path, name))


total = 0
for document in ['README.md', *sorted(glob.glob('docs/**/*.md', recursive=True))]:
    total += check_document(document)
    check_links(document)
    check_names(document)
expect(total, 'no document shows an example')
finish()
