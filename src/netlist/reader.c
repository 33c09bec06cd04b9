/* reader.c: the whole of reading a netlist, and what its parts share: messages, maps, lists. */
#include "netlist/netlist.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { COOKIE = 0x6E657431 };

rheo_netlist_def rheo_netlist_default(void) {
    return (rheo_netlist_def){ .max_error = 20, .max_element = 5000000, .cookie = COOKIE };
}

/* ---- messages ---- */

rh_loc rh_tok_loc(const rh_reader *rd, rh_tok t) {
    return (rh_loc){ .src = rd->src[t.file], .line = t.line, .col = t.col, .len = t.n > 0 ? t.n : 1 };
}

rh_loc rh_cursor_loc(const rh_reader *rd, const rh_cursor *c) {
    return (rh_loc){ .src = rd->src[c->file], .line = c->line, .col = (int)(c->at - c->bol) + 1, .len = 1 };
}

static rheo_status status_of(int code) {
    if (code == 15 || code == 106 || code == 120 || code == 122 || code == 138) return RHEO_E_RANGE;
    if (code >= 400 && code < 500) return RHEO_E_IO;
    return code >= 500 && code < 600 ? RHEO_E_LIMIT : RHEO_E_PARSE;
}

static void say(rh_reader *rd, int code, rh_loc at, const char *hint, const char *fmt, va_list ap) {
    char text[512];
    vsnprintf(text, sizeof(text), fmt, ap);
    rh_report_error(&rd->rep, status_of(code), code, at, hint, "%s", text);
}

/* Errors about names that may well stand in a file that could not be read. */
static bool follows(rh_reader *rd, int code) {
    static const int CODES[] = { 107, 110, 113, 118, 126, 127, 135, 141, 144 };
    bool yes = false;
    for (int k = 0; rd->missing.line && k < RH_COUNT(CODES); k++) yes = yes || code == CODES[k];
    if (yes && rh_first(rd, "names of a missing file"))
        rh_note(rd, 0, rh_tok_loc(rd, rd->missing),
                "more may be missing: names that are not found may stand there, and are not reported");
    return yes;
}

bool rh_bad(rh_reader *rd, int code, rh_loc at, const char *hint, const char *fmt, ...) {
    if (rh_stop(rd) || follows(rd, code)) return false;
    va_list ap;
    va_start(ap, fmt);
    say(rd, code, at, hint, fmt, ap);
    va_end(ap);
    return false;
}

bool rh_bad_limit(rh_reader *rd, int code, rh_loc at, const char *hint, const char *fmt, ...) {
    if (rh_stop(rd)) return false;
    va_list ap;
    va_start(ap, fmt);
    say(rd, code, at, hint, fmt, ap);
    va_end(ap);
    rd->fatal = RHEO_E_LIMIT;
    return false;
}

bool rh_no_memory(rh_reader *rd) {
    if (rd->fatal == RHEO_OK) rd->fatal = RHEO_E_NOMEM;
    return false;
}

void rh_note(rh_reader *rd, int code, rh_loc at, const char *fmt, ...) {
    const rheo_log *log = rd->rep.log;
    if (!log || !log->emit) return;
    rheo_error e = { 0 };
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    rh_fail(&e, RHEO_E_PARSE, code, at, "%s", text);
    e.status = RHEO_OK;
    e.severity = RHEO_NOTE;
    log->emit(log->user, &e);
}

bool rh_first(rh_reader *rd, const char *what) {
    if (!rd->once && !(rd->once = rh_map_create())) return rh_no_memory(rd);
    if (rh_map_get(rd->once, what, strlen(what)) >= 0) return false;
    if (!rh_map_put(rd->once, what, strlen(what), 1)) rh_no_memory(rd);
    return true;
}

void rh_leave_out(rh_reader *rd, const char *word) {
    rh_buf_printf(&rd->left_out, "%s%s", rd->left_out.n ? ", " : "", word);
}

const char *rh_show(rh_tok t, char *out) {
    int n = t.n < 40 ? t.n : 40;
    while (n < t.n && n > 30 && (t.s[n] & 0xC0) == 0x80) n--; /* whole characters */
    char text[48];
    for (int k = 0; k < n; k++) text[k] = t.s[k] ? t.s[k] : ' ';
    snprintf(out, 48, "%.*s%s", n, text, n < t.n ? "..." : "");
    return out;
}

bool rh_twice(rh_reader *rd, rh_tok name, const char *what, rh_place before) {
    char hint[200];
    snprintf(hint, sizeof(hint), "first at %s:%d", rd->src[before.file]->name, before.line);
    return rh_bad(rd, 109, rh_tok_loc(rd, name), hint, "%s '%s' is defined twice", what, RH_SHOW(name));
}

/* ---- maps and lists ---- */

static int fold(char c) { return c >= 'A' && c <= 'Z' ? c + 32 : (unsigned char)c; }

