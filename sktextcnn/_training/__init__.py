"""From ids and targets to a trained net: skorch, its callbacks, and starting weights."""

from sktextcnn._training.build import OPTIMIZERS as OPTIMIZERS
from sktextcnn._training.data import TrainingData as TrainingData
from sktextcnn._training.data import split_validation as split_validation
from sktextcnn._training.data import training_data as training_data
from sktextcnn._training.data import validation_data as validation_data
from sktextcnn._training.device import find_device as find_device
from sktextcnn._training.inputs import check_token_ids as check_token_ids
from sktextcnn._training.inputs import check_vocabulary as check_vocabulary
from sktextcnn._training.net import TextNet as TextNet
from sktextcnn._training.net import logits as logits
from sktextcnn._training.net import move as move
from sktextcnn._training.net import own_memory as own_memory
from sktextcnn._training.net import training_session as training_session
from sktextcnn._training.net_storage import check_stored as check_stored
from sktextcnn._training.net_storage import restored_net as restored_net
from sktextcnn._training.net_storage import stored_net as stored_net
from sktextcnn._training.plan import SETTINGS as SETTINGS
from sktextcnn._training.starting_net import frozen_epochs as frozen_epochs
from sktextcnn._training.starting_net import new_net as new_net
from sktextcnn._training.starting_weights import SourceModel as SourceModel
from sktextcnn._training.starting_weights import find_pretrained as find_pretrained
from sktextcnn._training.targets import Targets as Targets
from sktextcnn._training.targets import combine_weights as combine_weights
from sktextcnn._training.targets import encode_targets as encode_targets
from sktextcnn._training.wide_and_deep import fit_wide_and_deep as fit_wide_and_deep
