/* The command line as a user meets it: output, messages, exit codes. */
#include "check.h"
#include "launch.h"

#include "base/base.h"

#include "rheo/base.h"

#include <sys/stat.h>
#include <unistd.h>

static const char DIVIDER[] =
    "divider\n*@ rheo version=1\nVin in 0 1\nR1 in o 1k\nR2 o 0 3k\n*@ learn R1 min=1u max=10m\n.end\n";

static const char EXPERIMENT[] = "version: 1\nnetlist: a.cir\ntask:\n  kind: table\n  inputs: [in]\n  outputs: [o]\n"
                                 "  rows: [{in: [1], out: [0.6]}]\nlearning: {rule: gradient, rate: 1u}\n"
                                 "run: {epochs: 20}\noutput: run\n";

/* Runs, expects the exit code, and that out and err contain these texts (NULL: not looked at; "": empty). */
static void contains(const char *what, const char *text, const char *want) {
    if (!want) return;
    if (want[0] ? strstr(text, want) == NULL : text[0] != '\0') fail_msg("%s is\n%s\nand not\n%s", what, text, want);
}

static void expect_in(const char *in, const char *const *argv, int code, const char *out, const char *err) {
    launched r;
    launch(&r, argv, NULL, in);
    if (r.exit != code) {
        print_error("rheo");
        for (int i = 0; argv[i]; i++) print_error(" %s", argv[i]);
        print_error("\n%s%s", r.out, r.err);
        fail_msg("exit code %d (signal %d), want %d", r.exit, r.signal, code);
    }
    contains("standard output", r.out, out);
    contains("standard error", r.err, err);
    launch_free(&r);
}
#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define expect(code, out, err, ...) expect_in(NULL, ARGS(__VA_ARGS__), code, out, err)
#define expect_stdin(in, code, out, err, ...) expect_in(in, ARGS(__VA_ARGS__), code, out, err)

static void help_and_version(void **state) {
    (void)state;
    expect(0, "rheo " RHEO_VERSION "\n", "", "--version");
    expect(0, "libyaml", "", "-V", "-v");
    expect(0, "Commands:", "", "--help");
    expect(0, "Commands:", "", "help");
    expect(0, "Examples:", "", "train", "--help");
    expect(0, "Examples:", "", "help", "solve");
    expect(0, "Usage: rheo check", "", "check", "-h");
    expect(0, "Usage: rheo check", "", "-h", "check");
    expect(0, "Examples:", "", "solve", "--nonsense", "--help");
    expect_in(NULL, (const char *const[]){ NULL }, 2, "", "Commands:");
}

static void every_command_has_help(void **state) {
    (void)state;
    launched r;
    launch_with(&r, "--help", (const char *)NULL);
    int n = 0;
    char name[40];
    for (const char *p = strstr(r.out, "Commands:\n") + 10; sscanf(p, "  %39s", name) == 1 && *p == ' ';
         p = strchr(p, '\n') + 1, n++)
        expect(0, "Usage: rheo ", "", name, "--help");
    assert_true(n >= 10);
    launch_free(&r);
}

static void wrong_use_is_told(void **state) {
    (void)state;
    expect(2, "", "did you mean `rheo train`?", "traain");
    expect(2, "", "unknown command 'xyzzy'", "xyzzy");
    expect(2, "", "did you mean --allow-short?", "check", "--alow-short", "x");
    expect(2, "", "did you mean --amplitude?", "cycle", "--amp", "1");
    expect(2, "", "unknown option '-Z'", "solve", "-Z");
    expect(2, "", "needs a value", "train", "x.yaml", "--seed");
    expect(2, "", "takes no value", "check", "--lenient=yes", "x");
    expect(2, "", "is not a whole number", "train", "--seed", "1.5", "x");
    expect(2, "", "is outside", "train", "--threads=0", "x");
    expect(2, "", "write 4.7k", "cycle", "--fast", "4k7", "-A", "1");
    expect(2, "", "did you mean never?", "--color", "nevr", "kinds");
    expect(2, "", "something is missing", "solve");
    expect(2, "", "too much", "solve", "a", "b");
    expect(2, "", "unknown option '--\\x1B[31m", "--\033[31mred");
    expect(2, "", "rheo cycle: '\\x1B[31mred' is too much", "cycle", "\033[31mred");
    expect(2, "", "unknown figure '\\x1B[31mred'", "figure", "\033[31mred");
}

static void codes_are_explained(void **state) {
    (void)state;
    expect(0, "E203: no DC path to ground", "", "explain", "E203");
    expect(0, "E203: no DC path to ground", "", "explain", "203");
    expect(0, "\nE501  ", "", "explain");
    expect(0, "{\"event\":\"explain\",\"code\":\"E203\"", "", "explain", "--json", "e203");
    expect(2, "", "there is no code 'E999'", "explain", "E999");
    expect(2, "", "there is no code", "explain", "E2031");
}

static void tables_are_shown(void **state) {
    (void)state;
    const char *const words[] = { "resistor", "leaky-integrator", "sawtooth", "dead-zone",
                                  "tcl",      "conductance",      "hinge",    "klu",
                                  "grid" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) expect(0, words[i], "", "kinds");
    expect(0, "tau", "", "kinds", "kernels");
    expect(2, "", "did you mean kernels", "kinds", "kernel");
    const char *const lines[][2] = {
        { "rules", "  hebbian            the clamped state alone writes (directed aging); as a control: nothing is " },
        { "nudges", "  conductance        soft clamp: a conductance to the target; for tcl and for machines: one " },
        { "losses",
          "  squared            half the squared distance to the target; for outputs that are to have given " },
        { "optimizers", "  sgd                along the gradient; for edges that are to learn with nothing but " },
        { "schedules", "  exponential        rate times decay^epoch; for a loss that comes down and then jitters: " },
        { "protocols", "  sawtooth           clamp rises 0 to 1 in `fast`, falls back in `slow`; for tcl: the dead " },
        { "kernels", "off; for circuits: one R and one C per edge, tau = R C; the kernel of exported decks\n" },
        { "nonlinearities", "  none               u itself; as the control: up and down cancel, unless the kernel " },
    };
    for (size_t i = 0; i < RH_COUNT(lines); i++) expect(0, lines[i][1], "", "kinds", lines[i][0]);
    expect(0, "complete -o default -F _rheo rheo", "", "completions", "bash");
    expect(2, "", "only bash", "completions", "csh");
}

/* What a table holds is found by its name, with what belongs to it and nothing else. */
static void kinds_are_found_by_name(void **state) {
    (void)state;
    launched r;
    launch_with(&r, "kinds", "tcl", NULL);
    assert_int_equal(r.exit, 0);
    assert_memory_equal(r.out, "rules (learning.rule)\n  tcl    ", 30);
    assert_null(strstr(r.out, "hebbian"));
    launch_free(&r);
    expect(0, "kernels (memory.kind: what an edge remembers)\n  leaky-integrator", "", "kinds", "leaky-integrator");
    expect(0, "    tau ", "", "kinds", "leaky-integrator");
    expect(0, "  R  resistor ", "", "kinds", "Resistor");
    expect(0, "{\"event\":\"kind\",\"table\":\"rules\",\"name\":\"tcl\"", "", "kinds", "--json", "tcl");
    launch_with(&r, "kinds", "none", NULL); /* in several tables */
    assert_int_equal(r.exit, 0);
    assert_non_null(strstr(r.out, "nonlinearities ("));
    launch_free(&r);
    expect(2, "", "there is no table or kind 'nonsense'", "kinds", "nonsense");
    /* the options of a generator that is not there cannot be shown */
    expect(0, "--nx X", "", "gen", "grid", "--help");
    expect(2, "", "there is no generator 'random'\n  hint: kinds are grid, torus, ", "gen", "random", "--help");
    expect(2, "", "did you mean grid\n", "gen", "grdi", "-h");
}

