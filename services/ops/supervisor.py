"""`sovereign up`: owns the processes of one host, prints four lines, drains on Ctrl-C.

python -m services.ops.supervisor [--host NAME] [--pull] [SERVICE ...]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from services.ops import container_host, leftovers, preflight
from services.ops.host import Command, Host, module_command
from services.ops.life import run
from shared import logs
from shared.errors import InvalidSetting, SovereignError, Unavailable
from shared.service import EXIT_FAILED, EXIT_USAGE
from shared.services import SERVICES
from shared.settings import Settings, load

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None, command: Command = module_command) -> int:
    """Run until stopped; return 0, 1 when something failed, 2 for a wrong setting or usage."""
    asked = arguments(argv)
    try:
        settings = load(**({"host": asked.host} if asked.host else {}))
        return supervise(settings, asked, command)
    except (InvalidSetting, Unavailable) as error:
        return _say(error, EXIT_USAGE)
    except SovereignError as error:
        return _say(error, EXIT_FAILED)
    except BaseExceptionGroup as group:
        log.error("the supervisor failed", exc_info=group)
        return EXIT_FAILED


def supervise(settings: Settings, asked: argparse.Namespace, command: Command) -> int:
    """Check what must hold, then run the host while the lock on its data folder is held."""
    logs.configure("supervisor", "warning" if settings.log_level == "info" else settings.log_level)
    services = tuple(dict.fromkeys(asked.services)) or SERVICES
    preflight.check_data_dir(settings.data_dir)
    with preflight.lock(settings.data_dir):
        if settings.ops.driver == "docker":
            return asyncio.run(container_host.serve(settings))
        leftovers.end_all(settings.data_dir)
        preflight.check_ports(settings, services)
        return asyncio.run(_run(settings, services, command, asked.pull))


async def _run(settings: Settings, services: Sequence[str], command: Command, pull: bool) -> int:
    return await run(Host(settings, services, command), pull)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line; leave with 2 when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="sovereign up", description="Run the services of one host."
    )
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=", ".join(SERVICES))
    parser.add_argument("--host", help="the name of this host on the bus")
    parser.add_argument("--pull", action="store_true", help="fetch a missing model unasked")
    asked = parser.parse_args(argv)
    if unknown := [name for name in asked.services if name not in SERVICES]:
        parser.error(f"no service {unknown[0]}; there are {', '.join(SERVICES)}")
    return asked


def _say(error: SovereignError, code: int) -> int:
    print(f"sovereign up: {error.message}", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
