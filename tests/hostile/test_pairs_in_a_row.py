"""A hostile pair, then an innocent one in the same sandbox, whose verdict is as if alone.

The hostile pair's own verdict is that of a sandbox of its own, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from selfbehave.bdd import Limits, sandbox
from selfbehave.bdd.sandbox import Outcome, Reason, Sandboxes, run_pair_alone

pytestmark = pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))

FEATURE = "Feature: a\n  Scenario: a\n    Given a step\n    Then it holds\n"
STEPS = """from behave import given, then
{at_import}
@given('a step')
def given_a_step(context):
    {in_step}

@then('it holds')
def then_it_holds(context):
    assert True
"""
LIMITS = Limits(seconds=1.5)

# It looks whether anybody was in the sandbox before it.
INNOCENT = STEPS.format(
    at_import="""
import atexit, builtins, json, os, random, resource, signal, socket, subprocess, sys, threading
import behave.matchers
environment = dict(os.environ)
state = random.getstate()
""",
    in_step="""
    assert os.getcwd() == '/tmp' and os.listdir('/tmp') == os.listdir('/dev/shm') == []
    for place in ('/tmp', '/dev/shm'):
        room = os.statvfs(place)
        assert room.f_bavail == room.f_blocks, 'something fills ' + place
        with open(place + '/mine', 'xb') as file:
            file.write(bytes(8 * 1024 ** 2))
    pids = sorted(int(name) for name in os.listdir('/proc') if name.isdigit())
    assert (os.getpid(), os.getppid(), pids) == (2, 1, [1, 2]), pids
    assert threading.active_count() == 1 and len(os.listdir('/proc/self/task')) == 1
    fds = sorted(map(int, os.listdir('/proc/self/fd')))
    assert fds[:3] == [0, 1, 2] and len(fds) == 5, fds  # the report's, and the listing's own
    assert os.read(0, 1) == b''
    assert environment == {'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8', 'HOME': '/tmp',
                           'TMPDIR': '/tmp', 'PYTHONHASHSEED': '0', 'PWD': '/tmp'}, environment
    assert os.umask(0o22) == 0o22
    soft = {name: resource.getrlimit(getattr(resource, name))[0] for name in
            ('RLIMIT_AS', 'RLIMIT_FSIZE', 'RLIMIT_NOFILE', 'RLIMIT_CPU', 'RLIMIT_CORE')}
    assert list(soft.values()) == [512 * 1024 ** 2, 16 * 1024 ** 2, 64, 5, 0], soft
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGHUP):
        assert signal.getsignal(number) == signal.SIG_DFL, number
    assert signal.getitimer(signal.ITIMER_REAL) == signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    assert os.getpriority(os.PRIO_PROCESS, 0) == NICENESS
    assert os.sched_getaffinity(0) == CORES and os.sched_getscheduler(0) == os.SCHED_OTHER
    assert 'planted' not in sys.modules and not hasattr(builtins, 'planted')
    assert json.dumps({}) == '{}' and str(behave.matchers.Match.run).startswith('<function Match')
    forked = [child for child in (os.fork() for _ in range(10)) if child or os._exit(7)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in forked] == [7] * 10
    assert subprocess.run(['echo', 'hello'], capture_output=True).stdout == b'hello\\n'
    with socket.socket() as server, socket.socket() as client:
        server.bind(('127.0.0.1', 8000))  # taken, if it was used a moment ago and is remembered
        server.listen()
        client.connect(('127.0.0.1', 8000))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind('\\0planted')
""",
)

FORK_DAEMONS = """
import os, time
for _ in range({count}):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        {work}
"""

# What a pair tries, in its step. {name: code}
ATTACKS = {
    "daemons that write": FORK_DAEMONS.format(
        count=3,
        work="""
        while True:
            open(f'/tmp/{os.getpid()}{time.time()}', 'w').write('x')
