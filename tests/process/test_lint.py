"""The checks of the sources that are our own see what they are for: in a small tree that is sound, one
line is wrong at a time. No program is started here."""

import pathlib
import subprocess
import sys

import pytest

LINT = pathlib.Path(__file__).parents[1] / "lint"

# Three files of two layers: what is called below is declared by a public header.
SOUND = {
    "include/base/text.h": "int text_length(const char *text);\n",
    "src/base/text.c": '#include "base/text.h"\nint text_length(const char *text)\n{\n\treturn *text;\n}\n',
    "include/http/field.h": "struct field;\nint field_size(struct field *field);\nextern const int field_most;\n",
    "src/http/field.c": '#include "http/field.h"\n#include "base/text.h"\n#include "octet.h"\n'
    "const int field_most = 3;\n"
    'int field_size(struct field *field)\n{\n\treturn text_length("field_size()") + octet_kind(1);\n}\n',
    "src/http/octet.h": "int octet_kind(int octet);\n",
    "src/http/octet.c": '#include "octet.h"\n#include "base/text.h"\nstatic int size(void)\n{\n\treturn 1;\n}\n'
    "int octet_kind(int octet)\n{\n\tint (*call)(void) = size;\n\treturn call() + octet;\n}\n",
    "src/DESIGN": "The map. text_length() is of base/text.c, field.h is in http/.\n\n"
    "    folder  has    may include\n    base    texts  nothing\n    http    heads  base\n\n",
    "src/main.c": "int main(void)\n{\n\treturn 0;\n}\n",
    "tests/lint/circles.allow": "",
    "tests/lint/names.allow": "",
}
pytestmark = pytest.mark.plain("it looks at sources")


@pytest.fixture
def tree(tmp_path):
    for name, text in SOUND.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(check, tree):
    """(exit code, what was told) of one check."""
    done = subprocess.run(
        [sys.executable, "-B", LINT / check, tree], capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return done.returncode, done.stdout


def add(tree, name, text):
    file = tree / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text((file.read_text() if file.exists() else "") + text, encoding="utf-8")


@pytest.mark.parametrize("check", ["layers", "circles", "names", "design"])
def test_sound(tree, check):
    assert run(check, tree)[0] == 0, run(check, tree)[1]


def test_include_up(tree):
    add(tree, "src/base/text.c", '#include "http/field.h"\n')
    code, told = run("layers", tree)
    assert code == 1 and told == 'src/base/text.c:6: base may not include "http/field.h"\n'


@pytest.mark.parametrize(
    "line, told",
    [
        ('#include "octet.h"', "not beside this file"),
        ('#include "../http/octet.h"', "not a path from src/ or include/"),
        ('#include "http/octet.h"', "private to http"),
    ],
)
def test_private_header(tree, line, told):
    add(tree, "src/command/command_run.c", line + "\n")
    code, out = run("layers", tree)
    assert code == 1 and told in out


def test_private_header_of_the_same_layer(tree):
    add(tree, "src/http/v2/frame.c", '#include "http/octet.h"\n#include "http/field.h"\n')
    assert run("layers", tree)[0] == 0


@pytest.mark.parametrize(
    "line",
    [
        "extern int field_size(void *);\nint text_of(void *field)\n{\n\treturn field_size(field);\n}\n",
        "extern int field_size(void *);\nint (*const text_call)(void *) = field_size;\n",
        "extern const int field_most;\nint text_most(void)\n{\n\treturn field_most;\n}\n",
    ],
)
def test_call_up(tree, line):
    """A call upwards needs no include; nor does the address of a function, or an object."""
    add(tree, "src/base/text.c", line)
    assert run("layers", tree)[0] == 0
    code, told = run("circles", tree)
    assert code == 1 and "src/base/text.c -> src/http/field.c: base may not use field_" in told
    assert "a circle of 3 files:" in told


@pytest.mark.parametrize(
    "line",
    [
        '#include "http/field.h"\n',
        "int octet_size(void)\n{\n\treturn field_size(0);\n}\n",
        "#define OCTETS field_most\n",
        "static int (*calls[])(struct field *) = { field_size };\n",
        "static const struct call {\n\tint (*size)(void *);\n} calls[] = { { field_size } };\n",
        # A name that one function hides is no less a use in another.
        "int octet_a(int field_size)\n{\n\treturn field_size;\n}\nint octet_b(void)\n{\n\treturn field_size(0);\n}\n",
        "int octet_a(void)\n{\n\tint size = 1, most = field_most;\n\n\treturn size + most;\n}\n",
    ],
)
def test_circle(tree, line):
    add(tree, "src/http/octet.c", line)
    code, told = run("circles", tree)
    assert code == 1 and "a circle of 2 files:" in told
    assert "  src/http/field.c -> src/http/octet.c: includes octet.h, octet_kind\n" in told
    assert "  src/http/octet.c -> src/http/field.c: " in told


@pytest.mark.parametrize(
    "line",
    [
        "/* field_size() */\n",
        'const char *octet_name = "field_size()";\n',
        "static int field_size(void)\n{\n\treturn 1;\n}\n",  # its own
        "struct octet {\n\tint (*field_size)(void);\n};\n",
        "int octet_ask(struct octet *o)\n{\n\treturn o->field_size();\n}\n",
        "int octet_ask(int field);\n",
        "int octet_ask(int a, struct slice field_size)\n{\n\treturn a + field_size.len;\n}\n",
        "int octet_ask(const char *const field_size[2])\n{\n\treturn *field_size[0];\n}\n",
        "int octet_ask(int (*field_size)(int a, int b))\n{\n\treturn field_size(1, 2);\n}\n",
        "int octet_ask(void)\n{\n\tconst struct slice *a = octet_any(1, 2), *field_size;\n\n\treturn field_size != a;\n}\n",
        "int octet_ask(void)\n{\n\tint (*field_size)(void) = size;\n\n\treturn field_size();\n}\n",
        "int octet_ask(void)\n{\n\tfor (int field_size = 1; field_size < 9; field_size++)\n\t\t;\n\treturn 1;\n}\n",
        "int octet_ask(void)\n{\n\tgoto field_size;\nfield_size:\n\treturn 1;\n}\n",
        "int octet_ask(void)\n{\n\tstruct {\n\t\tint field_size;\n\t} a = { .field_size = 1 };\n\n\treturn a.field_size;\n}\n",
        "void *octet_ask(void *link)\n{\n\treturn LIST_ITEM(link, struct octet, field_size);\n}\n",
        "#define OCTET_OF(field_size) ((field_size) & 0xff)\n",
    ],
)
def test_no_circle(tree, line):
    """A name of another file's function is no use where a parameter, a local or a member has it."""
    add(tree, "src/http/octet.c", line)
    assert run("circles", tree)[0] == 0, run("circles", tree)[1]


def test_circle_through_a_header(tree):
    """What a header includes or calls counts for the .c file of its name."""
    add(tree, "src/http/octet.h", "static inline int octet_in(void)\n{\n\treturn field_size(0);\n}\n")
    assert run("circles", tree)[0] == 1


def test_list_of_circles(tree):
    add(tree, "src/http/octet.c", '#include "http/field.h"\n')
    add(tree, "tests/lint/circles.allow", "src/http/octet.c a reason\n")
    code, told = run("circles", tree)
    assert code == 1 and "a circle of 2 files:" in told  # one of its two files has no line
    add(tree, "tests/lint/circles.allow", "src/http/field.c a reason\n")
    assert run("circles", tree)[0] == 0
    add(tree, "tests/lint/circles.allow", "src/base/text.c a reason\n")
    assert "src/base/text.c is not needed" in run("circles", tree)[1]


def test_double_name(tree):
    add(tree, "src/base/field.h", "")
    code, told = run("names", tree)
    assert code == 1
    assert told == "field is the name of src/base/field.h, src/http/field.c, include/http/field.h\n"
    add(tree, "tests/lint/names.allow", "field a reason\n")
    assert run("names", tree)[0] == 0
    (tree / "src/base/field.h").unlink()
    assert "field is not needed" in run("names", tree)[1]


def rewrite(tree, old, new):
    """Changes src/DESIGN."""
    file = tree / "src/DESIGN"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    "line, told",
    [
        ("See base/texts.c.", "there is no base/texts.c"),
        ("See src/http/text.c.", "there is no src/http/text.c"),
        ("See (tests/lint/nothing).", "there is no tests/lint/nothing"),
        ("It is in base/deep/.", "there is no base/deep/"),
        ("See tinylb.8.", "there is no tinylb.8"),
        ("See texts.py, too.", "there is no texts.py"),
        ("It calls text_width().", "text_width is nowhere in src/ and include/"),
        ("As TEXT_MAX says.", "TEXT_MAX is nowhere in src/ and include/"),
        ("long " * 22, "110 columns"),
        ("\n" * 250, "lines, 250 are allowed"),
    ],
)
def test_design_names(tree, line, told):
    add(tree, "src/DESIGN", line + "\n")
    code, out = run("design", tree)
    assert code == 1 and told in out


