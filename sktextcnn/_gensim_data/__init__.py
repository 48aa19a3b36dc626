"""Word vectors of gensim-data: the catalogue, the folder, and the download into it."""

from sktextcnn._gensim_data.catalogue import RECOMMENDED as RECOMMENDED
from sktextcnn._gensim_data.catalogue import Catalogue as Catalogue
from sktextcnn._gensim_data.catalogue import VectorsEntry as VectorsEntry
from sktextcnn._gensim_data.catalogue import download_hint as download_hint
from sktextcnn._gensim_data.catalogue import megabytes as megabytes
from sktextcnn._gensim_data.catalogue import read_catalogue as read_catalogue
from sktextcnn._gensim_data.fetching import check_stored as check_stored
from sktextcnn._gensim_data.fetching import fetch as fetch
from sktextcnn._gensim_data.places import is_stored as is_stored
from sktextcnn._gensim_data.places import stored_path as stored_path
