"""Evidence is never touched: contents, sizes, modes and times, access times included, are the same after every command; no
command opens a file for writing, renames, links, removes or locks anything; read-only evidence of another owner is enough."""
import glob
import os
import pwd
import shutil
import tempfile

import commands
from commands import CASE, all_calls, look, places, raw, title, tree
from support import expect, finish, same
from tracing import check_calls


def make_old(paths):
    """Access times that any access would move, relatime or not."""
    for path in reversed(paths):
        os.utime(path, (1_000_000_000, 1_200_000_000), follow_symlinks=False)


def access_times_move(folder):
    """Whether this file system keeps them at all."""
    path = os.path.join(folder, 'probe')
    with open(path, 'w') as file:
        file.write('x')
    make_old([path])
    with open(path) as file:
        file.read()
    moved = os.stat(path).st_atime != 1_000_000_000
    os.unlink(path)
    return moved


def check_unchanged(case):
    paths = tree(case)
    make_old(paths)
    before = look(paths)
    for name, words, _ in all_calls(places(case)):
        raw(name, *words)
        after = look(paths)
        for path in paths:
            if not same(after[path], before[path], '%s: %s' % (title(name, words), path)):
                return
    same(tree(case), paths, 'files of the case')


def let_others_run(folder):
    """Copies the commands to where everybody may run them: the checkout may be its owner's alone."""
    place = os.path.join(folder, 'commands')
    os.mkdir(place)
    os.chmod(place, 0o755)
    for path in glob.glob(os.path.join(commands.BUILD, 'rcf-*')):
        shutil.copy2(path, place)
    commands.BUILD = place


def check_read_only(folder):
    """Files of mode 0400 in folders of mode 0500, owned by who reads them; then files of somebody else."""
    root = os.geteuid() == 0
    reader = pwd.getpwnam('nobody')
    how = dict(user=reader.pw_uid, group=reader.pw_gid, extra_groups=[]) if root else {}
    let_others_run(folder)
    case = os.path.join(folder, 'read-only')
    shutil.copytree(CASE, case)
    expected = [(code, out) for code, out, _ in (raw(name, *words) for name, words, _ in all_calls(places(case)))]
    for path in tree(case):
        os.chmod(path, 0o500 if os.path.isdir(path) else 0o400)
        if root:
            os.chown(path, reader.pw_uid, reader.pw_gid)
    try:
        for (name, words, _), wanted in zip(all_calls(places(case)), expected):
            code, out, err = raw(name, *words, **how)
            same((code, out), wanted, '%s on read-only files: %r' % (title(name, words), err))
            expect(b'access time' not in err, '%s: own access times are kept: %r' % (title(name, words), err))
        if not root:
            print('skipped: files of another owner, which only root can make')
            return
        for path in tree(case):
            os.chmod(path, 0o555 if os.path.isdir(path) else 0o444)
            os.chown(path, 0, 0)
        for (name, words, _), wanted in zip(all_calls(places(case)), expected):
            code, out, err = raw(name, *words, **how)
            same((code, out), wanted, "%s on another owner's files: %r" % (title(name, words), err))
            expect(b'access time' in err, '%s: does not say that access times may have moved: %r' % (title(name, words), err))
        victim = places(case)['nodes']
        os.chmod(victim, 0)
        for name, words, _ in all_calls(places(case)):
            if victim not in words and not any(word in (case, os.path.dirname(victim)) for word in words):
                continue
            code, out, err = raw(name, *words, **how)
            expect(code == 2 and b'Permission denied' in err and b'nodes_7002.conf' in err,
                   '%s with a file that may not be read: exit code %d, %r' % (title(name, words), code, err))
    finally:
        for path in tree(case):
            os.chmod(path, 0o700)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        if not access_times_move(folder):
            print('skipped: this file system keeps no access times, so nothing can be told about them')
        case = os.path.join(os.path.realpath(folder), 'case')
        shutil.copytree(CASE, case)
        check_unchanged(case)
        for name, words, form in all_calls(places(case)):
            if form == 'text':
                check_calls(case, name, words, os.path.join(folder, 'strace'))
        check_read_only(os.path.realpath(folder))


main()
finish()
