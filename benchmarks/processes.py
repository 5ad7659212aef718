"""Starting the programs that a benchmark compares, each pinned to a core and reaped."""

import json
import os
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNATTENDED = ("--max-foreign-cores", "1024", "--quiet-wait", "0", "--no-report")
"""options of a campaign that is judged by its counts alone"""
TARGET_CORE, GENERATOR_CORE = 0, 1


def parser(doc: str | None) -> ArgumentParser:
    """Return a parser whose help is a module's docstring as it stands."""
    return ArgumentParser(description=doc, formatter_class=RawDescriptionHelpFormatter)


def campaign(
    options: Sequence[str], runs: Path, log: Path, *, session: bool = False, **environ: str
) -> "subprocess.Popen[bytes]":
    """Start `blockpoint run` with its campaigns in `runs` and its output in `log`."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", "run", *options, *UNATTENDED],
            cwd=ROOT,
            env={**os.environ, "BLOCKPOINT_RUNS": str(runs), **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=session,
        )


def free_port() -> int:
    """Return a port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """Return the command that runs another on one core, where the platform and the machine have it."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if core not in cores:
        return list(command)
    pin = f"import os,sys; os.sched_setaffinity(0, {{{core}}}); os.execvp(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", pin, *command]


@contextmanager
def target(
    port: int, *command: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a target on its core until the block ends; yields its URL once it listens."""
    environ = {**os.environ, **(environment or {})}
    with log.open("w") as file:
        process = subprocess.Popen(
            pinned(TARGET_CORE, command), cwd=ROOT, env=environ, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def locust(scenario: str, url: str, out: Path, *arguments: str) -> str:
    """Run a scenario on the generator's core; returns what it printed."""
    command = [str(Path(sys.executable).with_name("locust")), "-f", f"loadtests/{scenario}.py", "--host", url]
    command += ["--headless", "--only-summary", "--out", str(out), *arguments]
    ran = subprocess.run(
        pinned(GENERATOR_CORE, command), cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    if not (out / "load.json").exists():
        raise RuntimeError(ran.stdout + ran.stderr)
    return ran.stdout


def closed_loop(url: str, seconds: float, users: int) -> tuple[int, tuple[float, float]]:
    """Run FastHttpUsers as fast as they go; returns their number of requests and their statistics.

    The statistics are requests per second and mean latency in ms.
    """
    command = [*_fasthttp(url, users), "--json", "--run-time", f"{seconds:.0f}s"]
    ran = subprocess.run(
        pinned(GENERATOR_CORE, command), cwd=ROOT, capture_output=True, text=True, check=False
    )
    (entry,) = json.loads(ran.stdout)
    per_s = entry["num_requests"] / (entry["last_request_timestamp"] - entry["start_time"])
    return entry["num_requests"], (per_s, entry["total_response_time"] / entry["num_requests"])


@contextmanager
def closed_loop_beside(url: str, users: int, log: Path) -> Iterator[None]:
    """Run FastHttpUsers as fast as they go until the block ends; raises RuntimeError where they did not."""
    with log.open("w") as file:
        command = pinned(GENERATOR_CORE, _fasthttp(url, users))
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
        try:
            yield
            ended = process.poll()
        finally:
            process.terminate()
            process.wait()
    if ended is not None:
        raise RuntimeError(log.read_text())


def _fasthttp(url: str, users: int) -> list[str]:
    command = [str(Path(sys.executable).with_name("locust")), "-f", "benchmarks/fasthttp.py", "--host", url]
    command += ["--headless", "--only-summary", "--loglevel", "ERROR"]
    return [*command, "--users", str(users), "--spawn-rate", "100"]


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table whose columns line up in plain text too."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["| " + " | ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (w + 1) + ":" for w in widths) + "|")
    return "\n".join(lines)


def machine() -> str:
    """Return one line about this machine and how busy it is."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load average {load:.2f} before"