/* ---- netlists ---- */

static void right_netlists_pass(void **state) {
    (void)state;
    char *const dir = scratch_create(), path[200];
    scratch_write(dir, "a.cir", DIVIDER);
    scratch_write(dir, "noname", DIVIDER);
    snprintf(path, sizeof path, "%s/a.cir", dir);
    expect(0, "3 nodes, 3 elements, 1 learnable, 0 warnings", "", "check", path);
    expect(0, "\"ok\":true,\"status\":\"ok\",\"nodes\":3,\"elements\":3,\"learnable\":1", "", "check", "--json", path);
    expect(0, "", "", "-q", "check", path);
    snprintf(path, sizeof path, "%s/noname", dir);
    expect(0, "netlist with 3 nodes", "", "check", path);
    expect_stdin(DIVIDER, 0, "netlist with 3 nodes", "", "check", "-");
    scratch_remove(dir);
}

static void wrong_netlists_are_told(void **state) {
    (void)state;
    char *const dir = scratch_create(), path[200], place[220];
    scratch_write(dir, "a.cir", "t\nV1 a 0 1\nR1 a 0 4k7\n.end\n");
    snprintf(path, sizeof path, "%s/a.cir", dir);
    snprintf(place, sizeof place, "%s:3:8: error[E0", path);
    expect(3, "", place, "check", path);
    expect(3, "\"event\":\"message\",\"severity\":\"error\",\"code\":\"E0", NULL, "check", "--json", path);
    expect(3, "\"ok\":false", NULL, "check", "--json", path);
    expect(3, "", "\033[1;31merror[E0", "check", "--color=always", path);
    expect(3, "", "error[E0", "-q", "solve", path);
    scratch_write(dir, "b.cir", "t\nV1 a 0 1\nR1 a 0 1k\nR2 c d 1k\n.end\n");
    snprintf(path, sizeof path, "%s/b.cir", dir);
    expect(4, "", "error[E203]", "check", path);
    expect(4, "", "error[E203]", "solve", path);
    scratch_write(dir, "c.cir", "t\nI1 x y 1\nV1 a b 1\nR1 a b 1k\n.end\n");
    snprintf(path, sizeof path, "%s/c.cir", dir);
    expect(4, "", "^~ write 0 for the node that potentials count from, such as b, where V1 has its minus\n", "check",
           path);
    expect_stdin("t\nI1 x y 1\nR1 x y 1k\n.end\n", 4, "", "^~ write 0 for the node that potentials count from\n",
                 "check", "-");
    scratch_write(dir, "c.cir", "t\nR1 a 0 x\nR2 b 0 y\n.end\n");
    snprintf(path, sizeof path, "%s/c.cir", dir);
    expect(3, "", "2 errors, 0 warnings\n", "check", path);
    expect(5, "", "E401", "check", "/nonexistent/file.cir");
    expect(5, "", "E403", "solve", "/tmp");
    expect_stdin("version: 1\nnetlist: a.cir\n", 2, "", "standard input", "check", "-");
    scratch_remove(dir);
}

/* A hundred warnings are shown; how many there were beyond them is said, and the last line counts what was shown. */
static void hidden_warnings_are_counted(void **state) {
    (void)state;
    for (int n = 99; n <= 102; n++) {
        rh_buf b = { 0 };
        char last[80], more[80];
        rh_buf_puts(&b, "t\nV1 a 0 1\nR1 a 0 1k\n");
        for (int i = 0; i < n; i++) rh_buf_puts(&b, "*#shell x\n");
        rh_buf_puts(&b, ".end\n");
        snprintf(last, sizeof last, "0 learnable, %d warnings\n", n < 100 ? n : 100);
        snprintf(more, sizeof more, "note: %d more warning%s not shown\n", n - 100, n == 101 ? " is" : "s are");
        launched r;
        launch(&r, ARGS("check", "-"), NULL, b.s);
        assert_int_equal(r.exit, 0);
        contains("standard output", r.out, last);
        int shown = 0;
        for (const char *p = r.err; (p = strstr(p, "warning[E601]")); p++) shown++;
        assert_int_equal(shown, n < 100 ? n : 100);
        if (n > 100)
            contains("standard error", r.err, more);
        else
            assert_null(strstr(r.err, "not shown"));
        launch_free(&r);
        rh_buf_free(&b);
    }
}

/* Who resumes a run is told the place in the netlist as he would name it. */
static void places_have_short_paths(void **state) {
    (void)state;
    static const char *const NET =
        "t\n*@ rheo version=1\nVin in 0 1\nR1 in o 1k\nR2 o 0 3k\n*@ learn R1 min=1u max=10m\n"
        ".print v(o)\n.end\n";
    char *const dir = scratch_create(), path[300], want[400];
    scratch_write(dir, "a.cir", NET);
    scratch_write(dir, "exp.yaml", EXPERIMENT);
    snprintf(path, sizeof path, "%s/exp.yaml", dir);
    expect(0, "", NULL, "train", path);
    snprintf(want, sizeof want, "%s/a.cir:7:1: note[E105]: '.print' is not used by rheo", dir);
    snprintf(path, sizeof path, "%s/run", dir);
    launched r;
    launch(&r, ARGS("resume", path), NULL, NULL);
    assert_int_equal(strncmp(r.err, want, strlen(want)), 0);
    launch_free(&r);
    scratch_remove(dir);
}

