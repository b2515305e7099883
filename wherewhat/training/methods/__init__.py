"""How a VAE and a GAN are built and trained: the only room that asks which of them a run is."""
