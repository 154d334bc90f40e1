"""Any number of Ollama hosts behind one seam: places, speed, circuits, energy."""