/* What each kind of file is called, and that every command that does not take it says so in one message. */
static void files_of_another_kind_are_told(void **state) {
    (void)state;
    static const struct {
        const char *file, *is, *hint;
        const char *refuse[9];
    } CASES[] = {
        { "a.cir",
          "a netlist",
          "an experiment has it behind `netlist:`",
          { "train", "tune", "gradcheck", "export", "cosim", "resume" } },
        { "noname", "a netlist", "an experiment has it behind `netlist:`", { "train", "resume" } },
        { "exp.yaml", "an experiment", "`rheo train ", { "solve", "tran", "resume" } },
        { "experiment", "an experiment", "`rheo train ", { "solve", "tran", "resume" } },
        { "run", "a run directory", "`rheo resume ", { "train", "cosim" } },
        { "d.csv",
          "a table",
          "task: {kind: csv, file: ",
          { "check", "solve", "tran", "train", "tune", "resume", "compare", "export" } },
        { "run/result.npz", "an archive of arrays", "numpy.load(", { "check", "solve", "train", "resume", "compare" } },
        { "run/checkpoints/a.ckpt", "a checkpoint", "`rheo resume ", { "check", "solve", "train", "resume" } },
        { "run/metrics.jsonl", "a file of JSON lines", "`rheo solve ", { "check", "solve", "train", "resume" } },
        { "other", "not a text", NULL, { "check" } },
    };
    char *const dir = scratch_create(), path[300], is[400];
    scratch_write(dir, "a.cir", DIVIDER);
    scratch_write(dir, "noname", DIVIDER);
    scratch_write(dir, "exp.yaml", EXPERIMENT);
    scratch_write(dir, "experiment", EXPERIMENT);
    scratch_write(dir, "d.csv", "a,b\n1,2\n");
    snprintf(path, sizeof path, "head -c 100 /dev/zero > %s/other", dir);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/exp.yaml", dir);
    expect(0, "", NULL, "train", path);
    for (size_t i = 0; i < RH_COUNT(CASES); i++)
        for (int k = 0; CASES[i].refuse[k]; k++) {
            snprintf(path, sizeof path, "%s/%s", dir, CASES[i].file);
            snprintf(is, sizeof is, "rheo: error[E407]: '%s' is %s: `rheo %s` takes a", path, CASES[i].is,
                     CASES[i].refuse[k]);
            launched r;
            launch(&r, ARGS(CASES[i].refuse[k], path), NULL, NULL);
            assert_int_equal(r.exit, 2);
            contains("standard output", r.out, "");
            contains("standard error", r.err, is);
            contains("standard error", r.err, CASES[i].hint);
            assert_null(strstr(r.err + 1, "\nrheo: error"));
            launch_free(&r);
        }
    snprintf(path, sizeof path, "%s/a.cir", dir);
    expect(2, "", "takes an experiment or a run directory\n", "tune", path);
    snprintf(path, sizeof path, "%s/d.csv", dir);
    expect(2, "", "takes a netlist, an experiment or a run directory\n", "compare", path);
    expect(2, "{\"event\":\"check\",\"file\":", "E407", "check", "--json", path);
    expect(5, "", "is a folder and not a run directory", "train", dir);
    scratch_remove(dir);
}

/* Of a run directory each command takes the file that it would take by name. */
static void run_directories_are_taken(void **state) {
    (void)state;
    static const struct {
        const char *command, *option, *file;
    } CASES[] = { { "solve", "--csv", "trained.cir" },         { "tran", "--stop=1m", "trained.cir" },
                  { "check", "--color=auto", "trained.cir" },  { "tune", "--set=seed=2", "config.yaml" },
                  { "gradcheck", "--edges=1", "config.yaml" }, { "export", "--teeth=2", "config.yaml" } };
    char *const dir = scratch_create(), path[400], run[300];
    scratch_write(dir, "a.cir", DIVIDER);
    scratch_write(dir, "exp.yaml", EXPERIMENT);
    snprintf(path, sizeof path, "%s/exp.yaml", dir);
    snprintf(run, sizeof run, "%s/run", dir);
    expect(0, "", "\nrun directory: ", "train", "--set", "learning.rule=tcl", path);
    for (size_t i = 0; i < RH_COUNT(CASES); i++) {
        snprintf(path, sizeof path, "%s/%s", run, CASES[i].file);
        launched by_name, by_run;
        launch(&by_name, ARGS(CASES[i].command, CASES[i].option, path), NULL, NULL);
        launch(&by_run, ARGS(CASES[i].command, CASES[i].option, run), NULL, NULL);
        assert_int_equal(by_name.exit, 0);
        assert_int_equal(by_run.exit, 0);
        assert_true(by_name.n_out > 0);
        assert_string_equal(by_name.out, by_run.out);
        launch_free(&by_name);
        launch_free(&by_run);
    }
    snprintf(path, sizeof path, "%s/trained.cir", run);
    assert_int_equal(unlink(path), 0);
    expect(5, "", "/run' has no trained.cir yet", "solve", run);
    scratch_remove(dir);
}

/* Before anything is computed: it took seconds and gigabytes. */
static void more_rows_than_memory_are_refused_at_once(void **state) {
    (void)state;
    char *const dir = scratch_create(), path[300];
    scratch_write(dir, "rc.cir", "t\nV1 a 0 1\nR1 a b 1k\nC1 b 0 1u\n.end\n");
    snprintf(path, sizeof path, "%s/rc.cir", dir);
    expect(7, "", "too many values: choose nodes by --node", "tran", "--stop", "1m", "--step", "1e-300", path);
    expect(7, "", "error[E502]", "tran", "--stop", "1m", "--step", "1e-12", path);
    expect(0, "0.001,1,", "", "tran", "--stop", "1m", "--step", "1u", path);
    scratch_remove(dir);
}

/* What a schematic editor writes: an absolute path to a library, cards for an analysis. The folder of the library is
 * read when it is named, and nothing beside it. */
