"""The one table of lessons: navigation, the home page and the tests are drawn from it.

A lesson appears in the app when its row stands here. ``title`` and ``summary``
are messages for the catalogues; ``stem`` names the lesson in every layer
(``pages/<stem>.py``, ``dlviz/<topic>/<stem>.py``, ...).
"""

from __future__ import annotations

from dataclasses import dataclass

from dlviz.i18n import N_


@dataclass(frozen=True, slots=True)
class Part:
    """One of the five parts of the course; part 0 is the way in."""

    number: int
    title: str
    colour: str
    """Role in ``dlviz.figures.palette.CATEGORICAL``, by index, as a digit string."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One page: where it belongs, what it is called and what one does there."""

    stem: str
    part: int
    icon: str
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Milestone:
    """One date of the history of deep learning, with the part of the course that takes it up."""

    year: int
    title: str
    text: str
    part: int


PARTS: tuple[Part, ...] = (
    Part(0, N_("Welcome"), "7"),
    Part(1, N_("Foundations"), "0"),
    Part(2, N_("Computer vision"), "1"),
    Part(3, N_("Natural language"), "2"),
    Part(4, N_("Large language models"), "3"),
    Part(5, N_("Further techniques"), "4"),
)

LESSONS: tuple[Lesson, ...] = (
    Lesson(
        "home",
        0,
        ":material/map:",
        N_("Map of the course"),
        N_("See the whole course at a glance and jump into any page."),
    ),
    Lesson(
        "cnn_filters",
        2,
        ":material/grid_view:",
        N_("CNN filters"),
        N_("Walk your own photo through a real network, layer by layer, down to one number."),
    ),
    Lesson(
        "vae",
        2,
        ":material/scatter_plot:",
        N_("The VAE latent walk"),
        N_("Draw a digit, see where it lands in a latent space, and drag the point to walk from there."),
    ),
    Lesson(
        "embeddings",
        3,
        ":material/hub:",
        N_("Embeddings"),
        N_("Ask word vectors, train them on your own text, or turn a graph of your own into vectors."),
    ),
    Lesson(
        "bpe",
        4,
        ":material/content_cut:",
        N_("Byte-pair encoding"),
        N_("Train a tokeniser on your own text, one merge at a time, forwards and backwards."),
    ),
)

MILESTONES: tuple[Milestone, ...] = (
    Milestone(
        1943, N_("Artificial neuron"), N_("McCulloch and Pitts describe a neuron as a logical unit."), 1
    ),
    Milestone(1958, N_("Perceptron"), N_("Rosenblatt builds the first model that learns its weights."), 1),
    Milestone(1959, N_("Visual cortex"), N_("Hubel and Wiesel find cells that answer to oriented edges."), 2),
    Milestone(1980, N_("Neocognitron"), N_("Fukushima stacks simple and complex cells into a network."), 2),
    Milestone(
        1986,
        N_("Backpropagation"),
        N_("Rumelhart, Hinton and Williams make multi-layer training popular."),
        1,
    ),
    Milestone(1989, N_("Learned convolutions"), N_("LeCun and colleagues train CNN weights by gradient."), 2),
    Milestone(
        1995, N_("Support vector machines"), N_("SVMs, and soon random forests, rule machine learning."), 1
    ),
    Milestone(1998, N_("LeNet-5"), N_("LeCun and colleagues read handwritten digits with a CNN."), 2),
    Milestone(
        2006, N_("Deep networks return"), N_("Hinton shows how to train deep networks layer by layer."), 1
    ),
    Milestone(2012, N_("AlexNet"), N_("Krizhevsky, Sutskever and Hinton win ImageNet on GPUs."), 2),
    Milestone(2013, N_("Word2Vec"), N_("Mikolov and colleagues learn word vectors from raw text."), 3),
    Milestone(2014, N_("GANs and VGG"), N_("Networks generate images, and go deeper to recognise them."), 2),
    Milestone(2015, N_("ResNet"), N_("He and colleagues train a hundred layers with skip connections."), 2),
    Milestone(2017, N_("Transformer"), N_("Vaswani and colleagues keep attention and drop recurrence."), 4),
    Milestone(
        2018, N_("BERT and GPT"), N_("Language models are pre-trained once and adapted everywhere."), 4
    ),
    Milestone(2020, N_("GPT-3 and DDPM"), N_("A prompt replaces training; noise becomes images."), 5),
    Milestone(
        2021, N_("CLIP"), N_("Radford and colleagues align images with the words that describe them."), 5
    ),
)


def lesson(stem: str) -> Lesson:
    """The lesson of that stem; ``KeyError`` when there is none."""
    return _BY_STEM[stem]


def lessons_of(part: int) -> tuple[Lesson, ...]:
    """The lessons of a part, in the order of the course."""
    return tuple(entry for entry in LESSONS if entry.part == part)


_BY_STEM = {entry.stem: entry for entry in LESSONS}
