"""A worker process that ends when the process that started it has ended, however that ended.

Not to be imported: it is run as a script, with the command line of a worker as its arguments
(``faust -A app worker -l info``). Its standard input is a pipe whose other end the parent holds and
never writes to, so the end of input means that the parent is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

#: How long a worker may take for its last checkpoint, in seconds.
GRACE_S = 20.0


def end_with_parent() -> None:
    """Wait for the end of standard input; then stop this process, cleanly if that works in time."""
    # Not sys.stdin: a thread that holds its lock would break the interpreter's shutdown.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Watch the parent, and be a worker."""
    # In place of this file's own folder; Faust finds `app` by it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    threading.Thread(target=end_with_parent, name="end-with-parent", daemon=True).start()

    from faust.cli.faust import cli  # noqa: PLC0415 - the path must be right, and the watch on

    from config import Settings  # noqa: PLC0415

    # The parent has read the .env file, if any; what it decided is in the environment.
    Settings.model_config["env_file"] = None
    sys.argv = sys.argv[1:]
    cli()


if __name__ == "__main__":
    main()