static void libraries_lie_in_folders_that_are_named(void **state) {
    (void)state;
    char *const dir = scratch_create(), path[300], lib[300], other[300], text[900];
    snprintf(text, sizeof text, "mkdir %s/proj %s/lib %s/other", dir, dir, dir);
    assert_int_equal(system(text), 0);
    snprintf(path, sizeof path, "%s/proj/learn.cir", dir);
    snprintf(lib, sizeof lib, "%s/lib", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    snprintf(text, sizeof text,
             ".title KiCad schematic\n.include \"%s/lib/d.lib\"\n.save all\n.probe alli\n.probe p(R1)\n.tran 1u 10m\n"
             "V1 /in 0 DC 1\nR1 /in Net-_D1-A_ 10k\nR2 Net-_D1-A_ GND 10k\nD1 Net-_D1-A_ GND 1N4148\n.end\n",
             dir);
    scratch_write(dir, "proj/board.cir", text);
    scratch_write(dir, "proj/learn.cir",
                  "edges\n*@ rheo version=1\n*@ learn R* min=1u max=10m\n.include board.cir\n.end\n");
    scratch_write(dir, "lib/d.lib", ".include more.lib\n");
    scratch_write(dir, "lib/more.lib", ".model 1N4148 D(is=2.52n n=1.752 rs=0.568)\n");
    scratch_write(dir, "other/secret", "root:x:0:0\n");
    expect(3, "", "error[E604]", "check", path);
    expect(3, "", "is outside the folder of the main file", "check", "--include-dir", other, path);
    expect(0, "4 elements, 2 learnable, 0 warnings\n", ".save' is not used by rheo, nor .probe\n", "check",
           "--include-dir", lib, path);
    launched r;
    launch(&r, ARGS("check", "--include-dir", other, "--include-dir", lib, path), NULL, NULL);
    assert_int_equal(r.exit, 0);
    assert_null(strstr(strstr(r.err, "E105") + 1, "E105")); /* one note for all cards */
    launch_free(&r);
    expect(0, "1N4148", NULL, "solve", "--include-dir", lib, path);
    expect(0, "time,v(/in)", NULL, "tran", "--include-dir", lib, "--stop", "1u", path);
    expect(0, "cholmod", NULL, "compare", "--include-dir", lib, "--backends", "klu,cholmod", path);
    expect(5, "", "cannot open the folder '/nonexistent': No such file", "solve", "--include-dir", "/nonexistent",
           path);
    expect(5, "", "cannot open the folder '/dev/zero': Not a directory", "solve", "--include-dir", "/dev/zero", path);
    /* By its name alone it is searched; lines of it are not quoted; a link or .. does not lead out of it. */
    scratch_write(dir, "proj/learn.cir", "t\n.include more.lib\nV1 a 0 1\nD1 a 0 1N4148\n.end\n");
    expect(0, "2 elements", "", "check", "--include-dir", other, "--include-dir", lib, path);
    expect(5, "", "cannot read 'more.lib'", "check", "--include-dir", other, path);
    scratch_write(dir, "proj/learn.cir", "t\n.include secret\n.end\n");
    launch(&r, ARGS("check", "--include-dir", other, path), NULL, NULL);
    assert_int_equal(r.exit, 3);
    contains("standard error", r.err, "/other/secret:1:1: error[E008]");
    assert_null(strstr(r.err, "  1 | "));
    launch_free(&r);
    scratch_write(dir, "proj/learn.cir", "t\n.include ../other/secret\n.end\n");
    expect(3, "", "error[E603]", "check", "--include-dir", lib, path);
    snprintf(text, sizeof text, "ln -s %s/other/secret %s/lib/link.lib", dir, dir);
    assert_int_equal(system(text), 0);
    scratch_write(dir, "proj/learn.cir", "t\n.include link.lib\n.end\n");
    expect(3, "", "error[E603]", "check", "--include-dir", lib, path);
    scratch_remove(dir);
}

/* The same for experiments: by the key, or by the option, which the run keeps. */
static void experiments_name_folders_of_libraries(void **state) {
    (void)state;
    char *const dir = scratch_create(), exp[300], keyed[300], lib[300], run[300], text[900];
    size_t n;
    snprintf(text, sizeof text, "mkdir %s/proj %s/lib", dir, dir);
    assert_int_equal(system(text), 0);
    snprintf(exp, sizeof exp, "%s/proj/exp.yaml", dir);
    snprintf(keyed, sizeof keyed, "%s/proj/keyed.yaml", dir);
    snprintf(lib, sizeof lib, "%s/lib", dir);
    snprintf(run, sizeof run, "%s/proj/run", dir);
    snprintf(text, sizeof text,
             ".title board\n.include \"%s/lib/d.lib\"\nVin in 0 1\nR1 in o 1k\nR2 o 0 3k\nD1 o 0 dm\n", dir);
    scratch_write(dir, "proj/board.cir", text);
    scratch_write(dir, "proj/a.cir",
                  "edges\n*@ rheo version=1\n*@ learn R* min=1u max=10m\n.include board.cir\n.end\n");
    scratch_write(dir, "lib/d.lib", ".model dm D(is=1p)\n");
    scratch_write(dir, "proj/exp.yaml", EXPERIMENT);
    snprintf(text, sizeof text, "%sinclude_dirs: [../lib]\n", EXPERIMENT);
    scratch_write(dir, "proj/keyed.yaml", text);
    const char *const commands[] = { "check", "train", "tune", "gradcheck", "compare" };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        expect(3, NULL, "or name its folder by --include-dir, or by include_dirs of the experiment", commands[i], exp);
        expect(0, NULL, NULL, commands[i], "--include-dir", lib, exp);
        expect(commands[i][1] == 'r' && commands[i][0] == 't' ? 2 : 0, NULL, NULL, commands[i], keyed);
    }
    /* Nothing but its rule keeps it from these. */
    expect(2, NULL, "cannot be exported", "export", "--include-dir", lib, exp);
    expect(2, NULL, "cannot be exported", "cosim", "--include-dir", lib, exp);
    expect(2, NULL, "cannot be run by the engine transient", "figure", "waveforms", "--include-dir", lib, exp);
    /* The option was kept as a path from the run directory; one that is given again is not added twice. */
    char *config = scratch_read(dir, "proj/run/config.yaml", &n);
    contains("config.yaml", config, "\ninclude_dirs: [");
    assert_null(strstr(config, ", /"));
    free(config);
    expect(0, NULL, NULL, "resume", "--epochs", "30", run);
    expect(0, NULL, NULL, "resume", "--epochs", "40", "--include-dir", lib, run);
    config = scratch_read(dir, "proj/run/config.yaml", &n);
    const char *const list = strstr(config, "include_dirs: [");
    assert_null(memchr(list, ',', strcspn(list, "\n")));
    free(config);
    expect(0, NULL, NULL, "train", "--force", "--epochs", "3", keyed);
    config = scratch_read(dir, "proj/run/config.yaml", &n);
    contains("config.yaml", config, "\ninclude_dirs: [../../lib]\n");
    free(config);
    expect(0, NULL, NULL, "resume", "--epochs", "4", run);
    /* The folder that is not there is the one that is underlined. */
    snprintf(text, sizeof text, "mv %s/lib %s/moved", dir, dir);
    assert_int_equal(system(text), 0);
    expect(5, "", "keyed.yaml:11:16: error[E401]: cannot open the folder", "check", keyed);
    /* A folder opens itself and no other, as for netlists. */
    snprintf(text, sizeof text, "mv %s/moved %s/lib", dir, dir);
    assert_int_equal(system(text), 0);
    snprintf(text, sizeof text, "%sinclude_dirs: [.]\n", EXPERIMENT);
    scratch_write(dir, "proj/keyed.yaml", text);
    expect(3, "", "error[E603]", "check", keyed);
    snprintf(text, sizeof text, "%sinclude_dirs: []\n", EXPERIMENT);
    scratch_write(dir, "proj/keyed.yaml", text);
    expect(3, "", "the list 'include_dirs' is empty", "check", keyed);
    scratch_write(dir, "proj/keyed.yaml", "version: 1\nnetwork: {kind: grid}\ninclude_dirs: [.]\ntask: {}\n");
    expect(2, "", "'include_dirs' is for netlists, and the circuit comes from 'network'", "check", keyed);
    scratch_remove(dir);
}

/* In time what stands on a card about charge is missing; at rest it is not. */
static void charges_of_junctions_are_warned_about(void **state) {
    (void)state;
    char *const dir = scratch_create(), path[300], exp[300], run[300];
    launched r;
    snprintf(path, sizeof path, "%s/a.cir", dir);
    snprintf(exp, sizeof exp, "%s/exp.yaml", dir);
    snprintf(run, sizeof run, "%s/run", dir);
    scratch_write(
        dir, "a.cir",
        "t\n*@ rheo version=1\nVin in 0 1\nR1 in o 1k\nR2 o 0 3k\nD1 o 0 dd\nD2 0 o dd\nD3 o 0 dp\nQ1 o 0 0 qn\n"
        "M1 o 0 0 0 nm\n*@ learn R1 min=1u max=10m\n.model dd d(cjo=4p tt=1n vj=0.7)\n.model dp d(CJO=1p tt=0)\n"
        "*@ model dp antiparallel\n.model qn npn(cje=1p tf=1n cjc=2p)\n.model nm nmos(cgso=1p cgdo=0)\n"
        ".model unused d(cjo=9p)\n.end\n");
    launch(&r, ARGS("tran", "--stop", "1u", path), NULL, NULL);
    assert_int_equal(r.exit, 0);
    contains("standard error", r.err,
             "a.cir:6:1: warning[E140]: 'cjo', 'tt' of model 'dd' are not computed in time: 'D1' has no charge");
    contains("standard error", r.err, "put a C beside the element: its charge is computed");
    contains("standard error", r.err, "'cjo' of model 'dp' is not computed in time: 'D3' has no charge");
    contains("standard error", r.err, "'cje', 'tf', 'cjc' of model 'qn' are not computed in time: 'Q1'");
    contains("standard error", r.err, "'cgso' of model 'nm' is not computed in time: 'M1'");
    contains("standard error", r.err, "0 errors, 4 warnings\n");
    launch_free(&r);
    expect(0, NULL, "'cjo' and the like say nothing about direct current", "check", path);
    launch(&r, ARGS("solve", path), NULL, NULL);
    assert_null(strstr(r.err, "E140"));
    launch_free(&r);
    scratch_write(
        dir, "exp.yaml",
        "version: 1\nnetlist: a.cir\ntask: {kind: table, inputs: [in], outputs: [o], rows: [{in: [1], out: [0.6]}]}\n"
        "learning: {rule: tcl, rate: 1u, nudge: {kind: conductance, strength: 100u}}\n"
        "run: {epochs: 2}\noutput: run\n");
    launch(&r, ARGS("train", exp), NULL, NULL);
    assert_int_equal(r.exit, 0);
    assert_null(strstr(r.err, "E140"));
    launch_free(&r);
    launch(&r, ARGS("train", "--force", "--set", "solver.engine=transient", exp), NULL, NULL);
    assert_int_equal(r.exit, 0);
    const char *const first = strstr(r.err, "'D1' has no charge");
    assert_non_null(first);
    assert_null(strstr(first + 1, "'D1' has no charge"));
    launch_free(&r);
    scratch_remove(dir);
}

