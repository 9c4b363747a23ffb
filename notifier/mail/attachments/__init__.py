"""Files that go with a mail, made from the same columns as everything else."""