""",
    ),
    "daemons that hold every pipe open": FORK_DAEMONS.format(count=3, work="time.sleep(1000)"),
    "daemons that ignore signals": "import signal\n"
    "for number in set(signal.Signals) - {9, 19}: signal.signal(number, signal.SIG_IGN)\n"
    + FORK_DAEMONS.format(count=3, work="time.sleep(1000)"),
    "daemons that stop themselves": FORK_DAEMONS.format(
        count=3, work="os.kill(os.getpid(), 19); time.sleep(1000)"
    ),
    "every process it may have": """
import os, time
try:
    while True:
        if os.fork() == 0:
            time.sleep(1000)
except BlockingIOError:
    pass
""",
    "a fork bomb": """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
""",
    "threads": """
import threading, time
for _ in range(10):
    threading.Thread(target=time.sleep, args=[1000]).start()
""",
    "full folders": """
import errno
for place in ('/tmp', '/dev/shm'):
    try:
        for number in range(1000):
            open(f'{place}/{number}', 'wb').write(bytes(1024 ** 2))
    except OSError as error:
        assert error.errno == errno.ENOSPC
""",
    "files that are hard to remove": """
import os, socket
os.mkfifo('/tmp/pipe')
socket.socket(socket.AF_UNIX).bind('/tmp/socket')
os.symlink('/usr', '/tmp/link')
os.mkdir('/dev/shm/\\udcff\\n')
for depth in range(500):
    os.mkdir('deep' * 20)
    os.chdir('deep' * 20)
os.chmod('.', 0)
""",
    "a removed working folder": """
import os
os.mkdir('/tmp/x')
os.chdir('/tmp/x')
os.rmdir('/tmp/x')
""",
    "another umask": "import os\nos.umask(0o777)",
    "an environment": """
import os
os.environ.clear()
os.environ.update(PATH='/tmp', PYTHONPATH='/tmp', LD_PRELOAD='/tmp/x.so', BEHAVE_STAGE='other')
""",
    "lowered limits": """
import resource
for name in dir(resource):
    if name.startswith('RLIMIT_') and name not in ('RLIMIT_AS', 'RLIMIT_NOFILE', 'RLIMIT_STACK'):
        resource.setrlimit(getattr(resource, name), (1, 1))
""",
    "blocked signals": """
import signal
signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
""",
    "timers": """
import signal
for number in (signal.SIGALRM, signal.SIGPROF, signal.SIGVTALRM):
    signal.signal(number, lambda *_: None)
for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF, signal.ITIMER_VIRTUAL):
    signal.setitimer(timer, 0.1, 0.001)
""",
    "an alarm that kills it": "import signal, time\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\n"
    "time.sleep(10)",
    "a low priority": "import os\nos.nice(19)\nos.setpriority(os.PRIO_USER, 0, 19)\n"
    "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))",
    "patched modules": """
import builtins, json, sys, types
json.dumps = lambda *_, **__: '[]'
sys.modules['planted'] = types.ModuleType('planted')
sys.path.insert(0, '/tmp')
sys.setrecursionlimit(100)
""",
    "patched built-ins": "import builtins\nbuiltins.planted = len\n"
    "builtins.open = builtins.print = lambda *_, **__: 1 / 0",
    "patched behave": "import behave.matchers as m\nm.Match.run = lambda self, context: None",
    "patched behave, in its code": "import behave.model as m\n"
    "f = lambda self, runner, **k: False\nm.Scenario.run.__code__ = f.__code__",
    "steps for everyone": "from behave import step\n"
    "@step('a step')\ndef mine(context): raise ValueError",
    "random numbers": "import random\nrandom.seed(1)\nimport tempfile\ntempfile.mkdtemp()",
    "exit handlers": """
import atexit, os
atexit.register(os._exit, 7)
os.register_at_fork(before=lambda: 1 / 0, after_in_parent=lambda: os._exit(7))
""",
    "tracing and hooks": """
