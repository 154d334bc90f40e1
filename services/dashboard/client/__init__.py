"""The page for clients and providers at `/match`: plain HTML and forms, each by a token alone."""
