"""A JupyterLab server of the tests' own: its own process, port, token, folders and kernels.

JupyterLab and Notebook 7 are served by the same process. Nothing of the user's is read or written:
configuration, data, runtime files, IPython profile and home are in one temporary folder.

Run as a program (which is what `LabServer` does), this file is the server; it ends when its
standard input does, so that a killed test run leaves no server behind.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import requests

# Nothing may be looked up on the internet, and what no test needs is not started.
FLAGS = (
    "--no-browser",
    "--ip=127.0.0.1",
    "--port=0",
    "--allow-root",
    "--LabApp.expose_app_in_browser=True",
    "--JupyterNotebookApp.expose_app_in_browser=True",
    "--LabApp.news_url=",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
    "--LanguageServerManager.autodetect=False",
    "--ServerApp.terminals_enabled=False",
)
FOLDERS = {
    "HOME": "home",
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "xdg-config",
    "XDG_DATA_HOME": "xdg-data",
}
KERNELSPEC = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
STRANGERS = ("RESPAN_", "JUPYTER", "JPY_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class LabServer:
    """A running JupyterLab and Notebook 7 server; a context manager.

    Parameters
    ----------
    folder
        An empty folder for everything that the server writes. Notebooks are in `root`, below it.
    startup_timeout
        Seconds until a server that does not answer is given up.

    Raises
    ------
    RuntimeError
        When the server ends or does not answer in time; the message ends with its log.
    """

    def __init__(self, folder: Path, startup_timeout: float = 60) -> None:
        self.folder, self.root = folder, folder / "root"
        self.token = secrets.token_hex(16)
        self._timeout = startup_timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"token {self.token}"

    def __enter__(self) -> LabServer:
        self.root.mkdir()
        command = [sys.executable, "-P", __file__, *FLAGS, f"--ServerApp.root_dir={self.root}"]
        with self._log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, f"--IdentityProvider.token={self.token}"],
                env=_environment(self.folder),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.url = self._wait_until_up()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _log_file(self) -> Path:
        return self.folder / "server.log"

    def log(self, characters: int = 4000) -> str:
        """Return the end of the server's log, kernels' own output included."""
        return self._log_file.read_text(errors="replace")[-characters:]

    def _wait_until_up(self) -> str:
        info = self.folder / "runtime" / f"jpserver-{self.process.pid}.json"
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline and self.process.poll() is None:
            time.sleep(0.05)
            try:
                self.url = f"http://127.0.0.1:{json.loads(info.read_text())['port']}"
                self.api("GET", "status")
            # The file is written in place, and before the server listens.
            except (OSError, ValueError):
                continue
            return self.url
        raise RuntimeError(f"JupyterLab did not start; its log:\n{self.log()}")

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Call the server's REST API, and return the answer's JSON, or None if it has none."""
        answer = self._session.request(method, f"{self.url}/api/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def start_kernel(self, notebook: str) -> None:
        """Start a notebook's kernel; the page finds it by the notebook's path when it opens."""
        session = {"path": notebook, "name": notebook, "type": "notebook"}
        self.api("POST", "sessions", session | {"kernel": {"name": KERNELSPEC["name"]}})

    def stop_kernels(self, notebook: str) -> None:
        """End all kernels of a notebook, those that a test has killed too."""
        for session in self.api("GET", "sessions"):
            if session["path"] == notebook:
                self.api("DELETE", f"kernels/{session['kernel']['id']}")

    def choose_theme(self, theme: str) -> None:
        """Show pages that are opened from now on in the "light" or the "dark" theme."""
        plugin = "@jupyterlab/apputils-extension"
        folder = self.folder / "config/lab/user-settings" / plugin
        folder.mkdir(parents=True, exist_ok=True)
        themes = {"theme": theme_name(theme)}
        (folder / "themes.jupyterlab-settings").write_text(json.dumps(themes))
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        (folder / "notification.jupyterlab-settings").write_text(json.dumps(quiet))

    def stop(self) -> None:
        """End the server, and with it its kernels; does nothing the second time."""
        self._session.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
        if self.process.stdin:
            self.process.stdin.close()


def theme_name(theme: str) -> str:
    """Return JupyterLab's name of the "light" or the "dark" theme."""
    return {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[theme]


def _environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(STRANGERS)}
    for name, subfolder in FOLDERS.items():
        kept[name] = str(folder / subfolder)
        Path(kept[name]).mkdir()
    return kept


def _end_with_the_tests() -> None:
    # Not sys.stdin, whose lock Python wants at its end: a thread that holds it makes that an abort.
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    from jupyterlab.labapp import main

    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    sys.exit(main())
