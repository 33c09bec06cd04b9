/* Layout, in the byte order of the machine (a mark tells a foreign one):
 *   header   magic, byte-order mark, format, file length, hashes, generation, counters, sections, CRC32C of all
 * that section  name (32 bytes), length, CRC32C of name, length and data; then the data trailer  magic, CRC32C of the
 * whole file before it Every bit is under at least one CRC or compared with a constant, so no single flipped bit and no
 * truncation passes. */
#include "run/checkpoint.h"

#include <errno.h>
#include <sys/stat.h>

static const char MAGIC[8] = { 'R', 'H', 'E', 'O', 'C', 'K', 'P', 'T' };
static const char TAIL[8] = { 'R', 'H', 'E', 'O', 'T', 'A', 'I', 'L' };
#define ENDIAN_MARK UINT64_C(0x0102030405060708)
enum { FORMAT = 2 };

typedef struct header {
    char magic[8];
    uint64_t endian, format, bytes, part[RH_N_PART], generation;
    rh_counters at;
    uint64_t n_section, crc;
} header;
typedef struct section_header {
    char name[RH_SECTION_NAME];
    uint64_t bytes, crc;
} section_header;
typedef struct trailer {
    char magic[8];
    uint64_t crc;
} trailer;
/* No padding, else bytes that nobody wrote would be in the file. */
_Static_assert(sizeof(header) == 8 + (4 + RH_N_PART) * 8 + 6 * 8 + 2 * 8, "header is packed");
_Static_assert(sizeof(section_header) == RH_SECTION_NAME + 16, "section header is packed");
_Static_assert(sizeof(trailer) == 16, "trailer is packed");

uint64_t rh_hash(uint64_t hash, const void *data, size_t n) {
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++) hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint32_t section_crc(const section_header *h, const void *data) {
    const uint32_t crc = rh_crc32c(0, h, offsetof(section_header, crc));
    return rh_crc32c(crc, data, (size_t)h->bytes);
}

static char *put(char *to, const void *from, size_t n) {
    if (n) memcpy(to, from, n);
    return to + n;
}

static char *put_section(char *to, const rh_section *s) {
    section_header h = { .bytes = s->bytes };
    strncpy(h.name, s->name, sizeof h.name - 1);
    h.crc = section_crc(&h, s->data);
    return put(put(to, &h, sizeof h), s->data, s->bytes);
}

rheo_status rh_checkpoint_encode(const rh_checkpoint *c, char **bytes, size_t *n, rheo_error *err) {
    size_t total = sizeof(header) + sizeof(trailer);
    for (int i = 0; i < c->n_section; i++) total += sizeof(section_header) + c->section[i].bytes;
    char *const file = rh_alloc(total);
    if (!file) return RH_NOMEM(err);
    header h = { .endian = ENDIAN_MARK,
                 .format = FORMAT,
                 .bytes = total,
                 .generation = c->generation,
                 .at = c->at,
                 .n_section = (uint64_t)c->n_section };
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    memcpy(h.part, c->part, sizeof h.part);
    h.crc = rh_crc32c(0, &h, offsetof(header, crc));
    char *to = put(file, &h, sizeof h);
    for (int i = 0; i < c->n_section; i++) to = put_section(to, &c->section[i]);
    trailer t = { .crc = rh_crc32c(0, file, (size_t)(to - file)) };
    memcpy(t.magic, TAIL, sizeof TAIL);
    put(to, &t, sizeof t);
    *bytes = file;
    *n = total;
    return RHEO_OK;
}

static rheo_status damaged(rheo_error *err, const char *what) {
    return rh_fail(err, RHEO_E_IO, 405, RH_NOWHERE, "damaged checkpoint: %s", what);
}

static rheo_status check_header(const header *h, size_t n, rheo_error *err) {
    if (memcmp(h->magic, MAGIC, sizeof MAGIC) != 0) return damaged(err, "it does not begin like one");
    if (h->endian != ENDIAN_MARK) return damaged(err, "it was written in another byte order");
    if (h->format != FORMAT) return damaged(err, "its format is that of another version of rheo");
    if (h->crc != rh_crc32c(0, h, offsetof(header, crc))) return damaged(err, "its header has changed");
    if (h->bytes != n) return damaged(err, "its length has changed");
    if (h->n_section > RH_MAX_SECTION) return damaged(err, "it has too many sections");
    return RHEO_OK;
}

static rheo_status check_trailer(const char *bytes, size_t n, rheo_error *err) {
    trailer t;
    memcpy(&t, bytes + n - sizeof t, sizeof t);
    if (memcmp(t.magic, TAIL, sizeof TAIL) != 0) return damaged(err, "its end is missing");
    if (t.crc != rh_crc32c(0, bytes, n - sizeof t)) return damaged(err, "its content has changed");
    return RHEO_OK;
}

