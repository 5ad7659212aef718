"""Lets `locust -f loadtests/X.py --help` show the options of X.

Locust prints its help before it reads the locustfile; a module of this name is the one thing that it imports
earlier, "to allow for registering custom arguments". Does nothing in any other run.
"""

import sys

if {"-h", "--help"} & set(sys.argv):
    from loadtests.openloop.help import announce

    announce(sys.argv[1:])
