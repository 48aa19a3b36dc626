"""The wide part: a linear model over n-grams of token ids, beside the network."""

from sktextcnn._wide.blending import PRIOR as PRIOR
from sktextcnn._wide.blending import PRIOR_OF_OTHER as PRIOR_OF_OTHER
from sktextcnn._wide.blending import fit_scales as fit_scales
from sktextcnn._wide.fitting import STRENGTHS as STRENGTHS
from sktextcnn._wide.fitting import fit_wide as fit_wide
from sktextcnn._wide.model import Mixture as Mixture
from sktextcnn._wide.model import WideModel as WideModel
from sktextcnn._wide.model import check_arrays as check_arrays
