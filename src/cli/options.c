/* options.c: arguments taken apart by the tables of options. */
#include "cli/cli.h"

#include <math.h>

static const char *const COLORS[] = { "auto", "always", "never", NULL };
/* clang-format off */
const rh_option RH_GLOBAL_OPTIONS[] = {
    { "help",    'h', RH_OPT_FLAG,   NULL,   "show help: -h the short one, --help all of it",           0, 0, NULL },
    { "quiet",   'q', RH_OPT_FLAG,   NULL,   "say nothing but errors",                                  0, 0, NULL },
    { "verbose", 'v', RH_OPT_FLAG,   NULL,   "say more",                                                0, 0, NULL },
    { "json",    0,   RH_OPT_FLAG,   NULL,   "one JSON object per line on standard output",             0, 0, NULL },
    { "color",   0,   RH_OPT_CHOICE, "WHEN", "colours: auto (on a terminal, unless NO_COLOR is set), always, never", 0, 0, COLORS },
    { "version", 'V', RH_OPT_FLAG,   NULL,   "show the version; with -v those of the libraries as well", 0, 0, NULL },
    { NULL,      0,   RH_OPT_FLAG,   NULL,   NULL,                                                      0, 0, NULL },
};
/* clang-format on */

static bool same_name(const char *a, const char *b, size_t n) { /* b has n bytes; _ and - are one */
    for (size_t i = 0; i < n; i++) {
        const char x = a[i] == '_' ? '-' : a[i], y = b[i] == '_' ? '-' : b[i];
        if (x != y || x == '\0') return false;
    }
    return a[n] == '\0';
}

static int find_long(const rh_cli *cli, const char *name, size_t n) {
    for (int i = 0; i < cli->n_option; i++)
        if (same_name(cli->option[i].name, name, n)) return i;
    return -1;
}

static int find_letter(const rh_cli *cli, char letter) {
    for (int i = 0; i < cli->n_option; i++)
        if (letter && cli->option[i].letter == letter) return i;
    return -1;
}

static const char *name_at(const void *ctx, int i) {
    const rh_cli *const cli = ctx;
    return i < cli->n_option ? cli->option[i].name : NULL;
}

static rheo_status wrong(rheo_error *err, const char *hint, const char *fmt, ...) RHEO_PRINTF(3, 4);
static rheo_status wrong(rheo_error *err, const char *hint, const char *fmt, ...) {
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "%s", text);
    if (hint) rh_hint(err, "%s", hint);
    return RHEO_E_USAGE;
}

static rheo_status unknown(const rh_cli *cli, const char *arg, size_t n, rheo_error *err) {
    char word[64], shown[80], hint[100];
    snprintf(word, sizeof word, "%.*s", (int)(n < 60 ? n : 60), arg);
    const char *near = rh_suggest(word, name_at, cli);
    for (int i = 0; i < cli->n_option && !near; i++) /* the beginning of a name */
        if (n > 0 && strncmp(cli->option[i].name, word, strlen(word)) == 0) near = cli->option[i].name;
    snprintf(hint, sizeof hint, "did you mean --%s?", near ? near : "");
    return wrong(err, near ? hint : NULL, "unknown option '--%s'", rh_escape(word, strlen(word), shown, sizeof shown));
}

/* What --help calls a value tells its unit. NULL: any. */
static const char *unit_of(const rh_option *o) {
    static const char *const UNITS[][2] = { { "SECONDS", "s" }, { "TIME", "s" }, { "VOLT", "V" }, { "OHM", "ohm" },
                                            { "FARAD", "F" },   { "U", "" },     { "S", "" },     { "N", "" } };
    for (int i = 0; i < RH_COUNT(UNITS); i++)
        if (strcmp(o->value, UNITS[i][0]) == 0) return UNITS[i][1];
    return NULL;
}

static rheo_status check_number(const rh_option *o, const char *text, double *number, rheo_error *err) {
    char shown[80], hint[160], min[32], max[32];
    rh_escape(text, strlen(text), shown, sizeof shown);
    const rh_number x = rh_number_parse_all(text, strlen(text));
    if (x.fault != RH_NUM_OK)
        return wrong(err, rh_number_hint(text, strlen(text), unit_of(o), hint, sizeof hint), "--%s: '%s': %s", o->name,
                     shown, rh_number_fault_text(x.fault));
    if (x.note == RH_NUM_FARAD && strchr(text, 'F') && unit_of(o) && rh_streq(unit_of(o), "F"))
        return wrong(err, "leave the F out, or write farad", "--%s: '%s': a single F means femto, as in SPICE", o->name,
                     shown);
    if (!rh_unit_fits(x.unit, unit_of(o)))
        return wrong(err, rh_unit_hint(text, strlen(text), unit_of(o), hint, sizeof hint),
                     "--%s: '%s' has another unit: it is %s%s", o->name, shown, *unit_of(o) ? "in " : "a bare number",
                     unit_of(o));
    if (o->type == RH_OPT_INT && (x.value != floor(x.value) || fabs(x.value) > 9007199254740992.0))
        return wrong(err, NULL, "--%s: '%s' is not a whole number", o->name, shown);
    if ((o->min != 0 || o->max != 0) && !(x.value >= o->min && x.value <= o->max))
        return wrong(err, NULL, "--%s: '%s' is outside %s to %s", o->name, shown, rh_number_text(o->min, min),
                     rh_number_text(o->max, max));
    *number = x.value;
    return RHEO_OK;
}

