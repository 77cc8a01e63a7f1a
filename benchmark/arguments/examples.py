"""Two or three examples of each command, for its help and for what is said of bad usage: the commonest first."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": ("run ci", "plan theory --gpu A100", "compare theory"),
    "list": ("list", "list gran --profile reduced", "list --check"),
    "show": ("show 'gran/2/GraND-GAN/cifar10'", "show 'theory/1/B_z=10^0[MLP]/mnist' --profile ci"),
    "published": ("published", "published gran --format json"),
    "plan": (
        "plan theory --seeds 3 --explain",
        "plan pgn --gpu A100 --gpus 8 --budget 500h",
        "plan gran --only 'table=2 & dataset=cifar10'",
    ),
    "calibrate": ("calibrate", "calibrate --device cuda"),
    "run": (
        "run theory --seeds 3",
        "run gran --profile reduced --only 'table=2 & dataset=cifar10'",
        "run theory --until-decided --budget 20h",
    ),
    "status": ("status", "status --watch", "status --results DIR"),
    "diff": (
        "diff gran/2/NSGAN/cifar10 gran/2/NSGAN-GP/cifar10",
        "diff pgn/II/PGN-GAN[CNN]/cifar10 sdp/I/LSGAN/cifar10 --all",
    ),
    "compare": ("compare theory", "compare theory gran --format csv", "compare ci"),
    "claims": ("claims theory", "claims --published-only"),
    "report": ("report theory", "report suites --out report --png"),
    "merge": ("merge mine.zip", "merge their-results --results both"),
    "export": ("export theory --out mine.zip", "export gran --only 'table=2'"),
    "measure": (
        'measure made.npz --as gran/2/NSGAN/cifar10 --trained-by "authors\' code, commit 1234abc"',
        "measure images --as gran/2/NSGAN/cifar10 --seed 1 --quantised round",
    ),
    "enter": (
        "enter gran/2/NSGAN/cifar10 FID=24.1 --by 'clean-fid 0.1.35' --protocol theirs.yaml",
        "enter gran/2/NSGAN/cifar10 FID=24.1,23.8,24.6 --by 'clean-fid 0.1.35'",
    ),
    "new": ("new suite mine", "new method wild", "new dataset waves"),
    "schema": ("schema > suite.schema.json", "schema | less"),
    "data": ("data list", "data fetch mnist", "data stats gran --profile reduced"),
    "data list": ("data list", "data list mnist vgg16"),
    "data fetch": ("data fetch mnist", "data fetch fluent-emoji --force", "data fetch --for gran --profile reduced"),
    "data add": ("data add celeba FOLDER", "data add cifar10 cifar-10-python.tar.gz", "data add flowers FOLDER --new"),
    "data verify": ("data verify mnist", "data verify mnist cifar10"),
    "data stats": (
        "data stats",
        "data stats gran --profile reduced",
        "data stats gran --only 'table=2 & dataset=cifar10' --export kept.npz",
    ),
    "doctor": ("doctor", "doctor --golden"),
}
"""By command, of ``data`` also by action; each as it stands after ``ganbench``."""
