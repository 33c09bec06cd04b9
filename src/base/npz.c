/* npz.c: arrays for NumPy. Each is a .npy file (format 1.0) stored without compression in a zip archive, with a fixed
 * date, so that equal content gives equal bytes. Formats: NumPy NEP 1; PKWARE APPNOTE 6.3. */
#include "base/base.h"
#include "base/utf8.h"

#include <zlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are copied to disk as they are in memory");

enum { ZIP_VERSION = 20, ZIP_UTF8 = 0x0800, DOS_DATE = 1 << 5 | 1 /* 1 January 1980 */, ENTRY_MAX = 65534 };
static const size_t ZIP_MAX = 0xFFFFFFFEu; /* beyond it zip64 would be needed */

struct rh_npz {
    rh_buf body, directory;
    int n_entry;
    rheo_status status;
};

rh_npz *rh_npz_create(void) { return rh_calloc(1, sizeof(rh_npz)); }

void rh_npz_destroy(rh_npz *z) {
    if (!z) return;
    rh_buf_free(&z->body);
    rh_buf_free(&z->directory);
    rh_free(z);
}

static void put16(rh_buf *b, unsigned x) { rh_buf_add(b, (const char[]){ (char)(x & 255), (char)(x >> 8 & 255) }, 2); }

static void put32(rh_buf *b, uint32_t x) {
    put16(b, x & 0xFFFF);
    put16(b, x >> 16);
}

/* Magic, version, and the description padded so that the data start at a multiple of 64 bytes. */
static void npy_header(rh_buf *b, const char *type, int n_dim, const size_t *dims) {
    rh_buf d = { 0 };
    rh_buf_printf(&d, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int k = 0; k < n_dim; k++) rh_buf_printf(&d, "%s%zu", k ? ", " : "", dims[k]);
    rh_buf_puts(&d, n_dim == 1 ? ",), }" : "), }");
    while (!d.bad && (10 + d.n + 1) % 64) rh_buf_puts(&d, " ");
    rh_buf_puts(&d, "\n");
    rh_buf_add(b, "\x93NUMPY\x01\x00", 8);
    put16(b, (unsigned)d.n);
    if (d.bad)
        b->bad = true;
    else
        rh_buf_add(b, d.s, d.n);
    rh_buf_free(&d);
}

/* The fields that local header and directory share. */
static void zip_fields(rh_buf *b, unsigned flags, uint32_t crc, size_t size, size_t name_len) {
    put16(b, ZIP_VERSION);
    put16(b, flags);
    put16(b, 0); /* stored */
    put16(b, 0); /* time */
    put16(b, DOS_DATE);
    put32(b, crc);
    put32(b, (uint32_t)size);
    put32(b, (uint32_t)size);
    put16(b, (unsigned)name_len);
    put16(b, 0); /* no extra field */
}

static void zip_name(rh_buf *b, const char *name) {
    rh_buf_puts(b, name);
    rh_buf_puts(b, ".npy");
}

static unsigned name_flags(const char *name) {
    for (; *name; name++)
        if (*name & 0x80) return ZIP_UTF8;
    return 0;
}

static void zip_entry(rh_npz *z, const char *name, const rh_buf *header, const void *data, size_t bytes) {
    const size_t size = header->n + bytes, start = z->body.n, name_len = strlen(name) + 4;
    const unsigned flags = name_flags(name);
    uint32_t crc = (uint32_t)crc32_z(0, (const Bytef *)header->s, header->n);
    if (bytes) crc = (uint32_t)crc32_z(crc, data, bytes);
    put32(&z->body, 0x04034B50);
    zip_fields(&z->body, flags, crc, size, name_len);
    zip_name(&z->body, name);
    rh_buf_add(&z->body, header->s, header->n);
    rh_buf_add(&z->body, bytes ? data : "", bytes);
    put32(&z->directory, 0x02014B50);
    put16(&z->directory, 3 << 8 | ZIP_VERSION); /* made on Unix */
    zip_fields(&z->directory, flags, crc, size, name_len);
    put16(&z->directory, 0); /* no comment */
    put16(&z->directory, 0); /* disk 0 */
    put16(&z->directory, 0);
    put32(&z->directory, 0100644u << 16); /* permissions of a regular file */
    put32(&z->directory, (uint32_t)start);
    zip_name(&z->directory, name);
    z->n_entry++;
}

