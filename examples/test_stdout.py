"""Remote stdout: what code prints on a host, and where that goes."""

import io
import sys

from glusto import TestCase, g


class TestStdout(TestCase):
    def test_what_is_printed_on_a_host_is_in_the_report(self):
        conn = g.rpyc_get_connection(self.servers[0])
        conn.execute("print('printed on the host')")  # look for it in the JUnit file of this class

    def test_remote_prints_show_here_when_stdout_is_ours(self):
        conn = g.rpyc_get_connection(self.servers[0])
        conn.modules.sys.stdout = sys.stdout
        conn.execute("print('printed on the host, shown here')")

    def test_remote_prints_can_be_caught(self):
        conn = g.rpyc_get_connection(self.servers[0])
        caught = io.StringIO()
        conn.modules.sys.stdout = caught
        conn.execute("print('6 * 7 =', 6 * 7)")
        self.assertEqual(caught.getvalue(), "6 * 7 = 42\n")
