"""``fit_chunks``: fit a model to chunks of texts that are read once and never all in memory."""

from sktextcnn._fit_chunks.fitting import fit_chunks as fit_chunks