/* Takes the section at *at, of which left bytes remain. */
static rheo_status take_section(rh_section *out, const char **at, size_t *left, rheo_error *err) {
    section_header h;
    if (*left < sizeof h) return damaged(err, "a section is cut off");
    memcpy(&h, *at, sizeof h);
    if (h.bytes > *left - sizeof h) return damaged(err, "a section is longer than the file");
    const char *const data = *at + sizeof h;
    if (h.crc != section_crc(&h, data)) return damaged(err, "a section has changed");
    if (!memchr(h.name, 0, sizeof h.name)) return damaged(err, "a section name does not end");
    *out = (rh_section){ *at, data, (size_t)h.bytes };
    *at = data + h.bytes;
    *left -= sizeof h + (size_t)h.bytes;
    return RHEO_OK;
}

rheo_status rh_checkpoint_decode(rh_checkpoint *out, char *bytes, size_t n, rheo_error *err) {
    header h;
    if (n < sizeof h + sizeof(trailer)) return damaged(err, "it is too short");
    memcpy(&h, bytes, sizeof h);
    RHEO_TRY(check_header(&h, n, err));
    RHEO_TRY(check_trailer(bytes, n, err));
    rh_checkpoint c = { .generation = h.generation, .at = h.at, .n_section = (int)h.n_section };
    memcpy(c.part, h.part, sizeof c.part);
    const char *at = bytes + sizeof h;
    size_t left = n - sizeof h - sizeof(trailer);
    for (int i = 0; i < c.n_section; i++) RHEO_TRY(take_section(&c.section[i], &at, &left, err));
    if (left != 0) return damaged(err, "there is something behind the last section");
    c.file = bytes;
    *out = c;
    return RHEO_OK;
}

void rh_checkpoint_free(rh_checkpoint *c) {
    rh_free(c->file);
    *c = (rh_checkpoint){ 0 };
}

const rh_section *rh_checkpoint_find(const rh_checkpoint *c, const char *name) {
    for (int i = 0; i < c->n_section; i++)
        if (strcmp(c->section[i].name, name) == 0) return &c->section[i];
    return NULL;
}

static const char *file_name(uint64_t generation) { return generation % 2 ? "a.ckpt" : "b.ckpt"; }

rheo_status rh_checkpoint_write(const char *folder, const rh_checkpoint *c, rheo_error *err) {
    char *bytes;
    size_t n;
    RHEO_TRY(rh_checkpoint_encode(c, &bytes, &n, err));
    char *const path = rh_path_join(folder, file_name(c->generation));
    const rheo_status st = path ? rh_file_write(path, bytes, n, err) : RH_NOMEM(err);
    rh_free(path);
    rh_free(bytes);
    return st;
}

/* ---- which experiment ---- */

enum { MAX_DEPTH = 8, MAX_NAME = 64 };
typedef struct cursor { /* in a text of settings */
    const char *at, *end;
    const char *line; /* without its indentation and end */
    size_t n;
    int depth;
    char name[MAX_DEPTH][MAX_NAME]; /* keys of the blocks around, and of the line */
} cursor;

static bool next_line(cursor *c) {
    if (c->at >= c->end) return false;
    const char *const stop = memchr(c->at, '\n', (size_t)(c->end - c->at));
    const char *const end = stop ? stop : c->end;
    const char *p = c->at;
    while (p < end && *p == ' ') p++;
    c->depth = (int)(p - c->at) / 2;
    if (c->depth >= MAX_DEPTH) c->depth = MAX_DEPTH - 1;
    c->line = p;
    c->n = (size_t)(end - p);
    const char *const colon = memchr(p, ':', c->n);
    rh_escape(p, colon ? (size_t)(colon - p) : c->n, c->name[c->depth], MAX_NAME);
    c->at = end + (stop != NULL);
    return true;
}

/* What stands behind the colon. */
static const char *value_of(const cursor *c, char *out, size_t size) {
    const char *p = memchr(c->line, ':', c->n);
    const char *const end = c->line + c->n;
    p = p ? p + 1 : end;
    while (p < end && *p == ' ') p++;
    return rh_escape(p, (size_t)(end - p), out, size);
}

void rh_settings_difference(const char *old, size_t n_old, const char *now, char *out, size_t size) {
    cursor a = { .at = old, .end = old + n_old }, b = { .at = now, .end = now + strlen(now) };
    bool more_a, more_b;
    do {
        more_a = next_line(&a);
        more_b = next_line(&b);
    } while (more_a && more_b && a.depth == b.depth && a.n == b.n && memcmp(a.line, b.line, a.n) == 0);
    const cursor *const at = more_b ? &b : &a;
    rh_buf name = { 0 };
    for (int d = 0; d <= at->depth; d++) rh_buf_printf(&name, "%s%s", d ? "." : "", at->name[d]);
    char was[60], is[60];
    const bool same_key = more_a && more_b && a.depth == b.depth && strcmp(a.name[a.depth], b.name[b.depth]) == 0;
    if (name.bad || (!more_a && !more_b))
        snprintf(out, size, "other settings");
    else if (same_key)
        snprintf(out, size, "%s was %s and is %s", name.s, value_of(&a, was, sizeof was), value_of(&b, is, sizeof is));
    else
        snprintf(out, size, "%s was %s", name.s, more_b ? "not there" : "there");
    rh_buf_free(&name);
}

