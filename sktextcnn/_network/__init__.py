"""The networks and their convolution by look-up. Without scikit-learn and skorch."""

from sktextcnn._network.modules import ACTIVATIONS as ACTIVATIONS
from sktextcnn._network.modules import ARCHITECTURES as ARCHITECTURES
from sktextcnn._network.modules import KimCNN as KimCNN
from sktextcnn._network.modules import StackedCNN as StackedCNN
from sktextcnn._network.modules import WordEmbedding as WordEmbedding
from sktextcnn._network.modules import check_network as check_network
from sktextcnn._network.modules import check_scalable as check_scalable
from sktextcnn._network.modules import network_class as network_class
from sktextcnn._network.modules import output_layer as output_layer
from sktextcnn._network.random_numbers import Part as Part
from sktextcnn._network.random_numbers import computing as computing
from sktextcnn._network.random_numbers import own_rows as own_rows
from sktextcnn._network.random_numbers import permutation as permutation
from sktextcnn._network.random_numbers import seeded as seeded
from sktextcnn._network.random_numbers import torchs_generators as torchs_generators
from sktextcnn._network.threads import map_in_threads as map_in_threads
from sktextcnn._network.threads import single_thread as single_thread
