"""How long a function takes from its start to its first poll of the Runtime API, beside a function that does nothing.

    start.py --functions FOLDER [--hello PROGRAM] [--runs 21] [--core 1] [--out FILE]

FOLDER holds NAME/bootstrap, as `cargo lambda build` and `./check` leave them, or programs of these names. All are started
in turn on one core, with the environment that a deployed function has; the poll is never answered, and the process is
killed. `admin` asks the catalog before it polls, so it is given the DynamoDB of a `penstock up` (PENSTOCK says which), in
the place of AWS's. Sizes are of a stripped copy.
"""

import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "queries"))
from laptop import Laptop, program  # noqa: E402
from measure import Report  # noqa: E402

FUNCTIONS = ["load", "admin", "query", "maintain"]
POLL = b"GET /2018-06-01/runtime/invocation/next "
# (times hello, megabytes stripped)
GOALS = {"load": (2.0, 12), "admin": (2.5, None), "maintain": (2.5, None), "query": (5.0, 45)}


def environment(port, more):
    return {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}", "AWS_LAMBDA_FUNCTION_NAME": "bench", "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bench", "AWS_LAMBDA_LOG_STREAM_NAME": "0",
        "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token", "PENSTOCK_TABLE": "penstock", "PENSTOCK_BUCKET": "penstock", "PENSTOCK_LOAD_FUNCTION": "load",
        "PENSTOCK_MAINTAIN_FUNCTION": "maintain", "PATH": os.environ["PATH"], **more,
    }  # fmt: skip


def start(program, core, log, more):
    """Milliseconds by the clock and of processor time until the first poll, and the memory held then, KiB."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(30)
        began = time.perf_counter()
        process = subprocess.Popen([program], env=environment(listening.getsockname()[1], more), stdout=log, stderr=log, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        try:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(30)
                request = b""
                while b"\r\n\r\n" not in request and (more := connection.recv(4096)):
                    request += more
                wall = time.perf_counter() - began
                if not request.startswith(POLL):
                    raise SystemExit(f"{program} says {request[:200]!r} first")
                with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                # The scheduler's own count: ticks are too coarse.
                with open(f"/proc/{process.pid}/schedstat", encoding="utf-8") as file:
                    cpu = int(file.read().split()[0]) / 1e6
                resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") // 1024
        finally:
            process.kill()
            process.wait()
    return wall * 1e3, cpu, resident



def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", required=True)
    parser.add_argument("--hello", required=True)
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--out")
    options = parser.parse_args()
    folder = pathlib.Path(options.functions)
    found = lambda name: folder / name / "bootstrap" if (folder / name / "bootstrap").exists() else folder / name
    originals = {"hello": pathlib.Path(options.hello), **{name: found(name) for name in FUNCTIONS}}
    report = Report(options.out, runs=options.runs)
    with tempfile.TemporaryDirectory() as work, open(os.path.join(work, "log"), "wb") as log, Laptop(program()) as laptop:
        catalog = {"PENSTOCK_DYNAMODB_ENDPOINT": f"http://127.0.0.1:{laptop.server.ports['dynamodb']}"}
        # Deployed functions are stripped.
        programs = {}
        for name, original in originals.items():
            programs[name] = os.path.join(work, name)
            if shutil.which("strip"):
                subprocess.run(["strip", "-o", programs[name], original], check=True)
            else:
                shutil.copy(original, programs[name])
        times = {name: [] for name in programs}
        for run in range(options.runs + 2):
            for name, path in programs.items():
                one = start(path, options.core, log, catalog if name == "admin" else {})
                if run >= 2:
                    times[name].append(one)
        medians = {name: [statistics.median(column) for column in zip(*of)] for name, of in times.items()}
        functions = {}
        for name, (wall, cpu, resident) in medians.items():
            size = os.path.getsize(programs[name])
            hello = medians["hello"]
            functions[name] = {
                "median_ms": round(wall, 2), "median_cpu_ms": round(cpu, 2), "times_hello": round(wall / hello[0], 2),
                "cpu_times_hello": round(cpu / hello[1], 2), "resident_kib": round(resident), "stripped_bytes": size,
            }  # fmt: skip
            goal = GOALS.get(name)
            said = "" if goal is None else f"  goal x{goal[0]}" + (f", {goal[1]} MB" if goal[1] else "")
            print(f"  {name:9} {wall:7.2f} ms x{wall / hello[0]:5.2f}  cpu {cpu:7.2f} ms x{cpu / hello[1]:5.2f}  {resident / 1024:6.1f} MiB  {size / 1e6:6.1f} MB{said}")
        report.put(functions=functions)


if __name__ == "__main__":
    main()
