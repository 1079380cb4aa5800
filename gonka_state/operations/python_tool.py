"""Building a tool's environment beside its place, and moving it there when it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gonka_state.core.change import Action
from gonka_state.errors import StepError
from gonka_state.facts.base import quote
from gonka_state.operations.alone import ALONE
from gonka_state.operations.base import Do, fail

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Result, Step
    from gonka_state.resources.python_tool import PythonToolResource

NO_VENV, NO_PACKAGE, SILENT, BUSY = 3, 4, 5, 6

# What a killed build left is removed by the next one. Programs name their interpreter by its absolute path: it is
# written as it will be once the environment is in its place.
_BUILD = r"""
umask 022
alone "$path" || exit 1
new=$path.gonka-state old=$path.gonka-state-old
export PYTHONDONTWRITEBYTECODE=1 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
for process in /proc/[0-9]*; do
  if tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qxF -e "$path/bin/$program" -e "$path/bin/python"; then
    echo "process ${process#/proc/}"; exit 6
  fi
done
rm -rf -- "$new" "$old"
trap '[ $? = 0 ] || rm -rf -- "$new"' EXIT
trap 'exit 1' HUP INT TERM
said=$(python3 -m venv -- "$new" 2>&1) || { echo "$said" >&2; exit 3; }
said=$("$new/bin/python" -m pip install --quiet "$@" "$package==$version" 2>&1) || { echo "$said" >&2; exit 4; }
grep -rlIF -- "$new" "$new/bin" "$new/pyvenv.cfg" | while IFS= read -r file; do
  sed -i "s|$(printf '%s' "$new" | sed 's/[][\\.*^$|]/\\&/g')|$(printf '%s' "$path" | sed 's/[\\&|]/\\&/g')|g" "$file"
done || exit 1
[ -x "$new/bin/$program" ] || { echo "$package $version has no program $program" >&2; exit 5; }
if [ -e "$path" ]; then mv -T -- "$path" "$old" || exit 1; fi
mv -T -- "$new" "$path" || { mv -T -- "$old" "$path"; exit 1; }
rm -rf -- "$old"
said=$(HOME=/nonexistent HF_HUB_DISABLE_UPDATE_CHECK=1 HF_HUB_DISABLE_TELEMETRY=1 timeout 60 "$path/bin/$program" --version 2>&1 </dev/null) ||
  { echo "$said" >&2; exit 5; }
"""

_LINK = r"""
if [ -e "$link" ] && [ ! -L "$link" ]; then echo "$link is no link" >&2; exit 1; fi
mkdir -p -- "$(dirname -- "$link")" &&
  ln -sfn -- "$path/bin/$program" "$link.gonka-state" && mv -fT -- "$link.gonka-state" "$link"
"""


def apply(step: Step[PythonToolResource]) -> Commands:
    """Build the environment where its version or its program differ, and set the link.

    Raises:
        StepError: Python cannot make environments, pip cannot get the package, the program does not run, or
            somebody is running it now.
    """
    wish = step.resource
    values = {name: getattr(wish, name) for name in ("path", "package", "version", "program")}
    names = "".join(f"{name}={quote(value)}\n" for name, value in values.items())
    if step.change.action is Action.CREATE or step.differs("version") or step.differs("runs"):
        sources = f"set -- {quote(*_sources(wish.wheels))}\n"
        result = yield Do(
            f"build {wish.path}", names + sources + ALONE + _BUILD, deadline=step.timeouts.pull, check=False
        )
        if result.status:
            raise _error(wish, result)
    if wish.link is not None:
        yield Do(f"link {wish.link}", f"{names}link={quote(wish.link)}\n{_LINK}")


def _sources(wheels: str | None) -> list[str]:
    """Pip's options for where packages come from."""
    if wheels is None:
        return []
    trusted = ["--trusted-host", urlsplit(wheels).netloc] if wheels.startswith("http://") else []
    return ["--no-index", "--find-links", wheels, *trusted]


def _error(wish: PythonToolResource, result: Result) -> StepError:
    if result.status == BUSY:
        return StepError(
            f"{wish.command} is running ({result.stdout.strip()}); it was left as it is",
            hint="wait for it (a download, for example), then converge again",
        )
    hints = {
        NO_VENV: "install python3-venv: declare it in packages",
        NO_PACKAGE: f"can the host get {wish.package} {wish.version}"
        + (f" from {wish.wheels}?" if wish.wheels else " with pip's own configuration?"),
        SILENT: "is program a program of that package?",
    }
    return fail(result, f"could not build {wish.path}", hints.get(result.status, ""))