static double value_of(const char *csv, const char *vector) {
    const char *const p = strstr(csv, vector);
    if (!p) fail_msg("no %s in\n%s", vector, csv);
    return strtod(p + strlen(vector), NULL);
}

static void divider_is_solved(void **state) {
    (void)state;
    launched r;
    launch(&r, ARGS("solve", "--csv", "-"), NULL, DIVIDER);
    assert_int_equal(r.exit, 0);
    CHECK_REL(value_of(r.out, "v(in),V,"), 1, 1e-12);
    CHECK_REL(value_of(r.out, "v(o),V,"), 0.75, 1e-12);
    CHECK_REL(value_of(r.out, "i(R2),A,"), 0.25e-3, 1e-12);
    CHECK_REL(value_of(r.out, "i(Vin),A,"), -0.25e-3, 1e-12);
    CHECK_REL(value_of(r.out, "p(R1),W,"), 0.25e-3 * 0.25, 1e-12);
    CHECK_REL(value_of(r.out, "p(Vin),W,"), -0.25e-3, 1e-12);
    launch_free(&r);
    launch(&r, ARGS("solve", "--csv", "--set", "vin=2", "--set=R1=9k", "-"), NULL, DIVIDER);
    assert_int_equal(r.exit, 0);
    CHECK_REL(value_of(r.out, "v(o),V,"), 0.5, 1e-12);
    launch_free(&r);
    expect_stdin(DIVIDER, 0, "750", "", "solve", "-");
    expect_stdin(DIVIDER, 0, "\"R2\":{\"kind\":\"resistor\",\"current\":0.00025,\"power\":0.0001875}", "", "solve",
                 "--json", "-");
    expect_stdin(DIVIDER, 0, NULL, "reciprocal condition", "solve", "-v", "-");
    expect_stdin(DIVIDER, 2, "", "only sources and learnable", "solve", "--set", "R2=1", "-");
    expect_stdin(DIVIDER, 2, "", "there is no such element", "solve", "--set", "R9=1", "-");
    expect_stdin(DIVIDER, 2, "", "write ELEMENT=VALUE", "solve", "--set", "R1", "-");
    expect_stdin(DIVIDER, 3, "", "above 0", "solve", "--set", "R1=-5", "-");
}

static double sum_of_powers(const char *json, int *n) {
    double sum = 0;
    *n = 0;
    for (const char *p = json; (p = strstr(p, "\"power\":")); p++, ++*n) sum += strtod(p + 8, NULL);
    return sum;
}

static int count_text(const char *text, const char *what) {
    int n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++) n++;
    return n;
}

/* Tellegen: the powers of the elements that the user wrote sum to zero, and what sources deliver is what the resistors
 * dissipate. No part of an expression is listed, neither where the reader made it nor where a flat netlist writes it
 * out; an element that is merely called like one is. */
static void expressions_have_no_parts_to_see(void **state) {
    (void)state;
    static const struct {
        const char *net;
        int n_node, n_elem;
        double resistors; /* W */
    } CASES[] = {
        { "t\nV1 a 0 2\nR1 a 0 1k\nB1 b 0 v=2*v(a)\nR2 b 0 2k\n.end\n", 3, 4, 12e-3 },
        { "t\nV1 a 0 2\nR1 a 0 1k\nB1 0 B1#v i={2*V(a)}\nR2 b 0 2k\nR.B1 B1#v 0 1\nE.B1 b 0 B1#v 0 1\n.end\n", 3, 4,
          12e-3 },
        { "t\nV1 a 0 2\nR1 a 0 1k\nE1 c 0 value={v(a)*v(a)}\nR3 c 0 500\nG1 0 d value={1m*v(a)}\nR4 d 0 1k\n.end\n", 4,
          6, 4e-3 + 32e-3 + 4e-3 },
        { "t\nV1 a 0 2\nR1 a 0 1k\nB1 f 0 v=v(a)*i(V1)+v(b)*v(c)*v(d)\nR2 f 0 1k\nR3 a b 1k\nR4 b c 1k\nR5 c d 1k\n"
          "R6 d 0 1k\n.end\n",
          6, 8, NAN },
        { "t\nV1 a 0 2\nR1 a 0 1k\n.subckt s p q\nB1 q 0 v={3*v(p)}\nR1 q 0 2k\n.ends\nX1 a b s\nR.B1 b 0 4k\n.end\n",
          3, 5, 4e-3 + 18e-3 + 9e-3 },
    };
    for (size_t k = 0; k < RH_COUNT(CASES); k++) {
        launched r;
        int n;
        launch(&r, ARGS("solve", "--json", "-"), NULL, CASES[k].net);
        assert_int_equal(r.exit, 0);
        CHECK_NEAR(sum_of_powers(r.out, &n), 0, 1e-15);
        assert_int_equal(n, CASES[k].n_elem);
        assert_null(strchr(r.out, '#'));
        const double dissipated = strtod(strstr(r.out, "\"dissipated\":") + 13, NULL),
                     delivered = strtod(strstr(r.out, "\"delivered\":") + 12, NULL);
        CHECK_NEAR(delivered, dissipated, 1e-15);
        if (!isnan(CASES[k].resistors)) CHECK_NEAR(dissipated, CASES[k].resistors, 1e-15);
        launch_free(&r);
        static const char *const FORMS[] = { "--csv", "--color=auto" };
        for (int form = 0; form < 2; form++) {
            launch(&r, ARGS("solve", FORMS[form], "-"), NULL, CASES[k].net);
            assert_int_equal(r.exit, 0);
            assert_null(strchr(r.out, '#'));
            launch_free(&r);
        }
        char want[80];
        snprintf(want, sizeof want, "netlist with %d nodes, %d elements, 0 learnable", CASES[k].n_node,
                 CASES[k].n_elem);
        expect_stdin(CASES[k].net, 0, want, "", "check", "-");
        snprintf(want, sizeof want, "\"currents\":{\"n\":%d,", CASES[k].n_elem);
        expect_stdin(CASES[k].net, 0, want, "", "compare", "--json", "--backends", "klu,klu", "-");
        snprintf(want, sizeof want, "\"potentials\":{\"n\":%d,", CASES[k].n_node - 1);
        expect_stdin(CASES[k].net, 0, want, "", "compare", "--json", "--backends", "klu,klu", "-");
        launch(&r, ARGS("tran", "--stop", "1m", "--step", "1m", "-"), NULL, CASES[k].net);
        assert_int_equal(r.exit, 0);
        assert_int_equal(count_text(r.out, "v("), CASES[k].n_node - 1);
        assert_null(strchr(r.out, '#'));
        launch_free(&r);
    }
    expect_stdin(CASES[0].net, 0, "time,v(B1#v)\n0,4\n", "", "tran", "--stop", "1m", "--step", "1m", "--node",
                 "v(B1#v)", "-"); /* to be seen by name */
    expect_stdin(CASES[0].net, 2, "", "hint: columns are v(node), ", "tran", "--stop", "1m", "--node", "B1#w", "-");
    expect_stdin(CASES[0].net, 0, "B1           expression           -2 mA           -8 mW\n", "", "solve", "-");
    expect_stdin(
        "t\n*@ rheo version=1\n*@ learn R* min=1u max=1\nV1 a 0 2\nR1 a 0 1k\nB1 b 0 v=2*v(a)\nR2 b 0 2k\n.end\n", 0,
        ", 2 learnable, ", "", "check", "-");
}

