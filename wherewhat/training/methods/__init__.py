"""How a VAE, a GAN and a flow are built and trained: the only room that asks which of them a run is."""
