"""Where the scheduler's jobs run: worker processes of this machine, a Ray cluster, Slurm. One file each, one interface."""
