/* file.c: whole files in, whole files out. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static rheo_status io_error(rheo_error *err, int code, const char *what, const char *path, int number) {
    char text[128];
    return rh_fail(err, RHEO_E_IO, code, RH_NOWHERE, "cannot %s '%s': %s", what, path,
                   strerror_r(number, text, sizeof(text)));
}

/* ---- reading ---- */

/* The size in the file system is only a first guess: it is 0 in /proc, and the file may grow while it is read. */
static rheo_status read_all(int fd, const char *path, size_t guess, size_t max, char **text, size_t *size,
                            rheo_error *err) {
    size_t cap = guess + 1, n = 0;
    char *buf = rh_realloc(NULL, cap + 1, 1);
    rheo_status st = buf ? RHEO_OK : RH_NOMEM(err);
    while (st == RHEO_OK) {
        if (n == cap) {
            char *more = rh_realloc(buf, 2 * cap + 1, 1);
            if (!more) {
                st = RH_NOMEM(err);
                break;
            }
            buf = more;
            cap *= 2;
        }
        const ssize_t got = read(fd, buf + n, cap - n);
        if (got == 0) break;
        if (got < 0 && errno != EINTR) st = io_error(err, 401, "read", path, errno);
        if (got > 0) n += (size_t)got;
        if (n > max) st = rh_fail(err, RHEO_E_LIMIT, 404, RH_NOWHERE, "'%s' is larger than %zu bytes", path, max);
    }
    if (st != RHEO_OK) {
        rh_free(buf);
        return st;
    }
    buf[n] = '\0';
    *text = buf;
    *size = n;
    return RHEO_OK;
}

static rheo_status check_regular(int fd, const char *path, size_t max, size_t *guess, rheo_error *err) {
    struct stat s;
    if (fstat(fd, &s)) return io_error(err, 401, "read", path, errno);
    if (!S_ISREG(s.st_mode)) {
        const char *what = S_ISDIR(s.st_mode) ? "a folder" : S_ISFIFO(s.st_mode) ? "a pipe" : "a device";
        return rh_fail(err, RHEO_E_IO, 403, RH_NOWHERE, "'%s' is %s, not a regular file", path, what);
    }
    if (s.st_size > 0 && (uintmax_t)s.st_size > max)
        return rh_fail(err, RHEO_E_LIMIT, 404, RH_NOWHERE, "'%s' has %jd bytes, more than %zu", path,
                       (intmax_t)s.st_size, max);
    *guess = s.st_size > 4096 ? (size_t)s.st_size : 4096;
    return RHEO_OK;
}

rheo_status rh_file_read(const char *path, size_t max, char **text, size_t *size, rheo_error *err) {
    if (strcmp(path, "-") == 0) return read_all(STDIN_FILENO, "standard input", 65536, max, text, size, err);
    /* Without O_NONBLOCK opening a pipe that nobody writes to would wait for ever. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return io_error(err, 401, "open", path, errno);
    size_t guess = 0;
    rheo_status st = check_regular(fd, path, max, &guess, err);
    if (st == RHEO_OK) st = read_all(fd, path, guess, max, text, size, err);
    close(fd);
    return st;
}

/* ---- writing ---- */

static int write_all(int fd, const char *data, size_t n) {
    while (n > 0) {
        const ssize_t put = write(fd, data, n);
        if (put < 0 && errno != EINTR) return errno;
        if (put == 0) return EIO;
        if (put < 0) continue;
        data += put;
        n -= (size_t)put;
    }
    return 0;
}

/* Returns 0 or errno. A link or a pipe in the way is not followed. */
static int write_new(const char *path, const void *data, size_t n) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (fd < 0) return errno;
    struct stat s;
    int bad = fstat(fd, &s) ? errno : S_ISREG(s.st_mode) ? 0 : EEXIST;
    if (!bad) {
        bad = write_all(fd, data, n);
        if (!bad && fsync(fd)) bad = errno;
        if (close(fd) && !bad) bad = errno;
        if (bad) unlink(path);
        return bad;
    }
    close(fd);
    return bad;
}

/* Makes the new name last; some file systems cannot sync folders, which is no failure of ours. */
static int sync_folder(const char *folder) {
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES ? 0 : errno;
    const int bad = fsync(fd) && errno != EINVAL && errno != ENOTSUP && errno != EROFS ? errno : 0;
    close(fd);
    return bad;
}

rheo_status rh_file_write(const char *path, const void *data, size_t n, rheo_error *err) {
    rh_buf tmp = { 0 };
    rh_buf_puts(&tmp, path);
    rh_buf_puts(&tmp, ".tmp");
    char *folder = rh_path_folder(path);
    rheo_status st = tmp.bad || !folder ? RH_NOMEM(err) : RHEO_OK;
    int bad = st == RHEO_OK ? write_new(tmp.s, data, n) : 0;
    if (st == RHEO_OK && !bad) {
        if (rename(tmp.s, path)) {
            bad = errno;
            unlink(tmp.s);
        } else {
            bad = sync_folder(folder);
        }
    }
    if (bad) st = io_error(err, 402, "write", path, bad);
    rh_free(folder);
    rh_buf_free(&tmp);
    return st;
}

static int make_one(const char *path) {
    struct stat s;
    if (mkdir(path, 0777) == 0) return 0;
    const int bad = errno;
    if (stat(path, &s)) return bad;
    return S_ISDIR(s.st_mode) ? 0 : ENOTDIR;
}

