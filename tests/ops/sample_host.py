"""A real supervisor over sample services: `python sample_host.py ARGUMENTS`."""

import sys
from pathlib import Path

from services.ops.host import module_command
from services.ops.supervisor import main

SAMPLE = Path(__file__).with_name("sample_service.py")


def command(service: str) -> tuple[str, ...]:
    if service == "ops":
        return module_command("ops")
    return (sys.executable, str(SAMPLE), service)


if __name__ == "__main__":
    sys.exit(main(command=command))
