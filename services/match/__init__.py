"""Clients and providers, deals and the ledger.

Products of matrices take one thread: they are small, and threads that wait for one another burn
more than they save. It counts only before numpy is loaded, and where nothing else was set.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