/* A shell is the shortest way to a full disk and to closed descriptors. */
static void shell(const char *script, int code) {
    char command[600];
    snprintf(command, sizeof command, "set -o pipefail; RHEO='%s'; %s", launch_program(), script);
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/bash", "bash", "-c", command, (char *)NULL);
        _exit(127);
    }
    const int got = launch_wait(pid);
    if (got != code) fail_msg("%s: exit code %d, want %d", script, got, code);
}

static void lost_output_is_an_error(void **state) {
    (void)state;
    shell("\"$RHEO\" kinds > /dev/full 2> /dev/null", 5);
    shell("\"$RHEO\" --help > /dev/full 2> /dev/null", 5);
    shell("\"$RHEO\" cycle -A 0.1 > /dev/full 2> /dev/null", 5);
    shell("\"$RHEO\" kinds >&- 2> /dev/null", 5);
    shell("\"$RHEO\" solve - <&- > /dev/null 2>&1", 5);
    shell("\"$RHEO\" cycle -A 0:1:100000 2> /dev/null | head -1 > /dev/null", 5);
    shell("\"$RHEO\" gen grid -o /dev/full/x 2> /dev/null", 5);
}

static void generators_make_netlists_that_solve(void **state) {
    (void)state;
    launched r, s;
    launch_with(&r, "gen", (const char *)NULL);
    assert_int_equal(r.exit, 0);
    int n = 0;
    for (char *line = strtok(r.out, "\n"); line; line = strtok(NULL, "\n")) {
        char name[40];
        if (line[0] == ' ' || sscanf(line, "%39[^:]", name) != 1) continue;
        launch_with(&s, "gen", name, (const char *)NULL);
        assert_int_equal(s.exit, 0);
        expect_stdin(s.out, 0, "netlist with", NULL, "check", "-");
        launch_free(&s);
        n++;
    }
    assert_true(n >= 1);
    launch_free(&r);
    expect(2, "", "did you mean grid", "gen", "gird");
    expect(2, "", "unknown option '--nonsense'", "gen", "grid", "--nonsense", "3");
}

static void files_are_not_overwritten(void **state) {
    (void)state;
    char *const dir = scratch_create(), path[200];
    size_t n;
    snprintf(path, sizeof path, "%s/g.cir", dir);
    scratch_write(dir, "g.cir", "precious");
    expect(2, "", "exists already", "gen", "grid", "-o", path);
    char *text = scratch_read(dir, "g.cir", &n);
    assert_string_equal(text, "precious");
    free(text);
    expect(0, "", "", "gen", "grid", "--force", "-o", path);
    expect(0, "ok: netlist", NULL, "check", path);
    scratch_remove(dir);
}

/* The same bytes in a file, by --output - and without it. What is there already is kept, and a folder always. */
static void texts_go_where_output_says(void **state) {
    (void)state;
    static const struct {
        const char *argv[8], *option;
    } CASES[] = {
        { { "gen", "grid" }, "--output" },
        { { "export", "-q", "examples/selflearn-4.yaml" }, "--output" },
        { { "figure", "waveforms", "examples/selflearn-4.yaml" }, "--output" },
        { { "tran", "--stop", "1m", "--step", "0.5m", "netlists/clln4.cir" }, "--out" },
    };
    char *const dir = scratch_create(), path[200];
    snprintf(path, sizeof path, "%s/file.csv", dir);
    for (size_t k = 0; k < RH_COUNT(CASES); k++) {
        const char *argv[16] = { 0 };
        int n = 0;
        launched plain, dash;
        while (CASES[k].argv[n]) n++;
        memcpy(argv, CASES[k].argv, sizeof CASES[k].argv);
        launch(&plain, argv, NULL, NULL);
        assert_int_equal(plain.exit, 0);
        argv[n++] = CASES[k].option;
        argv[n] = "-";
        launch(&dash, argv, NULL, NULL);
        assert_string_equal(dash.out, plain.out);
        argv[n] = "/tmp";
        if (k < 3) expect_in(NULL, argv, 2, "", "error: '/tmp' is not a regular file\n  hint: name a file; ");
        argv[n] = path;
        scratch_write(dir, "file.csv", "precious");
        expect_in(NULL, argv, 2, "", "exists already\n  hint: replace it with --force\n");
        argv[n + 1] = "--force";
        expect_in(NULL, argv, 0, "", "");
        size_t size;
        char *const text = scratch_read(dir, "file.csv", &size);
        assert_string_equal(text, plain.out);
        free(text);
        launch_free(&plain);
        launch_free(&dash);
    }
    expect(0, "{\"event\":\"figure\",\"svg\":\"<svg ", "", "figure", "waveforms", "--json",
           "examples/selflearn-4.yaml");
    expect(0, "", "", "figure", "waveforms", "--json", "--force", "-o", path, "examples/selflearn-4.yaml");
    expect(0, "\"edges\":180,\"file\":\"/tmp/", "", "gen", "grid", "--json", "--force", "-o", path);
    scratch_remove(dir);
}

/* ---- cycle ---- */