rheo_status rh_dir_create(const char *path, rheo_error *err) {
    char *part = rh_strdup(path);
    if (!part) return RH_NOMEM(err);
    int bad = 0;
    for (char *p = part; *p && !bad; p++) {
        if (*p != '/' || p == part || p[-1] == '/') continue;
        *p = '\0';
        bad = make_one(part);
        *p = '/';
    }
    if (!bad) bad = make_one(part);
    rh_free(part);
    return bad ? io_error(err, 402, "create folder", path, bad) : RHEO_OK;
}

/* ---- names ---- */

char *rh_path_join(const char *folder, const char *name) {
    if (name[0] == '/' || folder[0] == '\0') return rh_strdup(name);
    rh_buf b = { 0 };
    rh_buf_puts(&b, folder);
    if (folder[strlen(folder) - 1] != '/') rh_buf_puts(&b, "/");
    rh_buf_puts(&b, name);
    if (!b.bad) return b.s;
    rh_buf_free(&b);
    return NULL;
}

/* Drops the last folder of text [n]; false: there is none that could be dropped. */
static bool drop_folder(const char *text, size_t *n) {
    size_t from = *n;
    while (from > 0 && text[from - 1] != '/') from--;
    const size_t len = *n - from;
    if (len == 0 || (len == 1 && text[from] == '.') || (len == 2 && memcmp(text + from, "..", 2) == 0)) return false;
    *n = from > 0 && !(from == 1 && text[0] == '/') ? from - 1 : from;
    return true;
}

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

char *rh_path_tidy(char *path) {
    if (!path || !strstr(path, "/../")) return path;
    char *const out = rh_strdup(path);
    size_t n = 0;
    bool slash = false; /* between what is there and what comes */
    for (const char *p = path; out && *p;) {
        const size_t len = strcspn(p, "/");
        const bool up = len == 2 && memcmp(p, "..", 2) == 0;
        if (up && drop_folder(out, &n)) {
            slash = n > 0 && out[n - 1] != '/';
        } else {
            if (slash) out[n++] = '/';
            memmove(out + n, p, len);
            n += len;
            slash = true;
        }
        p += len;
        if (*p == '/' && n == 0 && p == path) { /* the root */
            out[n++] = '/';
            slash = false;
        }
        while (*p == '/') p++;
    }
    if (out) out[n] = '\0';
    if (!out || n == 0 || !same_file(path, out)) { /* a link on the way, or no such file */
        rh_free(out);
        return path;
    }
    rh_free(path);
    return out;
}

char *rh_path_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return rh_strdup(".");
    while (slash > path && slash[-1] == '/') slash--;
    return slash == path ? rh_strdup("/") : rh_strndup(path, (size_t)(slash - path));
}

/* Bytes of a before the first name that b does not have, too. */
static size_t shared_folders(const char *a, const char *b) {
    size_t n = 0, end = 0;
    for (; a[n] && a[n] == b[n]; n++)
        if (a[n] == '/') end = n;
    return (a[n] == '\0' || a[n] == '/') && (b[n] == '\0' || b[n] == '/') ? n : end;
}

char *rh_path_relative(const char *from, const char *path) {
    const size_t same = shared_folders(from, path);
    if (same == 0) return rh_strdup(path);
    rh_buf b = { 0 };
    for (const char *p = from + same; *p; p++)
        if (*p == '/') rh_buf_puts(&b, "../");
    const char *const rest = path + same + (path[same] == '/');
    rh_buf_puts(&b, *rest || b.n ? rest : ".");
    if (!b.bad) return b.s;
    rh_buf_free(&b);
    return NULL;
}

/* ---- checksum ---- */

/* Castagnoli's polynomial, bits reversed: RFC 3720. Table T[k][b] carries byte b over k further bytes, so eight bytes
 * cost eight independent look-ups. Filling it takes about as long as 2 kB without it. */
enum { CRC_TABLE_FROM = 8192 };
static const uint32_t CRC_POLY = 0x82F63B78u;

static void crc_table(uint32_t t[8][256]) {
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t c = b;
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (CRC_POLY & (0u - (c & 1)));
        t[0][b] = c;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++) t[k][b] = t[k - 1][b] >> 8 ^ t[0][t[k - 1][b] & 255];
}

static uint32_t crc_short(uint32_t c, const unsigned char *p, size_t n) {
    static const uint32_t T[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                    0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                    0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };
    for (size_t k = 0; k < n; k++) {
        c ^= p[k];
        c = c >> 4 ^ T[c & 15];
        c = c >> 4 ^ T[c & 15];
    }
    return c;
}

uint32_t rh_crc32c(uint32_t crc, const void *data, size_t n) {
    const unsigned char *p = data;
    uint32_t c = ~crc;
    if (n >= CRC_TABLE_FROM) {
        uint32_t t[8][256];
        crc_table(t);
        for (; n >= 8; p += 8, n -= 8) {
            const uint32_t a = c ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
            c = t[7][a & 255] ^ t[6][a >> 8 & 255] ^ t[5][a >> 16 & 255] ^ t[4][a >> 24] ^ t[3][p[4]] ^ t[2][p[5]] ^
                t[1][p[6]] ^ t[0][p[7]];
        }
    }
    return ~crc_short(c, p, n);
}
