"""Module: stands in for redis-cli, redis-trib.rb, ssh and sleep while a plan's script runs. Each call is written down as a line
of JSON, and answered as servers would answer that are in the state of the plan's evidence. Called as: STATE NAME ARGUMENT...

A call without a command reads commands from standard input, as the client does; they are written down behind a "|".

STATE is a JSON file: log, nodes (CLUSTER NODES of a member), target, target_id, folder; flushed, reset, joined, down, carried
change."""
import json
import subprocess
import sys

NEW_ID = 'f' * 40


def nodes_of(state):
    if state['joined']:
        return state['nodes'] + '%s %s@1%s master - 0 0 0 connected\n' % (NEW_ID, state['target'], state['target'].rsplit(':', 1)[1])
    return state['nodes']


def info(state, section):
    lines = ['role:master', 'connected_slaves:0', 'rdb_changes_since_last_save:0', 'aof_rewrite_in_progress:0',
             'aof_rewrite_scheduled:0', 'aof_last_bgrewrite_status:ok']
    if section in ([], ['keyspace']) and not state['flushed'] and state['keys']:
        lines.append('db0:keys=%d,expires=0,avg_ttl=0' % state['keys'])
    return '\r\n'.join(lines) + '\r\n'


def answer(state, address, words):
    if state['down'] and address == state['target']:
        return ''
    if words == ['CLUSTER', 'NODES']:
        return nodes_of(state)
    if words == ['CLUSTER', 'MYID']:
        return NEW_ID if state['reset'] else state['target_id']
    if words == ['CLUSTER', 'INFO']:
        return 'cluster_known_nodes:%d\r\ncluster_slots_assigned:%d\r\n' % ((1, 0) if state['reset'] else (7, 16384))
    if words[:1] == ['INFO']:
        return info(state, words[1:])
    if words == ['CONFIG', 'GET', 'dir']:
        return 'dir\n' + state['folder']
    if words[:1] == ['SHUTDOWN']:
        state['down'] = True
        return ''
    if words == ['PING']:
        return 'PONG'
    state['flushed'] |= words == ['FLUSHALL']
    state['reset'] |= words == ['CLUSTER', 'RESET', 'HARD']
    return 'OK'


def spoken(state, line):
    """The answer to a line of standard input. Keys are at home where they were carried to."""
    word, key = line.split(' ', 1)[0], line.rsplit(' ', 1)[-1]
    if word == 'EXISTS':
        return '1' if key in state['carried'] else '0'
    if word == 'MIGRATE':
        state['carried'].append(key)
    return 'OK'


def main(path, name, words):
    with open(path) as file:
        state = json.load(file)
    lines = sys.stdin.read().splitlines() if name.endswith('-cli') and len(words) == 4 else []
    with open(state['log'], 'a') as log:
        log.write(json.dumps([name, *words, *(['|', *lines] if lines else [])]) + '\n')
    code = 0
    if name == 'ssh':
        code = subprocess.run(['sh', '-c', ' '.join(words[1:])], cwd=state['folder']).returncode
    elif 'add-node' in words:
        state['joined'] = True
        print('[OK] New node added correctly.')
    elif lines:
        print('\n'.join(spoken(state, line) for line in lines))
    elif name != 'sleep':
        print(answer(state, '%s:%s' % (words[1], words[3]), words[4:]))
    with open(path, 'w') as file:
        json.dump(state, file)
    return code


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
