"""``python -m dlviz``: serve the app, each option with an environment variable beside it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from dlviz.settings import ROOT


def parser() -> argparse.ArgumentParser:
    """The command line; an option left out takes its environment variable, then its default."""
    env = os.environ.get
    options = argparse.ArgumentParser(prog="python -m dlviz", description="Serve the dlviz laboratory.")
    options.add_argument(
        "--host", default=env("DLVIZ_HOST", "localhost"), help="address to bind (DLVIZ_HOST)"
    )
    options.add_argument("--port", type=int, default=int(env("DLVIZ_PORT", "8501")), help="port (DLVIZ_PORT)")
    options.add_argument(
        "--device", default=env("DLVIZ_DEVICE", "auto"), help="auto, cpu, cuda, cuda:1 or mps (DLVIZ_DEVICE)"
    )
    options.add_argument(
        "--offline",
        action="store_true",
        default=env("DLVIZ_OFFLINE", "") not in {"", "0", "false"},
        help="never touch the network (DLVIZ_OFFLINE=1)",
    )
    options.add_argument(
        "--verbose",
        action="store_true",
        default=env("DLVIZ_VERBOSE", "") not in {"", "0", "false"},
        help="write models, jobs and their ends to the log (DLVIZ_VERBOSE=1)",
    )
    options.add_argument(
        "--tls",
        nargs=2,
        metavar=("CERT", "KEY"),
        help="serve https with these two PEM files: browsers give the camera to https pages only",
    )
    options.add_argument("--open", action="store_true", help="open a browser on the app")
    return options


def main(argv: Sequence[str] | None = None) -> None:
    """Serve the app until it is stopped."""
    options = parser().parse_args(argv)
    os.environ["DLVIZ_HOST"] = options.host
    os.environ["DLVIZ_DEVICE"] = options.device
    if options.offline:
        os.environ["DLVIZ_OFFLINE"] = "1"
    if options.verbose:
        os.environ["DLVIZ_VERBOSE"] = "1"
    # The settings of the server stand in .streamlit/config.toml beside the app.
    os.chdir(ROOT)
    from streamlit.web import cli

    flags = [
        f"--server.address={options.host}",
        f"--server.port={options.port}",
        f"--server.headless={'false' if options.open else 'true'}",
    ]
    if options.tls:
        flags += [f"--server.sslCertFile={options.tls[0]}", f"--server.sslKeyFile={options.tls[1]}"]
    cli.main(["run", str(ROOT / "streamlit_app.py"), *flags])


if __name__ == "__main__":
    main()
