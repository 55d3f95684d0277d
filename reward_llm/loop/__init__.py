"""Controllers, experiments, solved goals and search: what came of weights proposes the next ones."""