static rheo_status check_choice(const rh_option *o, const char *text, rheo_error *err) {
    int n = 0;
    for (; o->choices[n]; n++)
        if (strcmp(o->choices[n], text) == 0) return RHEO_OK;
    rh_buf list = { 0 };
    for (int i = 0; i < n; i++) rh_buf_printf(&list, "%s%s", i ? ", " : "", o->choices[i]);
    char shown[80], hint[120];
    const char *const near = rh_suggest_list(text, o->choices, n);
    snprintf(hint, sizeof hint, "did you mean %s?", near ? near : "");
    wrong(err, near ? hint : NULL, "--%s: '%s' is none of %s", o->name,
          rh_escape(text, strlen(text), shown, sizeof shown), list.bad ? "its values" : list.s);
    rh_buf_free(&list);
    return RHEO_E_USAGE;
}

static rheo_status give(rh_cli *cli, int row, const char *text, rheo_error *err) {
    const rh_option *const o = &cli->option[row];
    double number = NAN;
    if (o->type == RH_OPT_NUMBER || o->type == RH_OPT_INT) RHEO_TRY(check_number(o, text, &number, err));
    if (o->type == RH_OPT_CHOICE) RHEO_TRY(check_choice(o, text, err));
    if (!rh_grow(&cli->given, &cli->cap_given, cli->n_given + 1, sizeof *cli->given)) return RH_NOMEM(err);
    cli->given[cli->n_given++] = (rh_given){ row, text, number };
    return RHEO_OK;
}

/* "--name", "--name=value", "--name value". *i is the argument; it moves on when the value is the next one. */
static rheo_status take_long(rh_cli *cli, int argc, char *const *argv, int *i, rheo_error *err) {
    const char *const name = argv[*i] + 2, *const eq = strchr(name, '=');
    const size_t n = eq ? (size_t)(eq - name) : strlen(name);
    const int row = find_long(cli, name, n);
    if (row < 0) return unknown(cli, name, n, err);
    const rh_option *const o = &cli->option[row];
    if (o->type == RH_OPT_FLAG) {
        if (eq) return wrong(err, NULL, "--%s takes no value", o->name);
        return give(cli, row, argv[*i], err);
    }
    if (eq) return give(cli, row, eq + 1, err);
    if (*i + 1 >= argc) return wrong(err, NULL, "--%s needs a value: --%s %s", o->name, o->name, o->value);
    return give(cli, row, argv[++*i], err);
}

/* "-q", "-qv", "-oDIR", "-o DIR" */
static rheo_status take_short(rh_cli *cli, int argc, char *const *argv, int *i, rheo_error *err) {
    const char *const arg = argv[*i];
    for (const char *p = arg + 1; *p; p++) {
        const int row = find_letter(cli, *p);
        char shown[16];
        if (row < 0) return wrong(err, NULL, "unknown option '-%s'", rh_escape(p, 1, shown, sizeof shown));
        if (cli->option[row].type == RH_OPT_FLAG) {
            RHEO_TRY(give(cli, row, "-", err));
            continue;
        }
        if (p[1]) return give(cli, row, p + 1, err);
        if (*i + 1 >= argc) return wrong(err, NULL, "-%c needs a value: -%c %s", *p, *p, cli->option[row].value);
        return give(cli, row, argv[++*i], err);
    }
    return RHEO_OK;
}

static rheo_status take_operand(rh_cli *cli, const char *arg, rheo_error *err) {
    if (!rh_grow(&cli->operand, &cli->cap_operand, cli->n_operand + 1, sizeof *cli->operand)) return RH_NOMEM(err);
    cli->operand[cli->n_operand++] = arg;
    return RHEO_OK;
}

rheo_status rh_options_parse(rh_cli *cli, int argc, char *const *argv, bool first_only, int *used, rheo_error *err) {
    bool only_operands = false;
    int i = 0;
    for (; i < argc && !(first_only && cli->n_operand > 0); i++) {
        const char *const arg = argv[i];
        if (only_operands || arg[0] != '-' || arg[1] == '\0')
            RHEO_TRY(take_operand(cli, arg, err));
        else if (strcmp(arg, "--") == 0)
            only_operands = true;
        else if (arg[1] == '-')
            RHEO_TRY(take_long(cli, argc, argv, &i, err));
        else
            RHEO_TRY(take_short(cli, argc, argv, &i, err));
    }
    *used = i;
    return RHEO_OK;
}

/* ---- values ---- */

static const rh_given *last_given(const rh_cli *cli, const char *name) {
    const int row = find_long(cli, name, strlen(name));
    for (int i = cli->n_given - 1; i >= 0; i--)
        if (cli->given[i].option == row) return &cli->given[i];
    return NULL;
}

bool rh_opt_given(const rh_cli *cli, const char *name) { return last_given(cli, name) != NULL; }
bool rh_opt_flag(const rh_cli *cli, const char *name) { return rh_opt_given(cli, name); }

const char *rh_opt_text(const rh_cli *cli, const char *name, const char *otherwise) {
    const rh_given *const g = last_given(cli, name);
    return g ? g->text : otherwise;
}

double rh_opt_number(const rh_cli *cli, const char *name, double otherwise) {
    const rh_given *const g = last_given(cli, name);
    return g ? g->number : otherwise;
}

const char *rh_opt_nth(const rh_cli *cli, const char *name, int i) {
    const int row = find_long(cli, name, strlen(name));
    for (int k = 0; k < cli->n_given; k++)
        if (cli->given[k].option == row && i-- == 0) return cli->given[k].text;
    return NULL;
}

const char **rh_opt_all(const rh_cli *cli, const char *name, int *n) {
    *n = 0;
    while (rh_opt_nth(cli, name, *n)) ++*n;
    const char **const all = rh_calloc((size_t)*n, sizeof *all);
    for (int i = 0; all && i < *n; i++) all[i] = rh_opt_nth(cli, name, i);
    return all;
}
