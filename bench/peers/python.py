"""subprocess: run where it is synchronous, else Popen. Options as name=value, see ../rows.lua."""

import os
import sys
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from subprocess import DEVNULL, PIPE, Popen, run

options = dict(argument.split("=", 1) for argument in sys.argv[1:])
program = options.get("program")
now = time.perf_counter


def number(name, fallback=0):
    return float(options.get(name, fallback))


def start():
    if "pipes" in options:
        return Popen([program], stdin=PIPE, stdout=PIPE, stderr=PIPE)
    return Popen([program], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)


def end(child):
    """Waits, and closes what pipes there are."""
    with child:
        pass


def spawn_for(seconds, at_once):
    """Keeps `at_once` children running for a time; microseconds that each took."""
    began = now()
    running = deque()
    ended = 0
    while True:
        while len(running) < at_once:
            running.append(start())
        end(running.popleft())
        ended += 1
        if now() - began >= seconds:
            break
    for child in running:
        end(child)
    return (now() - began) / (ended + len(running)) * 1e6


def sync_for(seconds):
    """Microseconds that each child took, one after the other."""
    if "pipes" in options:
        keywords = {"input": b"", "capture_output": True}
    else:
        keywords = {"stdin": DEVNULL, "stdout": DEVNULL, "stderr": DEVNULL}
    began = now()
    count = 0
    while True:
        run([program], **keywords)
        count += 1
        if now() - began >= seconds:
            return (now() - began) / count * 1e6


def run_by_hand():
    """Starts the program, reads what it prints, and waits for it."""
    child = Popen([program], stdin=PIPE, stdout=PIPE, stderr=PIPE)
    stdout, stderr = child.communicate()
    if child.returncode:
        raise RuntimeError(f"{program} has failed: {child.returncode}\n{stderr.decode()}")
    return stdout


def run_command():
    return run([program], stdin=DEVNULL, capture_output=True, check=True).stdout


def calls_for(seconds, call):
    """Microseconds that each call of a function took."""
    began = now()
    count = 0
    while True:
        call()
        count += 1
        if now() - began >= seconds:
            return (now() - began) / count * 1e6


def call_for(seconds):
    """Microseconds that the call of Popen itself took."""
    began = now()
    in_calls = count = 0
    while now() - began < seconds:
        before = now()
        child = start()
        in_calls += now() - before
        count += 1
        end(child)
    return in_calls / count * 1e6


def resident_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1024


def keep_alive(count):
    """KiB of memory, microseconds to start, microseconds to end, for each child."""
    end(Popen(["/bin/true"], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL))
    before = resident_kib()
    began = now()
    children = [start() for _ in range(count)]
    started = now() - began
    memory = resident_kib() - before
    ending = now()
    for child in children:
        child.terminate()
    for child in children:
        end(child)
    ended = now() - ending
    return f"{memory / count} {started / count * 1e6} {ended / count * 1e6}"


def read_all(total):
    count = 0
    began = now()
    with Popen([program, options["piece"], str(int(total))], stdout=PIPE, bufsize=0) as child:
        fd = child.stdout.fileno()
        while data := os.read(fd, 65536):
            count += len(data)
        return count / (now() - began) / 1e9


def read_terminal(total):
    count = 0
    began = now()
    ours, theirs = os.openpty()
    command = [program, options["piece"], str(int(total))]
    with Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True):
        os.close(theirs)
        try:
            while data := os.read(ours, 65536):
                count += len(data)
        except OSError:  # EIO is the end
            pass
        os.close(ours)
    return count / (now() - began) / 1e9


def capture_all(total):
    began = now()
    result = run([program, options["piece"], str(int(total))], capture_output=True)
    return len(result.stdout) / (now() - began) / 1e9


def write_all(total):
    piece = b"x" * int(number("piece"))
    count = 0
    began = now()
    with Popen([program], stdin=PIPE, bufsize=0) as child:
        fd = child.stdin.fileno()
        while count < total:
            count += os.write(fd, piece)
    return count / (now() - began) / 1e9


def pipe_all(total):
    """The way of the Python manual: the second child gets the first one's pipe itself."""
    began = now()
    first = Popen([options["from"], options["piece"], str(int(total))], stdout=PIPE)
    second = Popen([options["to"]], stdin=first.stdout)
    first.stdout.close()
    second.wait()
    first.wait()
    return total / (now() - began) / 1e9


def pipeline_all(total):
    """The same with one more program."""
    began = now()
    first = Popen([options["from"], options["piece"], str(int(total))], stdout=PIPE)
    second = Popen(["cat"], stdin=first.stdout, stdout=PIPE)
    third = Popen([options["to"]], stdin=second.stdout)
    first.stdout.close()
    second.stdout.close()
    for child in (third, second, first):
        child.wait()
    return total / (now() - began) / 1e9


def task(value):
    began = now()
    while now() - began < 1e-3:
        pass
    return value


def do_tasks(count):
    """A pool of 2 does tasks of a millisecond; microseconds that one takes beyond that."""
    with ProcessPoolExecutor(2) as pool:
        for _ in pool.map(task, range(100)):
            pass
        began = now()
        for _ in pool.map(task, range(count)):
            pass
        return ((now() - began) * 2 / count - 1e-3) * 1e6


def twice(measure, amount, *rest):
    """First a shorter time as a warm-up, then the one that counts."""
    measure(amount / 5, *rest)
    return measure(amount, *rest)


works = {
    "spawn": lambda: twice(spawn_for, number("seconds"), number("atonce", 1)),
    "sync": lambda: twice(sync_for, number("seconds")),
    "call": lambda: twice(call_for, number("seconds")),
    "await": lambda: twice(calls_for, number("seconds"), run_by_hand),
    "command": lambda: twice(calls_for, number("seconds"), run_command),
    "alive": lambda: keep_alive(int(number("alive"))),
    "read": lambda: twice(read_all, number("bytes")),
    "terminal": lambda: twice(read_terminal, number("bytes")),
    "capture": lambda: twice(capture_all, number("bytes")),
    "write": lambda: twice(write_all, number("bytes")),
    "pipe": lambda: twice(pipe_all, number("bytes")),
    "pipeline": lambda: twice(pipeline_all, number("bytes")),
    "pool": lambda: do_tasks(int(number("count"))),
}

heap = b"x" * (int(number("heap")) << 20)
opened = [os.open("/dev/null", os.O_RDWR) for _ in range(int(number("open")))]
print(works[options["work"]]())
