"""What goes on while something else is measured."""

import threading


class Background(threading.Thread):
    """Use it in a `with` statement: run() goes on until its end, which waits() tells."""

    def __init__(self):
        super().__init__(daemon=True)
        self._end = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self.join()

    def waits(self, seconds):
        """Whether there is something to do after so long: False at the end, at once."""
        return not self._end.wait(max(0, seconds))
