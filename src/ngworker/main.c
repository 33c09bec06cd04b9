/* rheo-ngworker: ngspice in a cell. Reads requests on standard input, answers on standard output (ngspice/protocol.h).
 *
 * The order matters: ngspice reads its start-up files while it is initialised, so that comes first, in a folder where
 * they are empty; then the doors are shut; only then comes a deck. */
#include "ngworker/engine.h"
#include "ngworker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 16 };
static int in = -1, out = -1; /* where the requests come from and answers go to: ngspice never sees 0 and 1 */
static rh_ng_info info;
static char *request; /* room bytes: what was asked */
static size_t room;

static bool read_all(void *data, size_t n) {
    for (char *p = data; n > 0;) {
        const ssize_t k = read(in, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

/* Head and data in one call, as a rule. */
static bool answer(uint32_t what, const void *data, size_t n) {
    rh_ng_head head = { RH_NG_MAGIC, what, n };
    struct iovec part[] = { { &head, sizeof head }, { (void *)data, n } };
    for (size_t i = 0; i < 2;) {
        const ssize_t k = writev(out, part + i, (int)(2 - i));
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        for (size_t done = (size_t)k; i < 2;) {
            const size_t step = done < part[i].iov_len ? done : part[i].iov_len;
            part[i].iov_base = (char *)part[i].iov_base + step;
            part[i].iov_len -= step;
            done -= step;
            if (part[i].iov_len > 0) break;
            i++;
        }
    }
    return true;
}

static bool answer_info(void) {
    char text[sizeof info + 64];
    const size_t n = strnlen(rh_engine_version(), 63);
    memcpy(text, &info, sizeof info);
    memcpy(text + sizeof info, rh_engine_version(), n);
    return answer(RH_NG_OK, text, sizeof info + n);
}

static bool answer_row(const double *row, size_t n) { return answer(RH_NG_MORE, row, n * sizeof *row); }

static bool take_samples(const char *data, size_t n) {
    rh_ng_samples head;
    if (n < sizeof head) return false;
    memcpy(&head, data, sizeof head);
    if (head.n_source > RH_NG_MAX_BYTES || head.n_slot > RH_NG_MAX_BYTES ||
        n - sizeof head != head.n_source * head.n_slot * sizeof(double))
        return false;
    return rh_engine_samples(&head, (const double *)(const void *)(data + sizeof head));
}

static bool run_course(const char *data, size_t n) {
    rh_ng_tran def;
    if (n != sizeof def) return false;
    memcpy(&def, data, sizeof def);
    return rh_engine_tran(&def, answer_row);
}

/* false: the worker ends. */
static bool serve(uint32_t what, char *data, size_t n) {
    const double *value = NULL;
    size_t n_value = 0;
    bool ok = false;
    switch (what) {
    case RH_NG_INFO: return answer_info();
    case RH_NG_LOAD: ok = rh_engine_load(data); break;
    case RH_NG_VECTORS: ok = rh_engine_vectors(data); break;
    case RH_NG_OP:
        ok = rh_engine_op((const rh_ng_value *)(void *)data, n / sizeof(rh_ng_value), &value, &n_value);
        break;
    case RH_NG_SAMPLES: ok = take_samples(data, n); break;
    case RH_NG_TRAN: ok = run_course(data, n); break;
    case RH_NG_DESTROY: ok = rh_engine_destroy(); break;
    default: return false;
    }
    if (ok) return answer(RH_NG_OK, value, n_value * sizeof *value);
    answer(RH_NG_FAILED, rh_engine_reason(), strlen(rh_engine_reason()));
    return false;
}

/* Room for the data of a request: kept from one to the next, and large enough for the first. */
static bool make_room(size_t n) {
    if (n <= room) return true;
    char *const grown = realloc(request, n);
    if (!grown) return false;
    request = grown;
    room = n;
    return true;
}

/* Whoever asks waits for the answer, so what is there is one request at most, and most often a whole one. */
static bool serve_next(void) {
    rh_ng_head head;
    const struct iovec part[] = { { &head, sizeof head }, { request, room - 1 } };
    ssize_t k;
    do k = readv(in, part, 2);
    while (k < 0 && errno == EINTR);
    if (k <= 0) return false;
    size_t have = (size_t)k;
    if (have < sizeof head) {
        if (!read_all((char *)&head + have, sizeof head - have)) return false;
        have = sizeof head;
    }
    have -= sizeof head;
    if (head.magic != RH_NG_MAGIC || head.bytes > RH_NG_MAX_BYTES || have > head.bytes) return false;
    const size_t n = (size_t)head.bytes;
    if (!make_room(n + 1) || !read_all(request + have, n - have)) return false;
    request[n] = '\0';
    return serve(head.what, request, n);
}

/* Requests and answers move away from 0 and 1, which then lead nowhere; nothing else that was inherited stays open. */
static bool move_descriptors(void) {
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    in = fcntl(0, F_DUPFD_CLOEXEC, 3);
    out = fcntl(1, F_DUPFD_CLOEXEC, 3);
    if (nowhere < 0 || in < 0 || out < 0) return false;
    for (int fd = 0; fd <= 2; fd++)
        if (dup2(nowhere, fd) < 0) return false;
    for (int fd = 3; fd < 1024; fd++)
        if (fd != in && fd != out) close(fd);
    return true;
}

int main(void) {
    if (!move_descriptors() || !rh_sandbox_limits(&info) || !make_room(ROOM)) return 2;
    clearenv();
    /* Start-up files are looked for in this folder, and found empty, before any other place is tried. */
    if (setenv("LC_ALL", "C", 1) || setenv("SPICE_SCRIPTS", ".", 1) || setenv("HOME", ".", 1)) return 2;
    if (setenv("TZ", "UTC0", 1)) return 2;
    tzset(); /* now, or the C library looks for a file when ngspice first asks the time */
    if (!rh_engine_open()) return 3;
    if (!rh_sandbox_seal(&info)) return 4;
    while (serve_next()) continue;
    _exit(0);
}
