"""Celery on Redis (AOF everysec): a chain of five tasks that do nothing, one prefork worker.

`REDIS_SERVER` names the redis-server to start; without it the one on the PATH is taken.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from celery import Celery, chain
from celery.result import AsyncResult

TASKS, STEPS = 100, 5
PORT = int(os.environ.get("CELERY_REDIS_PORT", "0"))
app = Celery("noop", broker=f"redis://127.0.0.1:{PORT}/0", backend=f"redis://127.0.0.1:{PORT}/1")
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1)


@app.task(name="step")
def step(text: str = "") -> str:
    return "done"


def main() -> None:
    server = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
    if server is None:
        sys.exit("no redis-server: name one with REDIS_SERVER")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [server, "--port", str(port), "--dir", folder, "--appendonly", "yes"]
        redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        environment = os.environ | {"CELERY_REDIS_PORT": str(port), "PYTHONPATH": FOLDER}
        command = [sys.executable, "-m", "celery", "-A", "celery_redis", "worker", "-c", "1"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        worker = subprocess.Popen(command, env=environment, cwd=FOLDER, **quiet)
        try:
            own = [sys.executable, "-c", "import celery_redis; celery_redis.measure()"]
            subprocess.run(own, env=environment, cwd=FOLDER, check=True, timeout=200)
        finally:
            worker.kill()
            redis.kill()
            worker.wait()
            redis.wait()


def started() -> AsyncResult:
    """Start a new chain: one that is sent again keeps its ids, and its results."""
    return chain(*(step.s("") if not n else step.s() for n in range(STEPS))).apply_async()


def measure() -> None:
    started().get(timeout=60)
    began = time.perf_counter()
    for result in [started() for _ in range(TASKS)]:
        result.get(timeout=120)
    seconds = time.perf_counter() - began
    print(json.dumps({
        "peer": "Celery, Redis, acks late, one process", "tasks/s": TASKS / seconds,
        "steps/s": TASKS * STEPS / seconds, "cpu_ms_a_step": "",
        "kept over kill -9": "the task, after the visibility timeout (1 h)",
    }))  # fmt: skip


FOLDER = str(Path(__file__).resolve().parent)
if __name__ == "__main__":
    main()
