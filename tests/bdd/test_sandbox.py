"""The sandbox holds against code that tries to get out or to lie; and what pairs reach in it."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from selfbehave.bdd import Limits, Rung, climb_pairs
from selfbehave.bdd import sandbox as sandbox_module
from selfbehave.bdd.faults import sentence
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.records import SeedTask
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.load import load_seeds

FEATURE = "Feature: a\n  Scenario: a\n    Given a step\n    Then it holds\n"
GREEN = """from behave import given, then

@given('a step')
def given_a_step(context):
    pass

@then('it holds')
def then_it_holds(context):
    assert True
"""
RED = GREEN.replace("assert True", "assert False")
QUICK = Limits(seconds=1.5)
Running = Callable[[str, str, Limits | None], sandbox_module.Outcome]
each_kind = pytest.mark.parametrize(
    "run", [sandbox_module.run_pair, sandbox_module.run_pair_alone], ids=["kept", "alone"]
)

HIGH = load_seeds("high_quality").tasks

pytestmark = pytest.mark.skipif(
    sandbox_module.missing() is not None, reason=str(sandbox_module.missing())
)


def run_pair(feature_text: str, code: str, limits: Limits | None = None) -> sandbox_module.Outcome:
    """What came of a pair in a sandbox that is kept, and in one of its own, which must agree."""
    kept = sandbox_module.run_pair(feature_text, code, limits)
    alone = sandbox_module.run_pair_alone(feature_text, code, limits)
    assert (kept.passed, kept.reason, kept.failed_step) == (
        alone.passed,
        alone.reason,
        alone.failed_step,
    )
    return kept


def outcome_of(
    attempt: str, limits: Limits | None = None, run: Running = run_pair
) -> sandbox_module.Outcome:
    """What came of an attempt made in a step; it prints what it saw."""
    body = "\n".join(f"    {line}" for line in attempt.strip().splitlines())
    return run(FEATURE, GREEN.replace("    pass", body), limits)


def pair_of(task: SeedTask) -> tuple[str, str]:
    code = first_block(task.instances[0].output, PYTHON)
    assert code is not None
    return scenario_of(task.instruction), code.body


def test_a_pair_passes_when_each_step_does() -> None:
    outcome = run_pair(FEATURE, GREEN)
    assert (outcome.passed, outcome.reason) == (True, None)
    assert "Then it holds ... passed" in outcome.output


def test_a_failing_step_is_told() -> None:
    outcome = run_pair(FEATURE, RED)
    assert (outcome.passed, outcome.reason) == (False, "failed")
    assert outcome.detail.startswith("step 'it holds' failed")
    assert outcome.failed_step == 1


def test_a_step_that_raises_is_the_one_that_failed() -> None:
    outcome = outcome_of("context.missing")
    assert (outcome.reason, outcome.failed_step) == ("failed", 0)


def test_no_step_failed_where_the_code_cannot_be_loaded_or_passes() -> None:
    assert run_pair(FEATURE, GREEN).failed_step is None
    assert run_pair(FEATURE, f"import nothing_of_this_name\n{GREEN}").failed_step is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import nowhere_to_be_found\n" + GREEN, "No module named 'nowhere_to_be_found'"),
        (GREEN + "raise ValueError('no lamp here')\n", "ValueError: no lamp here"),
    ],
)
def test_where_behave_cannot_load_the_code_its_own_words_are_shown(code: str, words: str) -> None:
    assert words in run_pair(FEATURE, code).detail
    (ladder,) = climb_pairs([(FEATURE, code)], Rung.PASSING)
    assert words in sentence(ladder.blocking[0])


def test_a_scenario_of_no_steps_does_not_pass() -> None:
    assert not run_pair("Feature: a\n  Scenario: a\n", GREEN).passed


# Reading and writing outside


def test_the_home_is_not_there() -> None:
    home = Path.home()
    listing = f"import os\nprint(os.listdir('/'))\nprint(os.listdir({str(home)!r}))"
    outcome = outcome_of(listing)
    assert "'home'" not in outcome.output
    # At most the way to the interpreter is visible of the home, never what else lies there.
    prefixes = [Path(sys.prefix), Path(sys.base_prefix)]
    for path in home.iterdir() if home.is_dir() else ():
        if not any(prefix.is_relative_to(path) for prefix in prefixes):
            assert f"'{path.name}'" not in outcome.output


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/passwd", str(Path(__file__)), "/sys/kernel"])
def test_host_files_are_not_there(path: str) -> None:
    outcome = outcome_of(f"open({path!r}).read()")
    assert outcome.reason == "failed"
    assert f"No such file or directory: '{path}'" in outcome.detail


def test_the_environment_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "a-secret")
    outcome = outcome_of(
        """
