"""Module: the system calls that a command makes, seen by strace, and what must never be among them."""
import os
import re
import subprocess

from commands import title
from support import BUILD, expect

# Calls that change a file system, or lock what is in it.
CHANGING = ('creat', 'rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat', 'mknod', 'mknodat', 'link',
            'linkat', 'symlink', 'symlinkat', 'truncate', 'ftruncate', 'fallocate', 'chmod', 'fchmod', 'fchmodat', 'chown', 'fchown',
            'lchown', 'fchownat', 'utime', 'utimes', 'futimesat', 'utimensat', 'setxattr', 'lsetxattr', 'fsetxattr', 'removexattr',
            'lremovexattr', 'fremovexattr', 'flock')
TALKING = ('socket', 'connect', 'bind', 'fork', 'vfork', 'execveat')
SYSTEM = ('/etc/ld.so', '/lib', '/usr/lib', '/usr/local/lib', '/etc/ssl', '/proc/', '/sys/', '/dev/')


def traced(name, words, log):
    """Name, arguments and result of each call; descriptors are shown with their paths."""
    # Under strace no report of leaks can be made, and the folder that a sanitizer makes for its reports would be seen.
    environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0', UBSAN_OPTIONS='')
    subprocess.run(['strace', '-f', '-y', '-qq', '-o', log, '-e', 'trace=file,desc,network,process', os.path.join(BUILD, name), *words],
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=300)
    with open(log, errors='backslashreplace') as file:
        for line in file:
            match = re.match(r'\d+ +(\w+)\((.*)\) += (.*)', line)
            if match:
                yield match.groups()


def check_calls(case, name, words, log):
    """A command reads the case, and nothing else of the system than libraries; it writes, locks and talks to nothing."""
    about, opened = title(name, words), 0
    for call, arguments, result in traced(name, words, log):
        line = '%s: %s(%s)' % (about, call, arguments[:200])
        expect(call not in CHANGING and call not in TALKING, line)
        if call == 'fcntl':
            expect('F_SETLK' not in arguments and 'F_OFD_SETLK' not in arguments and 'F_SETLEASE' not in arguments, line)
        if call == 'mmap':
            expect(case not in arguments, line + ': a file that shrinks would end the process')
        if call in ('open', 'openat', 'openat2'):
            expect(not re.search(r'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND', arguments), line)
            expect('..' not in re.findall(r'"(.*?)"', arguments)[0].split('/'), line + ': leaves its folder')
            path = re.search(r'<(.*)>$', result)
            if path and (path.group(1) + '/').startswith(case + '/'):
                opened += 1
                expect('O_CLOEXEC' in arguments and ('O_NOATIME' in arguments or 'O_PATH' in arguments), line)
            elif path:
                expect(path.group(1).startswith(SYSTEM), line + ': outside the case')
    expect(opened, '%s: strace saw no file of the case' % about)