/* Every command that prints data prints lines of JSON when asked to. */
static void json_is_lines_of_objects(void **state) {
    (void)state;
    static const char *const ARGV[][8] = {
        { "gen", "--json", NULL },
        { "gen", "grid", "--nx", "3", "--ny", "2", "--json", NULL },
        { "kinds", "--json", NULL },
        { "figure", "gauge", "--draws", "2", "--json", NULL },
        { "figure", "allostery", "--draws", "1", "--steps", "10", "--json", NULL },
        { "tran", "--stop", "1m", "--step", "0.5m", "--json", "-", NULL },
        { "solve", "--json", "-", NULL },
    };
    static const int N_LINE[] = { -1, 1, -1, 12, 1, 3, 1 };
    for (int i = 0; i < RH_COUNT(ARGV); i++) {
        launched r;
        launch(&r, ARGV[i], NULL, DIVIDER);
        if (r.exit != 0) fail_msg("%s: %s", ARGV[i][0], r.err);
        int n = 0;
        for (const char *p = r.out; *p; p = strchr(p, '\n') + 1, n++) {
            const char *const end = strchr(p, '\n');
            assert_non_null(end);
            if (strncmp(p, "{\"event\":\"", 10) != 0 || end[-1] != '}') fail_msg("%.200s", p);
            int depth = 0; /* braces outside of strings come in pairs */
            bool text = false;
            for (const char *c = p; c < end; c++) {
                if (*c == '\\')
                    c++;
                else if (*c == '"')
                    text = !text;
                else if (!text)
                    depth += (*c == '{' || *c == '[') - (*c == '}' || *c == ']');
                assert_true(depth > 0 || c == end - 1);
            }
            assert_true(depth == 0 && !text);
        }
        if (N_LINE[i] >= 0) assert_int_equal(n, N_LINE[i]);
        assert_true(n > 0);
        launch_free(&r);
    }
    expect(0, "\"nodes\":6,\"edges\":7,\"netlist\":\"6 nodes, 7 edges: grid", "", "gen", "grid", "--nx", "3", "--ny",
           "2", "--json");
    expect(0,
           "{\"event\":\"kind\",\"table\":\"nonlinearities\",\"name\":\"none\",\"what\":\"u itself\",\"when\":\"as the "
           "control: up and down cancel, unless the kernel has an area\",\"more\":[]}",
           "", "kinds", "nonlinearities", "--json");
    expect(0, "\n{\"event\":\"figure\",\"outputs\":2,\"eqprop_mean\":", "", "figure", "gauge", "--draws", "2",
           "--json");
    expect_stdin(DIVIDER, 0, "\"v\":{\"in\":1,\"o\":", "", "tran", "--stop", "1m", "--json", "-");
}

static void units_are_checked(void **state) {
    (void)state;
    expect(2, "", "a bare number", "cycle", "-A", "1", "--threshold", "5V");
    expect(2, "", "--amplitude: '20mV' has a unit", "cycle", "-A", "20mV");
    expect(2, "", "--fast: '1mV' has another unit: it is in s", "cycle", "-A", "1", "--fast", "1mV");
    expect(2, "", "'50uV' must be in s, not in V\n  hint: write 50u or 50 us\n", "cycle", "-A", "1", "-p", "tau=50uV");
    expect(0, "amplitude,dw", "", "cycle", "-A", "1", "--fast", "1ms", "--slow", "50 ms", "-p", "tau=50us");
    expect(2, "", "is a bare number", "figure", "gauge", "--draws", "5s");
    expect(2, "", "'1mV' has another unit: it is in s\n  hint: write 1m or 1 ms\n", "cycle", "-A", "1", "--fast",
           "1mV");
    expect(2, "", "hint: write 60\n", "cycle", "-A", "1", "--fast", "1 min");
    expect(0, "amplitude,dw", "", "cycle", "-A", "1", "-p", "tau=50 usec");
    expect_stdin(DIVIDER, 2, "", "it must be in V, not in ohm\n  hint: write 2 or 2 V\n", "solve", "--set", "Vin=2ohm",
                 "-");
    expect_stdin(DIVIDER, 2, "", "it must be in ohm, not in S\n  hint: 1/(5mS) is 200 ohm\n", "solve", "--set",
                 "R1=5mS", "-");
    expect_stdin(DIVIDER, 2, "", "hint: write 5e-1\n", "solve", "--set", "Vin=5x10^-1", "-");
    expect_stdin(DIVIDER, 0, "potential", "", "solve", "--set", "Vin=2V", "-");
}

static void wrong_decimals_have_a_hint(void **state) {
    (void)state;
    expect_stdin(DIVIDER, 2, "", "rheo: error: --set Vin=-0,2: a comma is not a decimal point\n  hint: write -0.2\n",
                 "solve", "--set", "Vin=-0,2", "-");
    expect(2, "", "rheo: error: --fast: '-0,2': a comma is not a decimal point\n  hint: write -0.2\n", "cycle",
           "--fast", "-0,2", "-A", "1");
}

static void hydraulic_networks_are_printed_in_their_units(void **state) {
    (void)state;
    expect_stdin(DIVIDER, 0, " Pa\n", "", "solve", "--domain", "hydraulic", "-");
    expect_stdin(DIVIDER, 0, ",Pa,", "", "solve", "--domain", "hydraulic", "--csv", "-");
    expect_stdin(DIVIDER, 0, ",V,", "", "solve", "--csv", "-");
    expect_stdin(DIVIDER, 0, " m3/s ", "", "solve", "--domain", "hydraulic", "-");
    expect_stdin(DIVIDER, 0, " Pa s/m3 ", "", "solve", "--domain", "hydraulic", "-");
    expect(0, " Pa^2/s: ", "", "tune", "examples/flow.yaml");
    expect(0, " V^2/s: ", "", "tune", "examples/allostery.yaml");
}

/* A memory that settles much faster than the rise feels the slope A/fast going up and -A/slow coming down. A threshold
 * between the two lets only the rise pass: the integral is A, less what the memory needed to settle. */
static void cycle_writes_the_amplitude(void **state) {
    (void)state;
    launched r;
    launch_with(&r, "cycle", "--kernel", "leaky-integrator", "-p", "tau=1u", "--fast=1m", "--slow", "50m",
                "--threshold", "100", "-A", "0.5,-0.5,1m", (const char *)NULL);
    if (r.exit != 0) fail_msg("%s", r.err);
    double a[3], dw[3];
    assert_int_equal(sscanf(r.out, "amplitude,dw,u_max,u_min\n%lf,%lf,%*f,%*f\n%lf,%lf,%*f,%*f\n%lf,%lf", &a[0], &dw[0],
                            &a[1], &dw[1], &a[2], &dw[2]),
                     6);
    CHECK_NEAR(a[0], 0.5, 0);
    CHECK_REL(dw[0], 0.5, 0.01);
    CHECK_NEAR(dw[1], -dw[0], 1e-9);
    CHECK_NEAR(dw[2], 0, 0); /* 1 V^2/s is under the threshold both ways */
    launch_free(&r);
    expect(0, "\n-1,", "", "cycle", "--amplitude", "-1:1:5");
    expect(2, "", "LO:HI:N", "cycle", "--amplitude", "1:2");
    expect(2, "", "needs --amplitude", "cycle");
    /* the examples of --help write something */
    expect(0, "\n0.5,0.49", "", "cycle", "--kernel", "leaky-integrator", "-p", "tau=50u", "--fast", "1m", "--slow",
           "50m", "--threshold", "50", "--amplitude", "0.5");
    expect(0, "\n-1,-0.99", "", "cycle", "--threshold", "50", "--amplitude", "-1:1:201");
    expect(2, "", NULL, "cycle", "-A", "1", "--kernel", "leaky-integrater");
}

