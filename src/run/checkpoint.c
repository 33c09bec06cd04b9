/* Layout, in the byte order of the machine (a mark tells a foreign one):
 *   header   magic, byte-order mark, format, file length, config hash, generation, counters, sections, CRC32C of all
 * that section  name (32 bytes), length, CRC32C of name, length and data; then the data trailer  magic, CRC32C of the
 * whole file before it Every bit is under at least one CRC or compared with a constant, so no single flipped bit and no
 * truncation passes. */
#include "run/checkpoint.h"

#include <errno.h>
#include <sys/stat.h>

static const char MAGIC[8] = { 'R', 'H', 'E', 'O', 'C', 'K', 'P', 'T' };
static const char TAIL[8] = { 'R', 'H', 'E', 'O', 'T', 'A', 'I', 'L' };
#define ENDIAN_MARK UINT64_C(0x0102030405060708)
enum { FORMAT = 1 };

typedef struct header {
    char magic[8];
    uint64_t endian, format, bytes, config, generation;
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
_Static_assert(sizeof(header) == 8 + 5 * 8 + 6 * 8 + 2 * 8, "header is packed");
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
                 .config = c->config,
                 .generation = c->generation,
                 .at = c->at,
                 .n_section = (uint64_t)c->n_section };
    memcpy(h.magic, MAGIC, sizeof MAGIC);
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
    if (h->format != FORMAT) return damaged(err, "its format is not known to this version");
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
    rh_checkpoint c = { .config = h.config, .generation = h.generation, .at = h.at, .n_section = (int)h.n_section };
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

static rheo_status read_one(const char *path, uint64_t config, rh_checkpoint *out, rheo_error *err) {
    char *bytes = NULL;
    size_t n = 0;
    RHEO_TRY(rh_file_read(path, SIZE_MAX / 4, &bytes, &n, err));
    rheo_status st = rh_checkpoint_decode(out, bytes, n, err);
    if (st != RHEO_OK) {
        rh_free(bytes);
    } else if (out->config != config) {
        rh_checkpoint_free(out);
        st = rh_fail(err, RHEO_E_IO, 406, RH_NOWHERE, "the checkpoint belongs to another experiment");
    }
    return st;
}

/* Reads the file of one generation parity. Only running out of memory is a failure of the call: falling back to an
 * older state because of that would waste work. */
static rheo_status try_one(const char *folder, const char *name, uint64_t config, rh_checkpoint *out, bool *there,
                           bool *good, const rheo_log *log, rheo_error *err) {
    char *const path = rh_path_join(folder, name);
    if (!path) return RH_NOMEM(err);
    struct stat info;
    *there = stat(path, &info) == 0 || errno != ENOENT;
    *good = false;
    rheo_status st = RHEO_OK;
    if (*there) {
        rheo_error why = { 0 };
        st = read_one(path, config, out, &why);
        *good = st == RHEO_OK;
        if (st != RHEO_OK && st != RHEO_E_NOMEM) {
            rh_warn(log, why.code, RH_NOWHERE, "%s is passed over: %s", path, why.msg);
            st = RHEO_OK;
        }
    }
    rh_free(path);
    return st == RHEO_OK ? RHEO_OK : RH_NOMEM(err);
}

rheo_status rh_checkpoint_read(const char *folder, uint64_t config, rh_checkpoint *out, bool *found,
                               const rheo_log *log, rheo_error *err) {
    rh_checkpoint c[2] = { 0 };
    bool there[2], good[2];
    for (int i = 0; i < 2; i++) {
        const rheo_status st = try_one(folder, file_name((uint64_t)i), config, &c[i], &there[i], &good[i], log, err);
        if (st == RHEO_OK) continue;
        rh_checkpoint_free(&c[0]);
        return st;
    }
    *found = good[0] || good[1];
    if (!*found) {
        if (!there[0] && !there[1]) return RHEO_OK;
        return rh_fail(err, RHEO_E_IO, 405, RH_NOWHERE, "%s: no good checkpoint is left", folder);
    }
    const int newest = good[1] && (!good[0] || c[1].generation > c[0].generation);
    rh_checkpoint_free(&c[!newest]);
    *out = c[newest];
    return RHEO_OK;
}