bool rh_word_is(rh_tok t, const char *word) {
    for (int k = 0; k < t.n; k++)
        if (!word[k] || fold(t.s[k]) != fold(word[k])) return false;
    return word[t.n] == '\0';
}

bool rh_same_word(rh_tok a, rh_tok b) {
    if (a.n != b.n) return false;
    for (int k = 0; k < a.n; k++)
        if (fold(a.s[k]) != fold(b.s[k])) return false;
    return true;
}

int rh_lookup(const rh_map *m, rh_tok t) { return m ? rh_map_get(m, t.s, (size_t)t.n) : -1; }

bool rh_enter(rh_reader *rd, rh_map **m, rh_tok t, int value) {
    if (!*m && !(*m = rh_map_create())) return rh_no_memory(rd);
    return rh_map_put(*m, t.s, (size_t)t.n, value) || rh_no_memory(rd);
}

bool rh_push_card(rh_reader *rd, rh_list *l, rh_card c) {
    if (l->n == INT32_MAX || !rh_grow(&l->card, &l->cap, l->n + 1, sizeof(rh_card))) return rh_no_memory(rd);
    l->card[l->n++] = c;
    return true;
}

/* ---- reading ---- */

static void free_def(rh_def *d) {
    rh_map *const maps[] = { d->port_map, d->par_map, d->func_map, d->sub_map, d->model_map };
    for (int k = 0; k < RH_COUNT(maps); k++) rh_map_destroy(maps[k]);
    void *const arrays[] = { d->port,    d->par,          d->func,        d->sub,          d->cards.card,
                             d->ic.card, d->pragmas.card, d->models.card, d->variants.card };
    for (int k = 0; k < RH_COUNT(arrays); k++) rh_free(arrays[k]);
}

static void close_reader(rh_reader *rd) {
    for (int k = 0; k < rd->n_def; k++) free_def(rd->defs[k]);
    for (int k = 0; k < rd->n_src; k++) rh_free(rd->real[k]);
    void *const arrays[] = { rd->defs,  rd->src,   rd->real,  rd->val,    rd->node,  rd->tok,
                             rd->arg,   rd->mark,  rd->place, rd->root,   rd->model, rd->sense,
                             rd->point, rd->table, rd->kept,  rd->beside, rd->untold };
    for (int k = 0; k < RH_COUNT(arrays); k++) rh_free(arrays[k]);
    for (int k = 0; rd->dir && k < rd->set.n_include_dir; k++) rh_free(rd->dir[k]);
    rh_free(rd->dir);
    rh_map_destroy(rd->failed);
    rh_map_destroy(rd->instance);
    rh_map_destroy(rd->once);
    rh_map_destroy(rd->table_map);
    rh_buf_free(&rd->scratch);
    rh_buf_free(&rd->unused_names);
    rh_buf_free(&rd->left_out);
    rh_builder_destroy(rd->b);
    rh_pool_destroy(rd->pool);
}

static bool open_reader(rh_reader *rd, const rheo_netlist_def *def, const rheo_log *log, rheo_error *err) {
    const rheo_netlist_def usual = rheo_netlist_default();
    rd->set = def ? *def : usual;
    rd->rep = (rh_report){ .log = log, .err = err, .max_error = rd->set.max_error };
    rd->b = rh_builder_create();
    rd->pool = rh_pool_create();
    if (!rd->b || !rd->pool) return rh_no_memory(rd);
    rd->main = rd->def = rh_pool_alloc(rd->pool, sizeof(rh_def));
    if (!rd->main || !rh_grow(&rd->defs, &rd->cap_def, 1, sizeof(*rd->defs))) return rh_no_memory(rd);
    rd->defs[rd->n_def++] = rd->main;
    return true;
}

/* The folder below which .include may read. */
static bool open_root(rh_reader *rd, const char *path) {
    char *folder = rd->set.root ? rh_strdup(rd->set.root) : path ? rh_path_folder(path) : NULL;
    if (!folder) return path || rd->set.root ? rh_no_memory(rd) : true;
    rd->root = realpath(folder, NULL);
    const bool full = !rd->root && errno == ENOMEM;
    rh_free(folder);
    return full ? rh_no_memory(rd) : true;
}

static rheo_status open_dirs(rh_reader *rd, rheo_error *err) {
    const int n = rd->set.n_include_dir;
    if (n > 0 && !(rd->dir = rh_calloc((size_t)n, sizeof *rd->dir))) return RH_NOMEM(err);
    for (int k = 0; k < n; k++) {
        char text[128];
        struct stat info;
        rd->dir[k] = realpath(rd->set.include_dir[k], NULL);
        if (rd->dir[k] && stat(rd->dir[k], &info) == 0) {
            if (S_ISDIR(info.st_mode)) continue;
            errno = ENOTDIR;
        }
        if (errno == ENOMEM) return RH_NOMEM(err);
        return rh_fail(err, RHEO_E_IO, 401, RH_NOWHERE, "cannot open the folder '%.200s': %s", rd->set.include_dir[k],
                       strerror_r(errno, text, sizeof text));
    }
    return RHEO_OK;
}