/* Elements of the array; false when the product overflows. */
static bool count(int n_dim, const size_t *dims, size_t *n) {
    *n = 1;
    bool zero = false;
    for (int k = 0; k < n_dim; k++) {
        zero = zero || dims[k] == 0;
        if (dims[k] && *n > ZIP_MAX / dims[k] && !zero) return false;
        if (!zero) *n *= dims[k];
    }
    if (zero) *n = 0;
    return true;
}

static void add(rh_npz *z, const char *name, const char *type, size_t size, const void *data, int n_dim,
                const size_t *dims) {
    if (!z || z->status != RHEO_OK) return;
    size_t n;
    if (n_dim < 0 || n_dim > 32 || !count(n_dim, dims, &n) || n > ZIP_MAX / size || strlen(name) > 1024 ||
        z->n_entry >= ENTRY_MAX || z->body.n + z->directory.n + n * size > ZIP_MAX - 8192) {
        z->status = RHEO_E_LIMIT;
        return;
    }
    rh_buf header = { 0 };
    npy_header(&header, type, n_dim, dims);
    if (!header.bad) zip_entry(z, name, &header, data, n * size);
    if (header.bad || z->body.bad || z->directory.bad) z->status = RHEO_E_NOMEM;
    rh_buf_free(&header);
}

void rh_npz_f64(rh_npz *z, const char *name, const double *x, int n_dim, const size_t *dims) {
    add(z, name, "<f8", sizeof(double), x, n_dim, dims);
}

void rh_npz_i32(rh_npz *z, const char *name, const int *x, int n_dim, const size_t *dims) {
    _Static_assert(sizeof(int) == 4, "int is written as <i4");
    add(z, name, "<i4", sizeof(int), x, n_dim, dims);
}

/* Code points of s into out (may be NULL to count only); invalid bytes become U+FFFD. */
static size_t code_points(const char *s, uint32_t *out) {
    const size_t n = strlen(s);
    size_t k = 0;
    for (size_t at = 0; at < n; k++) {
        uint32_t code;
        const size_t len = rh_utf8(s + at, n - at, &code);
        if (out) out[k] = len ? code : 0xFFFD;
        at += len ? len : 1;
    }
    return k;
}

void rh_npz_text(rh_npz *z, const char *name, const char *const *s, int n) {
    if (!z || z->status != RHEO_OK) return;
    size_t width = 1;
    for (int k = 0; k < n; k++) {
        const size_t m = code_points(s[k], NULL);
        if (m > width) width = m;
    }
    const size_t rows = n > 0 ? (size_t)n : 0;
    if (width > ZIP_MAX / 4 / (rows + 1)) {
        z->status = RHEO_E_LIMIT;
        return;
    }
    uint32_t *text = rh_calloc(rows * width + 1, sizeof(*text));
    if (!text) {
        z->status = RHEO_E_NOMEM;
        return;
    }
    for (size_t k = 0; k < rows; k++) code_points(s[k], text + k * width);
    char type[24];
    snprintf(type, sizeof(type), "<U%zu", width);
    add(z, name, type, 4 * width, text, 1, &rows);
    rh_free(text);
}

rheo_status rh_npz_write(const rh_npz *z, const char *path, rheo_error *err) {
    if (!z || z->status == RHEO_E_NOMEM) return RH_NOMEM(err);
    if (z->status != RHEO_OK)
        return rh_fail(err, z->status, 502, RH_NOWHERE, "'%s' would exceed what a zip file can hold (4 GiB)", path);
    rh_buf all = { 0 };
    rh_buf_add(&all, z->body.n ? z->body.s : "", z->body.n);
    rh_buf_add(&all, z->directory.n ? z->directory.s : "", z->directory.n);
    put32(&all, 0x06054B50);
    put32(&all, 0); /* one disk */
    put16(&all, (unsigned)z->n_entry);
    put16(&all, (unsigned)z->n_entry);
    put32(&all, (uint32_t)z->directory.n);
    put32(&all, (uint32_t)z->body.n);
    put16(&all, 0);
    const rheo_status st = all.bad ? RH_NOMEM(err) : rh_file_write(path, all.s, all.n, err);
    rh_buf_free(&all);
    return st;
}
