"""OpenAI-compatible servers, reached through litellm: imported late, told to fetch nothing."""
