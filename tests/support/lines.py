"""tests/support/lines.py -- a program that goes on and prints JSON lines: each is
kept with the moment at which it came.

    with lines.Lines(command) as watched:
        until(lambda: len(watched.rows) >= 50, 10, "50 lines")
"""
import json
import signal
import subprocess
import threading
import time


class Lines:
    def __init__(self, *command):
        self.rows = []  # (seconds on the monotonic clock, object)
        self.process = subprocess.Popen(
            [str(c) for c in command], stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for row in self.process.stdout:
            self.rows.append((time.monotonic(), json.loads(row)))

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.stop()

    def stop(self):
        """SIGINT, as Ctrl-C; then everything it said has been read."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.reader.join()
        return self.process.returncode
