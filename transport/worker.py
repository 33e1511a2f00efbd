"""The process of a worker: a stop that comes while it starts is a stop, and no failure."""

from __future__ import annotations

import faust


class BatchingWorker(faust.Worker):
    """Faust's worker, which may be told to end at any moment."""

    async def start(self) -> None:
        """Start; where a signal to end has come meanwhile, what fails because of it is no error.

        What is starting then meets what has been stopped already, and Faust's worker would end with
        a traceback and exit code 1.

        Raises:
            Exception: what failed before anybody said to end.
        """
        try:
            await super().start()
        except Exception as error:
            if self._signal_stop_future is None:
                raise
            self.log.info("stopped while starting: %r", error)
