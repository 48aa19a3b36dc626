"""From ids and targets to a trained net: skorch, its callbacks, and starting weights."""

from sktextcnn._training.inputs import hold_against as hold_against
from sktextcnn._training.inputs import read_ids as read_ids
from sktextcnn._training.inputs import refuse_lost_vectors as refuse_lost_vectors
from sktextcnn._training.net import OPTIMIZERS as OPTIMIZERS
from sktextcnn._training.net import Rows as Rows
from sktextcnn._training.net import Settings as Settings
from sktextcnn._training.net import TextNet as TextNet
from sktextcnn._training.net import build_net as build_net
from sktextcnn._training.net import logits as logits
from sktextcnn._training.net import place as place
from sktextcnn._training.net import resume as resume
from sktextcnn._training.net import seeded as seeded
from sktextcnn._training.starting_weights import copy_weights as copy_weights
from sktextcnn._training.starting_weights import fill_embedding as fill_embedding
from sktextcnn._training.starting_weights import find_pretrained as find_pretrained
from sktextcnn._training.stored_net import check_stored as check_stored
from sktextcnn._training.stored_net import restored_net as restored_net
from sktextcnn._training.stored_net import stored_net as stored_net
from sktextcnn._training.targets import Targets as Targets
from sktextcnn._training.targets import combine_weights as combine_weights
from sktextcnn._training.targets import encode_targets as encode_targets
from sktextcnn._training.targets import split_off_validation as split_off_validation