@pytest.mark.parametrize("line", ["See http/field.h of tests/lint.", "HTTP/1 or limits.buffers, not listen(2)."])
def test_design_other_words(tree, line):
    """What is there, and what is no name."""
    add(tree, "src/DESIGN", line + "\n")
    assert run("design", tree)[0] == 0, run("design", tree)[1]


@pytest.mark.parametrize(
    "old, new, told",
    [
        ("    http    heads  base\n", "", "the folder http is not in the table of folders"),
        ("    http ", "    net  ", "there is no folder net"),
        ("heads  base", "heads  nothing", "http may include nothing, and by tests/lint/layers something else"),
        ("heads  base", "heads  base net", "http may include base net, and"),
        ("heads  base", "heads  base libevent", "http may include base libevent, and"),
        ("texts  nothing", "texts  http+", "base may include http+, and"),
        ("texts  nothing", "texts  everything", "base may include everything, and"),
        ("    folder  has ", "    what    has ", "the folder base is not in the table of folders"),
    ],
)
def test_design_table(tree, old, new, told):
    rewrite(tree, old, new)
    code, out = run("design", tree)
    assert code == 1 and told in out


def test_design_and_the_tree(tree):
    """What moves, or a new folder, makes the map wrong."""
    rewrite(tree, "    http    heads  base\n", "    http    heads  base+\n")
    assert run("design", tree)[0] == 0, run("design", tree)[1]
    add(tree, "src/http/v2/frame.c", "")
    assert "the folder http/v2 is not in the table of folders" in run("design", tree)[1]
    rewrite(tree, "heads  base+\n", "heads  base\n    http/v2  frames  base\n")
    assert "http/v2 includes what http may: say so" in run("design", tree)[1]
    rewrite(tree, "frames  base\n", "frames  as http\n")
    assert run("design", tree)[0] == 0, run("design", tree)[1]
    (tree / "src/base/text.c").rename(tree / "src/base/words.c")
    assert "src/DESIGN:1: there is no base/text.c" in run("design", tree)[1]
