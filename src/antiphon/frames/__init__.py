"""What flows through a pipeline. One module per subject; `base` explains the categories."""
