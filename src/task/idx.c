/* idx.c: files of images and of labels in the idx format, plain or gzipped, kept as the bytes that they are.
 *
 * Format: Y. LeCun, C. Cortes & C. Burges, The MNIST database: two zero bytes, type (8: unsigned bytes), number of
 * dimensions, each dimension as a big-endian 32-bit number, then the data, last dimension fastest. */
#include "task/task.h"

#include <zlib.h>

enum { HEAD = 4, MAX_DIM = 4, GZ_RATIO = 1032 /* deflate cannot do better */, RH_IDX_FILE = 512 << 20 };

static rheo_status bad(rheo_error *err, const char *path, const char *what) {
    return rh_fail(err, RHEO_E_PARSE, RH_CODE_IDX, RH_NOWHERE, "%s: %s", path, what);
}

static size_t big_endian(const uint8_t *p) {
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* A reader that hands out the bytes of the file, unpacked where that is needed. */
typedef struct inlet {
    const char *path;
    z_stream z;
    bool packed;
    rheo_error *err;
} inlet;

static rheo_status take(inlet *in, uint8_t *to, size_t n) {
    if (!in->packed) {
        if (in->z.avail_in < n) return bad(in->err, in->path, "the file ends too early");
        memcpy(to, in->z.next_in, n);
        in->z.next_in += n;
        in->z.avail_in -= (uInt)n;
        return RHEO_OK;
    }
    in->z.next_out = to;
    in->z.avail_out = (uInt)n;
    while (in->z.avail_out > 0) {
        const int got = inflate(&in->z, Z_NO_FLUSH);
        if (got == Z_STREAM_END && in->z.avail_out > 0) return bad(in->err, in->path, "the file ends too early");
        if (got == Z_MEM_ERROR) return RH_NOMEM(in->err);
        if (got == Z_BUF_ERROR) return bad(in->err, in->path, "the compressed data end too early");
        if (got != Z_OK && got != Z_STREAM_END) return bad(in->err, in->path, "the compressed data are damaged");
    }
    return RHEO_OK;
}

/* Nothing may be left, and the checksum of gzip must be right. */
static rheo_status finish(inlet *in) {
    uint8_t more;
    if (!in->packed) return in->z.avail_in ? bad(in->err, in->path, "there are bytes behind the data") : RHEO_OK;
    in->z.next_out = &more;
    in->z.avail_out = 1;
    const int got = inflate(&in->z, Z_FINISH);
    if (in->z.avail_out == 0) return bad(in->err, in->path, "there are bytes behind the data");
    return got == Z_STREAM_END ? RHEO_OK : bad(in->err, in->path, "the compressed data are damaged at their end");
}

static rheo_status read_head(inlet *in, size_t n_file, rh_idx *out) {
    uint8_t head[HEAD + 4 * MAX_DIM];
    RHEO_TRY(take(in, head, HEAD));
    if (head[0] != 0 || head[1] != 0) return bad(in->err, in->path, "this is no idx file");
    if (head[2] != 8) return bad(in->err, in->path, "only idx files of unsigned bytes (type 8) are read");
    const int n_dim = head[3];
    if (n_dim < 1 || n_dim > MAX_DIM) return bad(in->err, in->path, "it has not one to four dimensions");
    RHEO_TRY(take(in, head + HEAD, 4 * (size_t)n_dim));
    size_t whole = 1;
    out->width = 1;
    for (int d = 0; d < n_dim; d++) {
        const size_t size = big_endian(head + HEAD + 4 * d);
        if (size == 0) return bad(in->err, in->path, "one of its dimensions is 0");
        if (size > RH_IDX_BYTES / whole) return bad(in->err, in->path, "it claims to hold more than a gigabyte");
        whole *= size;
        if (d == 0)
            out->n = (int)size;
        else
            out->width *= size;
    }
    /* before anything of that size is allocated */
    if (whole > n_file * (in->packed ? GZ_RATIO : 1)) return bad(in->err, in->path, "the file ends too early");
    return RHEO_OK;
}

static rheo_status read_all(inlet *in, size_t n_file, rh_idx *out) {
    RHEO_TRY(read_head(in, n_file, out));
    const size_t n = (size_t)out->n * out->width;
    out->x = rh_alloc(n);
    if (!out->x) return RH_NOMEM(in->err);
    RHEO_TRY(take(in, out->x, n));
    return finish(in);
}

static voidpf take_memory(voidpf user, uInt n, uInt size) {
    (void)user;
    return rh_calloc(n, size);
}
static void give_memory(voidpf user, voidpf p) {
    (void)user;
    rh_free(p);
}

rheo_status rh_idx_read(rh_idx *out, const char *path, rheo_error *err) {
    char *text = NULL;
    size_t n = 0;
    *out = (rh_idx){ 0 };
    RHEO_TRY(rh_file_read(path, RH_IDX_FILE, &text, &n, err));
    inlet in = { .path = path, .err = err };
    in.packed = n >= 2 && (uint8_t)text[0] == 0x1F && (uint8_t)text[1] == 0x8B;
    in.z = (z_stream){ .next_in = (Bytef *)text, .avail_in = (uInt)n, .zalloc = take_memory, .zfree = give_memory };
    rheo_status st = RHEO_OK;
    if (in.packed && inflateInit2(&in.z, 15 + 16) != Z_OK)
        st = RH_NOMEM(err);
    else {
        st = read_all(&in, n, out);
        if (in.packed) inflateEnd(&in.z);
    }
    rh_free(text);
    if (st != RHEO_OK) rh_idx_free(out);
    return st;
}

void rh_idx_free(rh_idx *x) {
    rh_free(x->x);
    *x = (rh_idx){ 0 };
}

/* ---- samples ---- */

/* The second file behind the first: the bytes of one array. */
static rheo_status append(rh_idx *a, rh_idx *b, const char *path, rheo_error *err) {
    if (a->width != b->width) {
        return rh_fail(err, RHEO_E_PARSE, RH_CODE_IDX, RH_NOWHERE,
                       "%s: its items have %zu bytes, those before have %zu", path, b->width, a->width);
    }
    uint8_t *const x = rh_realloc(a->x, (size_t)a->n + (size_t)b->n, a->width);
    if (!x) return RH_NOMEM(err);
    memcpy(x + (size_t)a->n * a->width, b->x, (size_t)b->n * b->width);
    a->x = x;
    a->n += b->n;
    return RHEO_OK;
}

static rheo_status read_pair(rh_idx *image, rh_idx *label, const char *image_path, const char *label_path,
                             rheo_error *err) {
    RHEO_TRY(rh_idx_read(image, image_path, err));
    RHEO_TRY(rh_idx_read(label, label_path, err));
    if (label->width != 1) return bad(err, label_path, "labels have one dimension");
    if (label->n == image->n) return RHEO_OK;
    return rh_fail(err, RHEO_E_PARSE, RH_CODE_IDX, RH_NOWHERE, "%s: %d labels for %d images", label_path, label->n,
                   image->n);
}

/* Classes are the numbers 0 to the largest label, or those that are listed. */
static rheo_status name_classes(rh_task *t, const rh_csv_task_def *d, const rh_idx *label, int class_of[256],
                                rheo_error *err) {
    int most = 0;
    for (int i = 0; i < label->n; i++)
        if (label->x[i] > most) most = label->x[i];
    t->n_class = d->classes ? d->n_class : most + 1;
    t->class_name = rh_calloc((size_t)t->n_class, sizeof *t->class_name);
    if (!t->class_name) return RH_NOMEM(err);
    for (int v = 0; v < 256; v++) class_of[v] = d->classes ? -1 : v;
    for (int c = 0; c < t->n_class; c++) {
        char text[16];
        snprintf(text, sizeof text, "%d", c);
        t->class_name[c] = rh_strdup(d->classes ? d->classes[c] : text);
        if (!t->class_name[c]) return RH_NOMEM(err);
        for (int v = 0; v < 256 && d->classes; v++) {
            snprintf(text, sizeof text, "%d", v);
            if (strcmp(text, d->classes[c]) == 0) class_of[v] = c;
        }
    }
    return RHEO_OK;
}

static rheo_status label_samples(rh_task *t, const rh_csv_task_def *d, const rh_idx *label, rheo_error *err) {
    int class_of[256];
    RHEO_TRY(name_classes(t, d, label, class_of, err));
    t->n_out = t->n_class;
    t->label = rh_calloc((size_t)t->n_sample, sizeof *t->label);
    t->target = rh_calloc((size_t)t->n_sample * (size_t)t->n_out, sizeof *t->target);
    if (!t->label || !t->target) return RH_NOMEM(err);
    for (int i = 0; i < t->n_sample; i++) {
        const int c = class_of[label->x[i]];
        if (c < 0)
            return rh_fail(err, RHEO_E_PARSE, RH_CODE_LABEL, RH_NOWHERE, "sample %d has label %d, which is not listed",
                           i + 1, label->x[i]);
        t->label[i] = c;
        for (int o = 0; o < t->n_out; o++) t->target[(size_t)i * (size_t)t->n_out + (size_t)o] = d->level[o == c];
    }
    return RHEO_OK;
}

/* Input i is scale * byte + shift; bias inputs have scale 0. */
static rheo_status scale_inputs(rh_task *t, const rh_csv_task_def *d, rheo_error *err) {
    rh_bytes *const b = &t->bytes;
    const size_t n_in = (size_t)t->n_in;
    b->column = rh_calloc(n_in, sizeof *b->column);
    b->scale = rh_calloc(n_in, sizeof *b->scale);
    b->shift = rh_calloc(n_in, sizeof *b->shift);
    if (!b->column || !b->scale || !b->shift) return RH_NOMEM(err);
    const bool given = d->from[0] < d->from[1], affine = d->affine[0] != 0;
    const double low = given ? d->from[0] : 0, high = given ? d->from[1] : 255;
    const double factor = affine ? d->affine[0] : (d->range[1] - d->range[0]) / (high - low);
    const double offset = affine ? d->affine[1] : d->range[0] - factor * low;
    const double mirror = affine ? 0 : d->range[0] + d->range[1]; /* x and its mirror image add up to this */
    const int step = d->differential ? 2 : 1, n_scaled = t->n_in - d->n_bias;
    for (int i = 0; i < t->n_in; i++) {
        const bool bias = i >= n_scaled, image = !bias && step == 2 && i % 2 == 1;
        b->column[i] = bias ? 0 : i / step;
        b->scale[i] = bias ? 0 : image ? -factor : factor;
        b->shift[i] = bias ? d->bias[i - n_scaled] : image ? mirror - offset : offset;
    }
    return RHEO_OK;
}

static rheo_status fill(rh_task *t, const rh_csv_task_def *d, rh_idx *image, rh_idx *label, rheo_error *err) {
    rh_idx more[2] = { { 0 }, { 0 } };
    RHEO_TRY(read_pair(image, label, d->file, d->label_file, err));
    const int n_pool = image->n;
    rheo_status st = d->test_file ? read_pair(&more[0], &more[1], d->test_file, d->test_label_file, err) : RHEO_OK;
    if (st == RHEO_OK && d->test_file) st = append(image, &more[0], d->test_file, err);
    if (st == RHEO_OK && d->test_file) st = append(label, &more[1], d->test_label_file, err);
    rh_idx_free(&more[0]);
    rh_idx_free(&more[1]);
    RHEO_TRY(st);
    t->n_sample = image->n;
    if (image->width > RH_CSV_COLUMNS) return bad(err, d->file, "its images have more than 100000 bytes");
    t->n_in = (int)image->width * (d->differential ? 2 : 1) + d->n_bias;
    t->bytes.x = image->x; /* handed over */
    t->bytes.n_column = image->width;
    image->x = NULL;
    RHEO_TRY(label_samples(t, d, label, err));
    RHEO_TRY(scale_inputs(t, d, err));
    return rh_task_split(t, d, n_pool, err);
}

rheo_status rh_idx_task(rh_task *out, const rh_csv_task_def *def, rheo_error *err) {
    rh_task t = { 0 };
    rh_idx image = { 0 }, label = { 0 };
    const rheo_status st = fill(&t, def, &image, &label, err);
    rh_idx_free(&image);
    rh_idx_free(&label);
    if (st == RHEO_OK) {
        *out = t;
    } else {
        t.n_in = t.n_out = 0; /* their names were never made */
        rh_task_free(&t);
    }
    return st;
}