import os
print(dict(os.environ))
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        print(pid, open(f'/proc/{pid}/environ').read())
    except OSError as error:
        print(error)
"""
    )
    assert outcome.passed
    assert "a-secret" not in outcome.output
    assert "HF_TOKEN" not in outcome.output


def test_nothing_outside_its_tmp_can_be_written(tmp_path: Path) -> None:
    in_tmp = f"/tmp/{tmp_path.parent.name}-{tmp_path.name}"
    outcome = outcome_of(
        f"""
import sys
for path in ('/usr/x', '/x', '/pair/features/one.feature', '/dev/x', '/proc/sys/kernel/hostname',
             sys.prefix + '/x', {str(tmp_path / "x")!r}, {in_tmp!r}):
    try:
        open(path, 'w').write('x')
        print('WROTE', path)
    except OSError as error:
        print(error)
"""
    )
    assert outcome.output.count("WROTE") == 1
    assert f"WROTE {in_tmp}" in outcome.output
    assert not (tmp_path / "x").exists()
    assert not Path(in_tmp).exists()


def test_it_can_make_no_namespace_or_mount_of_its_own() -> None:
    outcome = outcome_of(
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print('unshare', libc.unshare(0x10000000), 'mount', libc.mount(b'x', b'/tmp', b'tmpfs', 0, 0))
print('memfd', libc.memfd_create(b'x', 0), 'ptrace', libc.ptrace(16, 1, 0, 0))
"""
    )
    assert "unshare -1 mount -1" in outcome.output
    assert "memfd -1 ptrace -1" in outcome.output


# The network and other processes


def test_the_hosts_loopback_is_out_of_reach() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    visits: list[object] = []
    threading.Thread(target=lambda: visits.append(server.accept()), daemon=True).start()
    port = server.getsockname()[1]
    outcome = outcome_of(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)")
    assert outcome.reason == "failed"
    assert "Connection refused" in outcome.detail or "unreachable" in outcome.detail
    assert visits == []
    socket.create_connection(("127.0.0.1", port)).close()  # it was there all along


@each_kind
def test_a_fork_bomb_is_held_and_killed(run: Running) -> None:
    started = time.monotonic()
    outcome = outcome_of(
        """
import os, time
most = 0
while True:
    try:
        if os.fork():
            most += 1
    except OSError as error:
        if most:
            os.write(1, f'{error}'.encode())
        time.sleep(0.1)
""",
        QUICK,
        run,
    )
    assert outcome.reason == "time limit"
    assert "Resource temporarily unavailable" in outcome.output
    assert time.monotonic() - started < 60


def test_what_it_leaves_running_dies_with_it() -> None:
    name = f"left-{os.getpid()}"
    outcome = outcome_of(
        f"import subprocess\n"
        f"subprocess.Popen(['sleep', '300', ], executable='/usr/bin/sleep', env={{'{name}': '1'}}, "
        f"start_new_session=True)"
    )
    assert outcome.passed
    time.sleep(0.2)
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            assert name not in environment.read_text(errors="replace")
        except OSError:
            continue


