/* idx.c: files of images and of labels in the idx format, plain or gzipped, kept as the bytes that they are.
 *
 * Format: Y. LeCun, C. Cortes & C. Burges, The MNIST database: two zero bytes, type (8: unsigned bytes), number of
 * dimensions, each dimension as a big-endian 32-bit number, then the data, last dimension fastest. */
#include "task/task.h"

#include <unistd.h>
#include <zlib.h>

enum { HEAD = 4, MAX_DIM = 4, GZ_RATIO = 1032 /* deflate cannot do better */, RH_IDX_FILE = 512 << 20 };

static rheo_status bad(rheo_error *err, const char *path, const char *what) {
    return rh_fail(err, RHEO_E_PARSE, RH_CODE_IDX, RH_NOWHERE, "%s: %s", path, what);
}

static const char PART[] = "was it copied or downloaded in part only?";

static rheo_status bad_with(rheo_error *err, const char *path, const char *what, const char *hint) {
    const rheo_status st = bad(err, path, what);
    if (hint) rh_hint(err, "%s", hint);
    return st;
}

/* What people have in the place of an idx file, by its first four bytes. */
static rheo_status no_idx(rheo_error *err, const char *path, const uint8_t head[4]) {
    static const struct {
        const char start[5], *what, *hint;
    } FILES[] = {
        { "PK\3\4", "this is a zip archive, no idx file", "unpack it first" },
        { "\x89PNG", "this is a picture, no idx file",
          "all images stand in one file, as in train-images-idx3-ubyte.gz" },
        { "\xFF\xD8\xFF", "this is a picture, no idx file",
          "all images stand in one file, as in train-images-idx3-ubyte.gz" },
        { "\x93NUM", "this is a NumPy array, no idx file",
          "write its bytes behind the head of an idx file: rheo explain E063" },
        { "vers", "this is text, no idx file: perhaps what Git LFS leaves in its place",
          "fetch the file itself: git lfs pull" },
        { "<", "this is a web page, no idx file", "a server answered with a page: fetch the file itself" },
        { "\x28\xB5\x2F\xFD", "this is packed by zstd: plain and gzipped idx files are read", "unpack it first" },
        { "BZh", "this is packed by bzip2: plain and gzipped idx files are read", "unpack it first" },
        { "\xFD"
          "7zX",
          "this is packed by xz: plain and gzipped idx files are read", "unpack it first" },
    };
    for (int k = 0; k < RH_COUNT(FILES); k++)
        if (memcmp(head, FILES[k].start, strlen(FILES[k].start)) == 0)
            return bad_with(err, path, FILES[k].what, FILES[k].hint);
    if (head[1] == 8 && head[2] == 0 && head[3] == 0)
        return bad_with(err, path, "its numbers have their bytes the other way round", "idx files are big-endian");
    int text = 0;
    for (int k = 0; k < HEAD; k++) text += (head[k] >= ' ' && head[k] < 0x7F) || head[k] == '\n';
    if (text == HEAD) return bad_with(err, path, "this is text, no idx file", "tables are read by kind: csv");
    return bad_with(err, path, "this is no idx file", "it begins with two zero bytes: rheo explain E063");
}

static rheo_status not_bytes(rheo_error *err, const char *path, int type) {
    static const struct {
        int type;
        const char *name;
    } TYPES[] = {
        { 9, "signed bytes" }, { 11, "16-bit integers" }, { 12, "32-bit integers" }, { 13, "floats" }, { 14, "doubles" }
    };
    char what[120];
    const char *name = "numbers of an unknown kind";
    for (int k = 0; k < RH_COUNT(TYPES); k++)
        if (TYPES[k].type == type) name = TYPES[k].name;
    snprintf(what, sizeof what, "it holds %s (type %d), and only unsigned bytes (type 8) are read", name, type);
    return bad_with(err, path, what, "map them to 0..255; 'from' and 'range' say which volts these are");
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
        if (in->z.avail_in < n) return bad_with(in->err, in->path, "the file ends too early", PART);
        memcpy(to, in->z.next_in, n);
        in->z.next_in += n;
        in->z.avail_in -= (uInt)n;
        return RHEO_OK;
    }
    in->z.next_out = to;
    in->z.avail_out = (uInt)n;
    while (in->z.avail_out > 0) {
        const int got = inflate(&in->z, Z_NO_FLUSH);
        if (got == Z_STREAM_END && in->z.avail_out > 0)
            return bad_with(in->err, in->path, "the file ends too early", PART);
        if (got == Z_MEM_ERROR) return RH_NOMEM(in->err);
        if (got == Z_BUF_ERROR) return bad_with(in->err, in->path, "the compressed data end too early", PART);
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
    if (head[0] != 0 || head[1] != 0 || head[2] == 0) return no_idx(in->err, in->path, head);
    if (head[2] != 8) return not_bytes(in->err, in->path, head[2]);
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
    if (whole > n_file * (in->packed ? GZ_RATIO : 1))
        return bad_with(in->err, in->path, "the file ends too early", PART);
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

/* The file is not there: perhaps it is packed, or no longer. */
static void say_where(const char *path, rheo_error *err) {
    char other[1024];
    size_t n = strlen(path);
    const bool gz = n > 3 && strcmp(path + n - 3, ".gz") == 0;
    snprintf(other, sizeof other, "%.*s%s", (int)(gz ? n - 3 : n), path, gz ? "" : ".gz");
    if (n + 4 < sizeof other && access(path, F_OK) != 0 && access(other, R_OK) == 0)
        rh_hint(err, "there is '%.120s'", other);
    else if (access(path, F_OK) != 0)
        rh_hint(err, "names count from the folder of the experiment%s", strchr(path, '~') ? ", and ~ is a name" : "");
}

rheo_status rh_idx_read(rh_idx *out, const char *path, rheo_error *err) {
    char *text = NULL;
    size_t n = 0;
    *out = (rh_idx){ 0 };
    rheo_status st = rh_file_read(path, RH_IDX_FILE, &text, &n, err);
    if (st == RHEO_E_IO) say_where(path, err);
    if (st == RHEO_OK && n == 0) st = bad(err, path, "the file is empty");
    if (st != RHEO_OK) {
        rh_free(text);
        return st;
    }
    inlet in = { .path = path, .err = err };
    in.packed = n >= 2 && (uint8_t)text[0] == 0x1F && (uint8_t)text[1] == 0x8B;
    in.z = (z_stream){ .next_in = (Bytef *)text, .avail_in = (uInt)n, .zalloc = take_memory, .zfree = give_memory };
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
    if (label->width != 1)
        return bad_with(err, label_path, "labels are one byte each, and these items have more",
                        image->width == 1
                            ? "are images and labels exchanged?"
                            : "is this a file of images? Labels are in files such as train-labels-idx1-ubyte.gz");
    if (label->n == image->n) return RHEO_OK;
    rh_fail(err, RHEO_E_PARSE, RH_CODE_IDX, RH_NOWHERE, "%s: %d labels for %d images", label_path, label->n, image->n);
    rh_hint(err, "training and test have a file of labels each: is it the other one?");
    return RHEO_E_PARSE;
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
        if (c < 0) {
            rh_fail(err, RHEO_E_PARSE, RH_CODE_LABEL, RH_NOWHERE, "sample %d has label %d, which is not listed", i + 1,
                    label->x[i]);
            rh_hint(err, "'classes' gives all labels of the file an order; samples are not chosen by it");
            return RHEO_E_PARSE;
        }
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
