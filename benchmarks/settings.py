"""Settings of all competitors: the network, its training, and the threads."""

KERNEL_SIZES = (3, 4, 5)
NUM_FILTERS = 100
DROPOUT = 0.5
BATCH_SIZE = 50
LEARNING_RATE = 1e-3
EMBEDDING_DIM = 300
THREADS = 2
SEED = 0

# Largest allowed difference of a probability from that of the dense convolution.
TOLERANCE = 1e-5
