"""Writes server logs that are mostly lines of no interest: connections, key counts, a module's chatter, with an event now and then.

    make_logs.py [--bytes N] [--events PER_MILLION] [--form legacy|yearless|iso8601|compose] [--seed N] FILE...
"""
import argparse
import datetime
import random


def chatter(rng):
    kind = rng.randrange(100)
    if kind < 40:
        return '- Accepted 10.%d.%d.%d:%d' % (rng.randrange(256), rng.randrange(256), rng.randrange(256), rng.randrange(1024, 65536))
    if kind < 70:
        return '- Client closed connection id=%d addr=10.0.%d.%d:%d laddr=10.0.0.6:7000 fd=%d name= age=%d idle=0 flags=N db=0 sub=0' % (
            rng.randrange(1 << 24), rng.randrange(256), rng.randrange(256), rng.randrange(65536), rng.randrange(512), rng.randrange(9999))
    if kind < 80:
        return '- DB 0: %d keys (%d volatile) in %d slots HT.' % (rng.randrange(1 << 22), rng.randrange(1 << 20), 1 << rng.randrange(12, 23))
    if kind < 85:
        return '. %d clients connected (%d replicas), %d bytes in use' % (rng.randrange(5000), rng.randrange(3), rng.randrange(1 << 34))
    return '* <search> index idx:%d scanned %d documents, %d garbage collected, cursor %x, no work left for this cycle' % (
        rng.randrange(99), rng.randrange(1 << 20), rng.randrange(1 << 10), rng.randrange(1 << 40))


def event(rng):
    node, other = ('%040x' % rng.getrandbits(160) for _ in range(2))
    return rng.choice([
        '* FAIL message received from %s about %s' % (node, other),
        '* Marking node %s as failing (quorum reached).' % node,
        '# Failover auth denied to %s: its master is up' % node,
        '# Failover auth granted to %s for epoch %d' % (node, rng.randrange(1000)),
        '# Cluster state changed: %s' % rng.choice(['ok', 'fail']),
        '* Clear FAIL state for node %s: slave is reachable again.' % node,
        '* MASTER <-> REPLICA sync started',
        '* Replica 10.0.0.%d:7000 asks for synchronization' % rng.randrange(256),
        '* DB saved on disk',
    ])


MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()
FORMS = {
    'legacy': lambda t, ms: '4711:M %02d %s %d %s.%03d ' % (t.day, MONTHS[t.month - 1], t.year, t.strftime('%H:%M:%S'), ms),
    'yearless': lambda t, ms: '4711:M %02d %s %s.%03d ' % (t.day, MONTHS[t.month - 1], t.strftime('%H:%M:%S'), ms),
    'iso8601': lambda t, ms: '4711:M %s.%03d+00:00 ' % (t.strftime('%Y-%m-%dT%H:%M:%S'), ms),
    'compose': lambda t, ms: 'redis_1  | 4711:M %02d %s %d %s.%03d ' % (t.day, MONTHS[t.month - 1], t.year, t.strftime('%H:%M:%S'), ms),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--bytes', type=int, default=100_000_000)
    parser.add_argument('--events', type=int, default=1000, metavar='PER_MILLION')
    parser.add_argument('--form', choices=sorted(FORMS), default='legacy')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('files', nargs='+')
    options = parser.parse_args()
    rng = random.Random(options.seed)
    lines = [chatter(rng) for _ in range(20000)]
    for path in options.files:
        now, written = datetime.datetime(2026, 2, 1), 0
        with open(path, 'w', encoding='ascii', newline='\n') as file:
            while written < options.bytes:
                now += datetime.timedelta(seconds=1)
                second = FORMS[options.form](now, 0)[:-5]
                if options.form == 'iso8601':
                    second = None
                batch = []
                for ms in range(0, 1000, 2):
                    text = event(rng) if rng.randrange(1_000_000) < options.events else lines[rng.randrange(20000)]
                    stamp = second + '.%03d ' % ms if second else FORMS['iso8601'](now, ms)
                    batch.append(stamp + text + '\n')
                block = ''.join(batch)
                file.write(block)
                written += len(block)


if __name__ == '__main__':
    main()