/* tau = R C: the same numbers as with tau, and no word that could be read in two ways. */
static void tau_is_chosen_by_r_and_c(void **state) {
    (void)state;
    launched by_tau, by_parts;
    launch_with(&by_tau, "cycle", "-p", "tau=50u", "-A", "-1:1:21", "--threshold", "50", (const char *)NULL);
    launch_with(&by_parts, "cycle", "--r", "5kOhm", "--c", "10nF", "-A", "-1:1:21", "--threshold", "50",
                (const char *)NULL);
    assert_int_equal(by_tau.exit, 0);
    assert_int_equal(by_parts.exit, 0);
    assert_string_equal(by_parts.err, "tau = R C = 50 us\n");
    assert_true(by_tau.n_out > 500);
    double a[4], b[4];
    const char *p = strchr(by_tau.out, '\n'), *q = strchr(by_parts.out, '\n');
    int n = 0;
    for (; p[1] && q[1]; p = strchr(p + 1, '\n'), q = strchr(q + 1, '\n'), n++) { /* 5e3 * 1e-8 may be rounded */
        assert_int_equal(sscanf(p, "\n%lf,%lf,%lf,%lf", a, a + 1, a + 2, a + 3), 4);
        assert_int_equal(sscanf(q, "\n%lf,%lf,%lf,%lf", b, b + 1, b + 2, b + 3), 4);
        for (int i = 0; i < 4; i++) CHECK_NEAR(b[i], a[i], 1e-12 * fabs(a[i]));
    }
    assert_int_equal(n, 21);
    launch_free(&by_tau);
    launch_free(&by_parts);
    expect(0, "{\"event\":\"cycle\"", "", "cycle", "-R", "5k", "-C", "10n", "-A", "1", "-q", "--json");
    expect(0, "\n1,", "tau = R C = 1 s\n", "cycle", "-R", "1", "-C", "1 farad", "-A", "1");
    expect(2, "", "--r is half of tau = R C\n  hint: give --c as well\n", "cycle", "-R", "5k", "-A", "1");
    expect(2, "", "hint: give --r as well\n", "cycle", "--c", "5n", "-A", "1");
    expect(2, "", "--r and --c give tau, and so does --param tau=50u\n  hint: leave one of them out\n", "cycle", "-R",
           "5k", "-C", "10n", "-p", "leak=1", "-p", "tau=50u", "-A", "1");
    expect(0, "\n1,", "tau = R C = 50 us\n", "cycle", "-R", "5k", "-C", "10n", "-p", "leak=1", "-A", "1");
    expect(2, "", "the leaky integrator, and this is another kernel", "cycle", "-R", "5k", "-C", "10n", "-k",
           "chemotaxis", "-A", "1");
    expect(2, "", "--c: '1F': a single F means femto, as in SPICE\n  hint: leave the F out, or write farad\n", "cycle",
           "-R", "5k", "-C", "1F", "-A", "1");
    expect(2, "", "--r: '5kV' has another unit: it is in ohm\n  hint: write 5k or 5 kohm\n", "cycle", "-R", "5kV", "-C",
           "1n", "-A", "1");
    expect(2, "", "--r: '0' is outside", "cycle", "-R", "0", "-C", "1n", "-A", "1");
}

static void hints_have_names(void **state) {
    (void)state;
    expect_stdin(DIVIDER, 2, NULL, "--set V9=2: there is no such element\n  hint: did you mean Vin?", "solve", "--set",
                 "V9=2", "-");
    expect_stdin(DIVIDER, 2, NULL, "hint: did you mean ", "solve", "--set", "R=2", "-");
    expect(2, "", "hint: amplitudes in V^2, s_clamped - s_free: --amplitude 20m,50m or a range ", "cycle");
    expect(3, "", "there is no element 'R44'\n  hint: did you mean R4?", "figure", "waveforms", "--edge", "R44",
           "examples/selflearn-4.yaml");
    char *const dir = scratch_create(), path[200];
    snprintf(path, sizeof path, "%s/wide.yaml", dir);
    FILE *const f = fopen(path, "w");
    assert_non_null(f);
    for (const char *p = "version: 1\n", *mark = "\xFF\xFE"; *p; p++, mark = "") fprintf(f, "%s%c%c", mark, *p, 0);
    fclose(f);
    expect(3, "", "wide.yaml:1:1: error[E052]: the file is UTF-16", "check", path);
    scratch_remove(dir);
}

/* The last line as it stands trains, also where a run is there already. */
static void tune_ends_with_a_command(void **state) {
    (void)state;
    char *const dir = scratch_create(), path[240], command[4000];
    scratch_write(dir, "a.cir", DIVIDER);
    scratch_write(dir, "it's.yaml", EXPERIMENT);
    scratch_write(dir, "run.txt", "");
    snprintf(path, sizeof path, "%s/it's.yaml", dir);
    for (int again = 0; again < 2; again++) {
        launched r;
        char set[300];
        snprintf(set, sizeof set, "output=%s/run", dir);
        launch_with(&r, "tune", "--set", set, path, NULL);
        assert_int_equal(r.exit, 0);
        const char *const at = strstr(r.out, "type: rheo train ");
        assert_non_null(at);
        assert_true((strstr(at, " --force ") != NULL) == again);
        assert_null(strstr(at, "EXPERIMENT"));
        snprintf(command, sizeof command, "build/rheo train -q --set %s %s", set, at + 17);
        launch_free(&r);
        assert_int_equal(system(command), 0);
    }
    scratch_remove(dir);
}

static void verbose_training_is_thinned_out(void **state) {
    (void)state;
    static const struct {
        const char *epochs;
        int lines;
    } CASES[] = { { "3", 4 }, { "50", 51 }, { "1000", 51 } };
    char *const dir = scratch_create(), path[200], run[200];
    scratch_write(dir, "a.cir", DIVIDER);
    scratch_write(dir, "exp.yaml", EXPERIMENT);
    snprintf(path, sizeof path, "%s/exp.yaml", dir);
    snprintf(run, sizeof run, "%s/r", dir);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        launched r;
        launch_with(&r, "train", "-v", "--force", "-o", run, "--epochs", CASES[i].epochs, path, NULL);
        assert_int_equal(r.exit, 0);
        int n = 0;
        for (const char *p = r.err; (p = strstr(p, "\nepoch ")); p++) n++;
        assert_int_equal(n, CASES[i].lines);
        launch_free(&r);
    }
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(every_command_has_help),
        cmocka_unit_test(wrong_use_is_told),
        cmocka_unit_test(codes_are_explained),
        cmocka_unit_test(tables_are_shown),
        cmocka_unit_test(kinds_are_found_by_name),
        cmocka_unit_test(hints_have_names),
        cmocka_unit_test(tune_ends_with_a_command),
        cmocka_unit_test(verbose_training_is_thinned_out),
        cmocka_unit_test(right_netlists_pass),
        cmocka_unit_test(wrong_netlists_are_told),
        cmocka_unit_test(divider_is_solved),
        cmocka_unit_test(hidden_warnings_are_counted),
        cmocka_unit_test(places_have_short_paths),
        cmocka_unit_test(files_of_another_kind_are_told),
        cmocka_unit_test(run_directories_are_taken),
        cmocka_unit_test(more_rows_than_memory_are_refused_at_once),
        cmocka_unit_test(libraries_lie_in_folders_that_are_named),
        cmocka_unit_test(experiments_name_folders_of_libraries),
        cmocka_unit_test(charges_of_junctions_are_warned_about),
        cmocka_unit_test(expressions_have_no_parts_to_see),
        cmocka_unit_test(lost_output_is_an_error),
        cmocka_unit_test(generators_make_netlists_that_solve),
        cmocka_unit_test(files_are_not_overwritten),
        cmocka_unit_test(texts_go_where_output_says),
        cmocka_unit_test(json_is_lines_of_objects),
        cmocka_unit_test(units_are_checked),
        cmocka_unit_test(wrong_decimals_have_a_hint),
        cmocka_unit_test(hydraulic_networks_are_printed_in_their_units),
        cmocka_unit_test(cycle_writes_the_amplitude),
        cmocka_unit_test(tau_is_chosen_by_r_and_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
