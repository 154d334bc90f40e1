"""`python -m services.sessions` runs the service."""

from shared.service import main

if __name__ == "__main__":
    main("sessions", "services.sessions.app")
