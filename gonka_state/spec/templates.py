"""Files from Jinja2 templates; a secret stands in them as a placeholder, a withheld value stops them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import FileSystemLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gonka_state.core.desired import Source
from gonka_state.core.masking import placeholder
from gonka_state.spec.problems import did_you_mean
from gonka_state.spec.references import Withheld

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr

    from gonka_state.spec.problems import Problems

_ABSENT = re.compile(r"'dict object' has no attribute '(\w+)'")
_RUINED = re.compile("\0|\\\\u0000")


class WithheldError(Exception):
    """A template wanted a value that is not there; its text is the reason."""


class _Gap:
    """Stands in a template for a withheld value: any use of it says so, even a default or a test."""

    __slots__ = ("_reason",)

    def __init__(self, reason: str) -> None:
        object.__setattr__(self, "_reason", reason)

    def _stop(self, *_: object, **__: object) -> NoReturn:
        raise WithheldError(object.__getattribute__(self, "_reason"))

    __str__ = __repr__ = __bool__ = __len__ = __iter__ = __call__ = __getitem__ = __getattr__ = _stop
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = __contains__ = __format__ = _stop
    __add__ = __radd__ = __mul__ = __mod__ = __rmod__ = __int__ = __float__ = _stop


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file's text and the secrets that stand in it; or why there is none yet."""

    text: str | None = None
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    withheld: str = ""


def directories(cluster_file: str) -> list[Path]:
    """Where templates are looked for: beside the desired state, then those that come with the package."""
    home = Path(cluster_file).parent
    return [home / ".." / "templates", home / "templates", Path(str(files("gonka_state") / "templates"))]


class Templates:
    """Renders for one cluster. Template errors are problems at the template's own line."""

    def __init__(self, where: Sequence[Path], problems: Problems) -> None:
        self._where = where
        self._problems = problems
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader([str(path) for path in where]),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # the results are configuration files, not pages
        )
        self._environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "default": str}

    def render(
        self, name: str, words: Mapping[str, Any], secrets: Mapping[str, SecretStr], source: Source
    ) -> Rendered:
        """Render one template; `source` is where it is asked for."""
        try:
            text = self._environment.get_template(name).render(words)
        except WithheldError as error:
            return Rendered(withheld=str(error))
        except TemplateNotFound as error:
            self._not_found(str(error.name), source)
        except TemplateSyntaxError as error:
            self._problems.add(self._place(error.filename, error.lineno), str(error.message))
        except RecursionError:
            self._problems.add(source, f"template {name!r} includes itself without an end")
        except Exception as error:  # noqa: BLE001  (whatever an expression of a template raises is its fault)
            self._failed(error, source)
        else:
            return self._with_secrets(name, text, secrets, source)
        return Rendered()

    def _with_secrets(
        self, name: str, text: str, secrets: Mapping[str, SecretStr], source: Source
    ) -> Rendered:
        used = {key: secret for key, secret in secrets.items() if placeholder(key) in text}
        rest = text
        for key in used:
            rest = rest.replace(placeholder(key), "")
        if _RUINED.search(rest):
            what = f"template {name!r} changes a secret with a filter; a secret can only stand in a file as it is"
            self._problems.add(source, what)
            return Rendered()
        return Rendered(text, used)

    def _not_found(self, name: str, source: Source) -> None:
        known = {path.name for directory in self._where if directory.is_dir() for path in directory.iterdir()}
        self._problems.add(source, f"template {name!r} is not there", did_you_mean(name, known))

    def _failed(self, error: Exception, source: Source) -> None:
        place, trace = source, error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if any(Path(file).resolve().is_relative_to(directory.resolve()) for directory in self._where):
                place = self._place(file, trace.tb_lineno)
            trace = trace.tb_next
        text = str(error) if isinstance(error, UndefinedError) else f"{type(error).__name__}: {error}"
        missing = _ABSENT.fullmatch(text)
        hint = f"it uses {missing[1]}, which is not declared, or is null" if missing else ""
        self._problems.add(place, hint or text)

    def _place(self, file: str | None, line: int) -> Source:
        shown = str(file or "template")
        if file is not None and Path(file).is_file():
            self._problems.register(shown, Path(file).read_text(errors="replace"))
        return Source(shown, line, 1)


def shown_value(name: str, value: str | SecretStr | Withheld) -> object:
    """What stands for an operator's value in a template."""
    if isinstance(value, Withheld):
        return _Gap(value.reason)
    return value if isinstance(value, str) else placeholder(name)