static void build(rh_reader *rd) {
    rh_frame f = { .def = rd->main, .path = "" };
    rh_subckt_count(rd, rd->main, 0);
    if (rh_stop(rd) || !rh_frame_open(rd, &f)) return;
    rh_frame_eval(rd, &f);
    if (!rh_stop(rd)) rh_models_keep(rd, &f);
    if (!rh_stop(rd)) rh_expand(rd, &f);
    if (!rh_stop(rd)) rh_senses_apply(rd);
    if (!rh_stop(rd)) rh_marks_apply(rd);
}

static rheo_status finish(rh_reader *rd, rheo_circuit **out, rheo_error *err) {
    if (rd->fatal == RHEO_E_NOMEM) {
        RH_NOMEM(err);
        return err->status; /* of the first error, if there was one before */
    }
    if (rh_report_full(&rd->rep)) rh_note(rd, 0, RH_NOWHERE, "reading stopped after %d errors", rd->rep.n_error);
    rh_report_close(&rd->rep);
    if (rd->rep.n_error) return err->status;
    if (rd->fatal) return rd->fatal;
    rh_builder *b = rd->b;
    if (rd->left_out.bad || (rd->left_out.n && rh_builder_left_out(b, rd->left_out.s, rd->left_out.n) != RHEO_OK))
        return RH_NOMEM(err);
    rd->b = NULL;
    return rh_builder_finish(b, out, err);
}

/* Everything after the text is in memory. Takes name and text over. */
static rheo_status read_text(rh_reader *rd, char *name, char *text, size_t size, char *real, rheo_circuit **out,
                             rheo_error *err) {
    if (!name || !text) {
        rh_free(name);
        rh_free(text);
        rh_free(real);
        return RH_NOMEM(err);
    }
    const int file = rh_source_add(rd, name, text, size, real);
    if (file >= 0 && rh_scan(rd, file)) {
        if (rd->first_pragma.line) rh_pragmas_unused(rd, rd->first_pragma);
        if (!rh_stop(rd)) build(rd);
    }
    return finish(rd, out, err);
}

static rheo_status check_def(const rheo_netlist_def *def, rheo_error *err) {
    if (def && def->cookie != COOKIE)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE,
                       "start the settings of the netlist reader from rheo_netlist_default()");
    return RHEO_OK;
}

rheo_status rheo_netlist_read(rheo_circuit **out, const char *path, const rheo_netlist_def *def, const rheo_log *log,
                              rheo_error *err) {
    rheo_error own = { 0 };
    rheo_error *const e = err && err->status == RHEO_OK ? err : &own;
    RHEO_TRY(check_def(def, e));
    rh_reader rd = { 0 };
    char *text = NULL;
    size_t size = 0;
    const bool input = strcmp(path, "-") == 0;
    rheo_status st = rh_file_read(path, RH_NET_BYTES, &text, &size, e);
    if (st == RHEO_OK && open_reader(&rd, def, log, e) && open_root(&rd, input ? "./-" : path)) {
        char *real = input ? NULL : realpath(path, NULL);
        st = open_dirs(&rd, e);
        if (st != RHEO_OK) {
            rh_free(text);
            rh_free(real);
        }
        if (st == RHEO_OK) st = read_text(&rd, rh_strdup(input ? "<stdin>" : path), text, size, real, out, e);
    } else if (st == RHEO_OK) {
        rh_free(text);
        st = RH_NOMEM(e);
    }
    close_reader(&rd);
    return st;
}

rheo_status rheo_netlist_parse(rheo_circuit **out, const char *text, size_t size, const char *name,
                               const rheo_netlist_def *def, const rheo_log *log, rheo_error *err) {
    rheo_error own = { 0 };
    rheo_error *const e = err && err->status == RHEO_OK ? err : &own;
    RHEO_TRY(check_def(def, e));
    if (size > RH_NET_BYTES)
        return rh_fail(e, RHEO_E_LIMIT, 505, RH_NOWHERE, "%s is larger than %d MiB", name ? name : "the netlist",
                       RH_NET_BYTES >> 20);
    rh_reader rd = { 0 };
    rheo_status st = RHEO_OK;
    if (open_reader(&rd, def, log, e) && open_root(&rd, NULL))
        st = open_dirs(&rd, e);
    else
        st = RH_NOMEM(e);
    if (st == RHEO_OK)
        st = read_text(&rd, rh_strdup(name ? name : "netlist"), rh_strndup(text, size), size, NULL, out, e);
    close_reader(&rd);
    return st;
}
