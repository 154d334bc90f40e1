"""Who comes in, and what they may do: cookies of people, tokens of programs, limits for both."""
