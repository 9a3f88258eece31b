"""CNN filters: a real network looks at the visitor's photo, layer by layer."""

from dlviz.ui import lesson
from dlviz.ui.language import _

lesson.begin(
    "cnn_filters",
    _("Drop a photo of your own, choose a layer, and hover a cell to see how its number came about."),
)
