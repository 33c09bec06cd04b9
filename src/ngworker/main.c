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
#include <unistd.h>

static int in = -1, out = -1; /* where the requests come from and answers go to: ngspice never sees 0 and 1 */
static rh_ng_info info;

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

static bool write_all(const void *data, size_t n) {
    for (const char *p = data; n > 0;) {
        const ssize_t k = write(out, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static bool answer(uint32_t what, const void *data, size_t n) {
    const rh_ng_head head = { RH_NG_MAGIC, what, n };
    return write_all(&head, sizeof head) && write_all(data, n);
}

static bool answer_info(void) {
    char text[sizeof info + 64];
    const size_t n = strnlen(rh_engine_version(), 63);
    memcpy(text, &info, sizeof info);
    memcpy(text + sizeof info, rh_engine_version(), n);
    return answer(RH_NG_OK, text, sizeof info + n);
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
    case RH_NG_ALTER: ok = rh_engine_alter((const rh_ng_value *)(void *)data, n / sizeof(rh_ng_value)); break;
    case RH_NG_OP: ok = rh_engine_op(&value, &n_value); break;
    case RH_NG_DESTROY: ok = rh_engine_destroy(); break;
    default: return false;
    }
    if (ok) return answer(RH_NG_OK, value, n_value * sizeof *value);
    answer(RH_NG_FAILED, rh_engine_reason(), strlen(rh_engine_reason()));
    return false;
}

static bool serve_next(void) {
    rh_ng_head head;
    if (!read_all(&head, sizeof head) || head.magic != RH_NG_MAGIC || head.bytes > RH_NG_MAX_BYTES) return false;
    char *const data = malloc((size_t)head.bytes + 1);
    if (!data || !read_all(data, (size_t)head.bytes)) return false;
    data[head.bytes] = '\0';
    const bool go_on = serve(head.what, data, (size_t)head.bytes);
    free(data);
    return go_on;
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
    if (!move_descriptors() || !rh_sandbox_limits(&info)) return 2;
    clearenv();
    /* Start-up files are looked for in this folder, and found empty, before any other place is tried. */
    if (setenv("LC_ALL", "C", 1) || setenv("SPICE_SCRIPTS", ".", 1) || setenv("HOME", ".", 1)) return 2;
    if (!rh_engine_open()) return 3;
    if (!rh_sandbox_seal(&info)) return 4;
    while (serve_next()) continue;
    _exit(0);
}
