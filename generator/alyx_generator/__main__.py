"""Runs the command, or says what to install for it."""

import sys

try:
    from alyx_generator.cli import main
except ModuleNotFoundError as error:
    sys.exit(f'The generator needs {error.name}: pip install "alyx-client[generator]"')

sys.exit(main())
