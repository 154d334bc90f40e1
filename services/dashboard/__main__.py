"""Run the dashboard: `python -m services.dashboard`."""

from shared.service import main

if __name__ == "__main__":
    main("dashboard", "services.dashboard.app")
