"""``python -m sktextcnn`` is the command ``sktextcnn``."""

import sys

from sktextcnn._cli import main

sys.exit(main())
