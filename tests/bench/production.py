"""The settings that production has, with what only a benchmark needs to say."""

from voc.settings import *  # noqa: F403
from voc.settings import ROOT_URLCONF, env

ROOT_URLCONF = env("BENCH_URLS", default=ROOT_URLCONF)  # of the reference, or of a control
STATIC_ROOT = env("BENCH_STATIC")
