"""Settings, one module per place the project runs in. The environment is read here and nowhere else."""
