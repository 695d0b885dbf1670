from lending_steps import *  # noqa: F403
from pytest_bdd import scenarios

scenarios("library.feature")
