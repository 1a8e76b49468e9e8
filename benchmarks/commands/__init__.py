"""One file per verb: ``add_arguments(parser)`` and ``main(arguments) -> exit status``. None imports torch at the top."""
