"""`python -m services.agents`: manager and specialists in one process."""

from shared.service import main

if __name__ == "__main__":
    main("agents", "services.agents.app")