static rheo_status foreign(const rh_checkpoint *c, const rh_identity *of, rheo_error *err) {
    const rh_section *const s = rh_checkpoint_find(c, RH_SETTINGS);
    char text[400] = "";
    if (c->part[RH_PART_SETTINGS] != of->part[RH_PART_SETTINGS])
        rh_settings_difference(s ? s->data : "", s ? s->bytes : 0, of->settings, text, sizeof text);
    const bool circuit = c->part[RH_PART_CIRCUIT] != of->part[RH_PART_CIRCUIT],
               samples = c->part[RH_PART_SAMPLES] != of->part[RH_PART_SAMPLES];
    return rh_fail(err, RHEO_E_IO, 406, RH_NOWHERE, "the checkpoint belongs to another experiment: %s%s%s%s%s", text,
                   text[0] && (circuit || samples) ? ", " : "", circuit ? "the circuit is another" : "",
                   circuit && samples ? ", " : "", samples ? "the samples are others" : "");
}

static rheo_status read_one(const char *path, const rh_identity *of, rh_checkpoint *out, rheo_error *err) {
    char *bytes = NULL;
    size_t n = 0;
    RHEO_TRY(rh_file_read(path, SIZE_MAX / 4, &bytes, &n, err));
    rheo_status st = rh_checkpoint_decode(out, bytes, n, err);
    if (st != RHEO_OK) {
        rh_free(bytes);
    } else if (memcmp(out->part, of->part, sizeof out->part) != 0) {
        st = foreign(out, of, err);
        rh_checkpoint_free(out);
    }
    return st;
}

/* Reads the file of one generation parity. Only running out of memory is a failure of the call: falling back to an
 * older state because of that would waste work. */
static rheo_status try_one(const char *folder, const char *name, const rh_identity *of, rh_checkpoint *out, bool *there,
                           rheo_error *why, const rheo_log *log, rheo_error *err) {
    char *const path = rh_path_join(folder, name);
    if (!path) return RH_NOMEM(err);
    struct stat info;
    *there = stat(path, &info) == 0 || errno != ENOENT;
    *why = (rheo_error){ 0 };
    rheo_status st = RHEO_OK;
    if (*there) {
        st = read_one(path, of, out, why);
        if (st != RHEO_OK && st != RHEO_E_NOMEM) {
            rh_warn(log, why->code, RH_NOWHERE, "%s is passed over: %s", path, why->msg);
            st = RHEO_OK;
        }
    }
    rh_free(path);
    return st == RHEO_OK ? RHEO_OK : RH_NOMEM(err);
}

/* Files are there, and none can be used. */
static rheo_status none_left(const char *folder, bool all_foreign, rheo_error *err) {
    if (!all_foreign) {
        const rheo_status st = rh_fail(err, RHEO_E_IO, 405, RH_NOWHERE, "%s: no good checkpoint is left", folder);
        rh_hint(err,
                "delete the files in this folder, then `rheo resume` begins the run anew; or `rheo train --force`");
        return st;
    }
    const rheo_status st =
        rh_fail(err, RHEO_E_IO, 406, RH_NOWHERE, "%s: the checkpoints are those of another experiment", folder);
    rh_hint(err, "undo what has changed in config.yaml or in the files that it names; or delete the files in this "
                 "folder, then `rheo resume` begins the run anew");
    return st;
}

rheo_status rh_checkpoint_read(const char *folder, const rh_identity *of, rh_checkpoint *out, bool *found,
                               const rheo_log *log, rheo_error *err) {
    rh_checkpoint c[2] = { 0 };
    rheo_error why[2];
    bool there[2], good[2];
    for (int i = 0; i < 2; i++) {
        const rheo_status st = try_one(folder, file_name((uint64_t)i), of, &c[i], &there[i], &why[i], log, err);
        good[i] = there[i] && why[i].status == RHEO_OK;
        if (st == RHEO_OK) continue;
        rh_checkpoint_free(&c[0]);
        return st;
    }
    *found = good[0] || good[1];
    if (!*found) {
        if (!there[0] && !there[1]) return RHEO_OK;
        return none_left(folder, (!there[0] || why[0].code == 406) && (!there[1] || why[1].code == 406), err);
    }
    const int newest = good[1] && (!good[0] || c[1].generation > c[0].generation);
    rh_checkpoint_free(&c[!newest]);
    *out = c[newest];
    return RHEO_OK;
}

int64_t rh_checkpoint_flags(const char *folder) {
    int64_t flags = 0;
    for (uint64_t i = 0; i < 2; i++) {
        char *const path = rh_path_join(folder, file_name(i)), *bytes = NULL;
        size_t n = 0;
        rh_checkpoint c;
        if (path && rh_file_read(path, SIZE_MAX / 4, &bytes, &n, NULL) == RHEO_OK) {
            const bool good = rh_checkpoint_decode(&c, bytes, n, NULL) == RHEO_OK;
            if (good) flags |= c.at.flags;
            rh_free(bytes);
        }
        rh_free(path);
    }
    return flags;
}
