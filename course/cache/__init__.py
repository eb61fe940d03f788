"""The model of BuildKit's cache."""

from course.cache.nouns import (
    BaseImage,
    BuildInput,
    BuildKit,
    Cause,
    Platform,
    Prediction,
    StepRef,
    Verdict,
    buildkit_of,
)
from course.cache.predictor import Predictor, Surprise

__all__ = [
    "BaseImage",
    "BuildInput",
    "BuildKit",
    "Cause",
    "Platform",
    "Prediction",
    "Predictor",
    "StepRef",
    "Surprise",
    "Verdict",
    "buildkit_of",
]
