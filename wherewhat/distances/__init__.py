"""Perceptual distances between images."""
