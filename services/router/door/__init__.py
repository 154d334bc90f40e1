"""The HTTP door of the router: what speaks OpenAI's or Anthropic's language is answered here."""