def test_killing_its_parent_reaches_no_one_outside() -> None:
    outcome = outcome_of("import os\nprint('parent', os.getppid())\nos.kill(os.getppid(), 9)")
    assert "parent 1" in outcome.output  # the sandbox's own first process: it may not or can't
    assert outcome.passed or "Operation not permitted" in outcome.detail
    outcome = outcome_of(f"import os\nos.kill({os.getpid()}, 9)")
    assert "No such process" in outcome.detail
    assert "No such process" in outcome_of("import os\nos.kill(-1, 9)").detail


# Using things up


def test_ten_gigabytes_are_not_to_be_had() -> None:
    outcome = outcome_of("x = bytearray(10 * 1024 ** 3)")
    assert outcome.reason == "failed"
    assert "MemoryError" in outcome.detail


def test_a_file_grows_to_its_limit_only() -> None:
    outcome = outcome_of("with open('/tmp/x', 'wb') as f:\n    f.write(bytes(64 * 1024 ** 2))")
    assert not outcome.passed
    assert "File too large" in outcome.detail or "No space left" in outcome.detail


@pytest.mark.parametrize("place", ["step", "import"])
def test_endless_printing_ends_at_the_bound(place: str) -> None:
    flood = "while True:\n    print('x' * 1000)"
    outcome = outcome_of(flood) if place == "step" else run_pair(FEATURE, f"{flood}\n{GREEN}")
    assert outcome.reason == "output limit"
    assert len(outcome.output) == Limits().output


@each_kind
def test_endless_sleep_ends_at_the_time_limit(run: Running) -> None:
    started = time.monotonic()
    assert outcome_of("import time\ntime.sleep(1000)", QUICK, run).reason == "time limit"
    assert time.monotonic() - started < 60  # of the 1,000 s


def test_endless_work_ends_at_the_limit_of_processor_time() -> None:
    outcome = outcome_of("while True: pass", Limits(seconds=10, cpu_seconds=1))
    assert outcome.reason in ("cpu limit", "killed")


# Lies


@pytest.mark.parametrize("end", ["import os; os._exit(0)", "import sys; sys.exit(0)"])
@pytest.mark.parametrize("place", ["import", "step"])
def test_leaving_with_0_is_not_passing(end: str, place: str) -> None:
    outcome = run_pair(FEATURE, f"{end}\n{RED}") if place == "import" else outcome_of(end)
    assert not outcome.passed
    assert outcome.reason in ("forged result", "failed")


@pytest.mark.parametrize(
    "patch",
    [
        "import behave.matchers\nbehave.matchers.Match.run = lambda self, context: None",
        "import behave.runner\nbehave.runner.Runner.run = lambda self: False",
        "import behave.runner\nbehave.runner.ModelRunner.run_model = lambda self, f=None: False",
        "import behave.__main__\nbehave.__main__.run_behave = lambda *a, **k: 0",
        "import behave.model\ndef run(self, runner, **options):\n"
        "    self.status = behave.model.Status.passed\n"
        "    [f.result(self) for f in runner.formatters]\n    return True\n"
        "behave.model.Step.run = run",
        "import behave.model\nf = lambda self, runner, **k: False\n"
        "behave.model.Scenario.run.__code__ = f.__code__",
        "import behave.model_core\n"
        "behave.model_core.Status.has_failed = lambda self, **options: False",
        "import builtins\nbuiltins.isinstance = lambda *a: True",
        "import builtins, behave.matchers\nbehave.matchers.Match.run = lambda self, context: None\n"
        "builtins.any = builtins.all = builtins.len = lambda *a: True",
    ],
    ids=["match", "runner", "model", "main", "step", "code", "status", "builtins", "guard"],
)
def test_patching_behave_is_not_passing(patch: str) -> None:
    outcome = run_pair(FEATURE, f"{patch}\n{RED}")
    assert not outcome.passed
    assert outcome.reason in ("forged result", "failed")


