"""Runs a command on its own terminal, for tests of what happens only there.

    python3 terminal.py [--twice] COMMAND...

The output of the command goes to stdout. Bytes from stdin are typed: 0x03 is
Ctrl-C. With --twice each Ctrl-C is followed by SIGINT 1 ms later, as under
`deno task`, where both the terminal and the task runner deliver it. The end of
stdin closes the terminal, as when its window is closed. The exit status is that
of the command, or 128 plus the number of its signal.
"""

import os
import pty
import select
import signal
import sys
import time

args = sys.argv[1:]
twice = args[0] == "--twice"
pid, terminal = pty.fork()
if pid == 0:
    command = args[twice:]
    os.execvp(command[0], command)

sources = [terminal, 0]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:  # EIO: the command has ended
            data = b""
        if source == terminal and data:
            os.write(1, data)
        elif data:
            os.write(terminal, data)
            if twice and b"\x03" in data:
                time.sleep(0.001)
                os.kill(pid, signal.SIGINT)
        else:
            sources.remove(source)
            if source == 0 and terminal in sources:
                sources.remove(terminal)
os.close(terminal)
_, status = os.waitpid(pid, 0)
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