import gc, sys, threading
sys.settrace(lambda *_: 1 / 0)
threading.settrace(lambda *_: 1 / 0)
sys.excepthook = sys.displayhook = None
gc.disable()
sys.setswitchinterval(1000)
""",
    "all its files": """
import os
try:
    while True:
        os.dup(1)
except OSError:
    pass
""",
    "closed files": "import os\nos.closerange(0, 1024)",
    "no waiting for its output": "import fcntl, os\n"
    "for fd in (0, 1, 2):\n    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)",
    "signals about files": """
import fcntl, os, signal
for fd in range(64):
    try:
        fcntl.fcntl(fd, fcntl.F_SETOWN, 1)
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(fd, fcntl.F_SETFL, os.O_ASYNC)
    except OSError:
        pass
""",
    "a report to every file": """
import os
for fd in range(3, 64):
    try:
        os.write(fd, b'{"status": 0}')
    except OSError:
        pass
""",
    "a port that was used": """
import socket
server = socket.socket()
server.bind(('127.0.0.1', 8000))
server.listen()
client = socket.create_connection(('127.0.0.1', 8000))
accepted, _ = server.accept()
accepted.close()  # the side that closes first keeps the port busy
client.close()
""",
    "a port that is held": "import socket\nheld = socket.socket()\n"
    "held.bind(('127.0.0.1', 8000))\nheld.listen()\nother = socket.socket(socket.AF_UNIX)\n"
    "other.bind('\\0planted')\n" + FORK_DAEMONS.format(count=1, work="time.sleep(1000)"),
    "files that are in flight": """
import array, socket
a, b = socket.socketpair()
for _ in range(2):
    socket.send_fds(a, [b'x'], [1, a.fileno(), b.fileno()])
""",
    "shared memory": """
from multiprocessing import shared_memory
shared = shared_memory.SharedMemory('planted', create=True, size=1024 ** 2)
""",
    "signals to all": """
import os
for pid in (*range(3, 200), -1, -2):
    for number in (1, 2, 9, 15, 19):
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            pass
""",
    "a signal to its group": "import os\nos.kill(0, 9)",
    "a stop to its group": "import os\nos.kill(0, 19)",
    "signals to its parent": """
import os, signal
for number in sorted({int(n) for n in signal.Signals} | {9, 19}):
    try:
        os.kill(os.getppid(), number)
    except PermissionError:
        pass
""",
    "a stop of itself": "import os\nos.kill(os.getpid(), 19)",
    "its own death": "import os\nos.kill(os.getpid(), 9)",
    "a crash": "import ctypes\nctypes.string_at(0)",
    "an abort": "import os\nos.abort()",
    "leaving with 0": "import os\nos._exit(0)",
    "leaving with 137": "import os\nos._exit(137)",
    "limits and priority of its parent": """
import ctypes, os, resource
for attempt in (
    lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0)),
    lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0)),
    lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19),
    lambda: os.sched_setaffinity(os.getppid(), {min(os.sched_getaffinity(0))}),
):
    try:
        attempt()
    except PermissionError:
        pass
