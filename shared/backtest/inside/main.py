"""The script that the sandbox starts: `main.py BOT_FOLDER` with the job on standard input."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)).rpartition(os.sep + "shared")[0])

from shared.backtest.inside.driver import main

main(os.path.abspath(sys.argv[1]), os.environ["OUT_DIR"])