def test_a_patch_in_a_step_is_a_forgery() -> None:
    outcome = run_pair(
        FEATURE,
        RED.replace(
            "    pass", "    import behave.matchers as m\n    m.Match.run = lambda s, c: None"
        ),
    )
    assert outcome.reason == "forged result"
    assert "behave.matchers.Match.run" in outcome.detail


def test_a_result_written_to_every_open_file_is_a_forgery() -> None:
    report = '{"code": 0, "ended": "", "patched": [], "steps": '
    report += '[["a step", "passed", ""], ["it holds", "passed", ""]]}'
    forgery = f"""
import os
for fd in range(3, 64):
    try:
        os.write(fd, {report!r}.encode())
    except OSError:
        pass
"""
    assert outcome_of(forgery).reason == "forged result"
    outcome = run_pair(FEATURE, f"{forgery}\nos._exit(0)\n{GREEN}")
    assert outcome.reason == "forged result"


def test_taking_steps_away_or_skipping_them_is_not_passing() -> None:
    assert outcome_of("del context.scenario.steps[1:]").reason == "failed"
    assert outcome_of("context.scenario.skip()").reason == "failed"
    assert outcome_of("context._runner.formatters.clear()").reason == "failed"


# The rungs


def test_good_seeds_are_causal() -> None:
    ladders = climb_pairs([pair_of(task) for task in HIGH[::15]])
    assert [ladder.rung for ladder in ladders] == [Rung.CAUSAL] * 12
    assert all(ladder.change and "became" in ladder.change for ladder in ladders)
    assert all(ladder.input_change and "became" in ladder.input_change for ladder in ladders)


def test_a_then_that_cannot_fail_stays_at_passing() -> None:
    scenario, code = pair_of(HIGH[1])
    vague = code.replace("assert context.ward.nurses_called_in == count", "assert count")
    (ladder,) = climb_pairs([(scenario, vague)], top=Rung.DISCRIMINATING)
    assert ladder.rung == Rung.PASSING
    assert ladder.change is None
    assert [*map(sentence, ladder.faults)] == ["mutants: none of 1 changed values turns it red"]


def test_a_then_without_a_value_stays_at_passing() -> None:
    (ladder,) = climb_pairs([(FEATURE, GREEN)], top=Rung.DISCRIMINATING)
    assert ladder.rung == Rung.PASSING
    assert [*map(sentence, ladder.faults)] == ["mutants: no expected value in it"]


def test_a_failing_pair_stays_at_bound() -> None:
    unbound = GREEN.replace("it holds", "it does not hold")
    red, green, lost = climb_pairs([(FEATURE, RED), (FEATURE, GREEN), (FEATURE, unbound)])
    assert red.rung == Rung.BOUND
    assert sentence(red.faults[0]).startswith("run: failed: step 'it holds' failed")
    assert green.rung == Rung.PASSING
    assert lost.rung == Rung.PARSED


def test_the_top_can_be_lower() -> None:
    assert climb_pairs([(FEATURE, RED)], top=Rung.BOUND)[0].rung == Rung.BOUND
    assert climb_pairs([pair_of(HIGH[1])], top=Rung.PASSING)[0].rung == Rung.PASSING


def test_without_bubblewrap_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sandbox_module.missing() == "bubblewrap is missing: on Debian, apt install bubblewrap"

    def must_not_run(*arguments: object, **options: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("subprocess.Popen", must_not_run)
    with pytest.raises(SelfBehaveError, match="apt install bubblewrap"):
        run_pair(FEATURE, GREEN)
    with pytest.raises(SelfBehaveError, match="apt install bubblewrap"):
        climb_pairs([(FEATURE, GREEN)])
    assert climb_pairs([(FEATURE, GREEN)], top=Rung.BOUND)[0].rung == Rung.BOUND


def test_a_sandbox_that_does_not_start_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = sandbox_module.missing()
    assert missing is not None
    assert "No permissions to create new namespace" in missing
    assert "\n" not in missing