""",
    "its parent's memory and files": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
assert libc.ptrace(16, 1, 0, 0) == -1
assert libc.syscall(310, 1, 0, 0, 0, 0, 0) == -1  # process_vm_readv
for read, names in (
    (lambda path: open(path, 'rb').read(1), ('mem', 'environ', 'maps', 'stack', 'syscall')),
    (os.readlink, ('exe', 'root', 'cwd', 'fd/0', 'fd/1', 'ns/pid')),
):
    for name in names:
        try:
            print('READ', name, read('/proc/1/' + name))
        except OSError:
            pass
pidfd = os.pidfd_open(1)
assert libc.syscall(438, pidfd, 3, 0) == -1  # pidfd_getfd
""",
    "the kernel's settings": """
import os
for path in ('/proc/sys/kernel/hostname', '/proc/sysrq-trigger', '/proc/self/oom_score_adj',
             '/proc/sys/net/ipv4/ip_local_port_range', '/proc/1/oom_score_adj'):
    try:
        open(path, 'w').write('1000')
    except OSError:
        pass
for path in ('/dev/null', '/dev', '/pair', '/proc', '/dev/pts'):
    try:
        os.chmod(path, 0)
    except OSError:
        pass
""",
    "mounts and namespaces": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for kind in (0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    assert libc.unshare(kind) == -1
assert libc.umount2(b'/tmp', 2) == libc.mount(b'x', b'/tmp', b'tmpfs', 0, 0) == -1
assert libc.setns(os.open('/proc/self/ns/pid', 0), 0) == libc.chroot(b'/usr') == -1
""",
    "endless output": "while True:\n    print('x' * 1000)",
    "endless work": "while True:\n    pass",
    "endless sleep": "import time\ntime.sleep(1000)",
    "all its memory": "kept = []\nwhile True:\n    kept.append(bytes(1024 ** 2))",
    "a large file": "open('/tmp/x', 'wb').write(bytes(64 * 1024 ** 2))",
}
ENDED_BY_TIME = {
    "a fork bomb",
    "a stop to its group",
    "a stop of itself",
    "endless work",
    "endless sleep",
}
# A pair that a limit ends from outside takes its sandbox along.
THROWN_AWAY = {*ENDED_BY_TIME, "endless output"}


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes() as all_sandboxes:
        all_sandboxes.run_pair(FEATURE, innocent())
        yield all_sandboxes


def code_of(attack: str, place: str) -> str:
    """Step functions with an attack `in_step` or `at_import`."""
    if place == "at_import":
        return STEPS.format(at_import=attack, in_step="pass")
    body = "\n    ".join(attack.strip().splitlines())
    return STEPS.format(at_import="", in_step=body)


def verdict(outcome: Outcome) -> tuple[object, ...]:
    return outcome.passed, outcome.reason, outcome.failed_step, outcome.detail


def innocent() -> str:
    """The innocent pair's code; it knows how the tests themselves are scheduled."""
    niceness = str(os.getpriority(os.PRIO_PROCESS, 0))
    return INNOCENT.replace("NICENESS", niceness).replace("CORES", str(os.sched_getaffinity(0)))


def test_the_innocent_pair_passes_in_a_sandbox_of_its_own() -> None:
    assert verdict(run_pair_alone(FEATURE, innocent())) == (True, None, None, "")


def is_as_alone(name: str, hostile: str, outcome: Outcome) -> bool:
    if name in ENDED_BY_TIME:
        return verdict(outcome) == (False, Reason.TIME_LIMIT, None, "")
    return verdict(outcome) == verdict(run_pair_alone(FEATURE, hostile, LIMITS))


@pytest.mark.parametrize("name", ATTACKS)
def test_an_innocent_pair_is_judged_as_if_no_hostile_one_had_been_before(
    name: str, sandboxes: Sandboxes
) -> None:
    hostile = code_of(ATTACKS[name], "in_step")
    started = sandboxes.started
    attacked = sandboxes.run_pair(FEATURE, hostile, LIMITS)
    assert verdict(sandboxes.run_pair(FEATURE, innocent())) == (True, None, None, "")
    assert "READ" not in attacked.output
    assert is_as_alone(name, hostile, attacked)
    assert sandboxes.breakdown is None
    assert sandboxes.started - started == (name in THROWN_AWAY)


@pytest.mark.parametrize("name", sorted(ATTACKS.keys() - THROWN_AWAY))
def test_neither_does_what_a_hostile_one_does_when_it_is_imported_reach_it(
    name: str, sandboxes: Sandboxes
) -> None:
    started = sandboxes.started
    sandboxes.run_pair(FEATURE, code_of(ATTACKS[name], "at_import"), LIMITS)
    assert verdict(sandboxes.run_pair(FEATURE, innocent())) == (True, None, None, "")
    assert (sandboxes.breakdown, sandboxes.started) == (None, started)
