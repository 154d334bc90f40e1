"""Run the router: `python -m services.router`."""

from services.router.loop import fastest
from shared.service import main

if __name__ == "__main__":
    main("router", "services.router.app", fastest())
