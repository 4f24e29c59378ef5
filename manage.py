#!/usr/bin/env python
"""The door for the terminal: every command of voc is run through here."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voc.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
