"""`python -m services.ops`."""

from shared.service import main

if __name__ == "__main__":
    main("ops", "services.ops.app")
