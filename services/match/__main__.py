"""Start the match service: `python -m services.match`."""

from shared.service import main

if __name__ == "__main__":
    main("match", "services.match.app")
